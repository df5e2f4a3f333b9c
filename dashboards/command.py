"""`voltrail dashboards`: build the files of Grafana, check them, push dashboards into a running one."""

from pathlib import Path

from logger.commands import options as opt
from logger.commands import output
from logger.commands.options import AsJson, ConfigFile, Debug, settings_of
from logger.errors import LoggerError


def dashboards(
    action: opt.DashboardAction, out: opt.GrafanaFolder = Path("deploy/grafana"),
    url: opt.GrafanaUrl = "http://127.0.0.1:3000", token_file: opt.TokenFile = Path("grafana.token"),
    config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Build, check or push dashboards of Grafana.

    Example: voltrail dashboards push --url https://grafana.example.org --token-file grafana.token
    """
    from dashboards import build
    from dashboards.push import push

    settings = settings_of(config)
    if action == "push":
        with output.progress() as progress:
            pushed = push(url, token_file, settings, progress)
        output.show(pushed, as_json, lambda each: [output.table_of(each, ("dashboard", "address", "version"))])
        return
    changed = build.write(out, settings) if action == "build" else build.differences(out, settings)
    output.show([str(path) for path in changed], as_json, lambda each: each)
    if action == "check" and changed:
        raise LoggerError(f"{len(changed)} files are stale: run `voltrail dashboards build --out {out}`")
