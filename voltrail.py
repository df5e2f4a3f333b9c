"""The command line: each command parses its options, calls one function and prints the result."""

import sys
from pathlib import Path
from typing import Annotated

from dashboards.command import dashboards
from dashboards.reports.command import report
from logger.commands import options as opt
from logger.commands import output
from logger.commands.consent import login
from logger.commands.data_output import data_file
from logger.commands.import_command import import_
from logger.commands.interval import interval
from logger.commands.notify import notify
from logger.commands.options import AsJson, ConfigFile, Debug, FromStore, Since, Until, Vehicles, settings_of, span
from logger.commands.overviews import sources, status
from logger.errors import ConfigError, LoggerError

app = output.command_line("Collect what electric vehicles report, and lose none of it.", opt.HELP)


def _analysis_names() -> list[str]:
    from analytics.engine.registry import ANALYSES, OF_FLEETS

    return [*ANALYSES, *OF_FLEETS]


AnalysisNames = Annotated[list[str] | None, opt.analysis_names(_analysis_names)]


@app.command(rich_help_panel="Set up")
def demo(
    vehicles: opt.VehicleCount = 20, days: opt.DayCount = 7, seed: opt.Seed = 1, no_open: opt.NoOpen = False,
    providers: opt.Providers = "segway", out: opt.DemoFolder = Path("voltrail-demo"), as_json: AsJson = False,
    debug: Debug = False,
) -> None:  # fmt: skip
    """Run a simulated fleet against a real `voltrail run`; compare.

    Example: voltrail demo --vehicles 5 --days 2
    """
    from analytics.engine.jobs import Wish, analyze
    from dashboards.reports.demo import open_page, write_fleet_page
    from logger.simulator.demo.analysis_comparison import compare_analyses
    from logger.simulator.demo.run import run_demo
    from logger.stores import open_lake

    result = run_demo(out, vehicles, days, seed, output.write_note if as_json else output.write_line, providers)
    settings = settings_of(out / "voltrail.toml")
    analyze(settings, Wish())
    analysis = compare_analyses(open_lake(settings), out / "truth")
    page = write_fleet_page(open_lake(settings), settings, analysis.sums(), out / "report.html")
    figures = {**result.figures(), "analysis": analysis, "report": str(page)}
    output.show(figures, as_json, lambda _: [*result.lines(), "", *analysis.lines(), f"report        {page}"])
    if result.errors:
        raise LoggerError(f"the demo is incomplete: {', '.join(result.errors)}")
    if not no_open:
        open_page(page)


@app.command(rich_help_panel="Set up")
def init(
    kind: opt.AccountKind = "", client_id: opt.ClientId = "", client_secret_file: opt.ClientSecretFile = "",
    vehicle: opt.VehicleNumbers = None, public_url: opt.PublicUrl = "", base_url: opt.BaseUrl = "",
    name: opt.AccountName = "", listen: opt.Listen = "", data_dir: opt.DataFolder = "",
    out: opt.SettingsFile = Path("voltrail.toml"), debug: Debug = False,
) -> None:  # fmt: skip
    """Write a settings file; on a terminal, ask questions.

    Example: voltrail init --client-id A20081 --client-secret-file segway.secret --vehicle 861477038719116
    """
    from logger.commands.init import create_settings, next_steps

    settings = create_settings(
        out, interactive=sys.stdin.isatty(), kind=kind, client_id=client_id, client_secret_file=client_secret_file,
        vehicles=tuple(vehicle or ()), public_url=public_url, base_url=base_url, name=name, listen=listen,
        data_dir=data_dir,
    )  # fmt: skip
    output.write_notes(next_steps(settings, out))


@app.command(rich_help_panel="Set up")
def check(compare: opt.Stores = None, config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Say what is wrong with the setup, and how to mend it.

    Looks at settings, accounts, clock, disks, port, push addresses and stores, and changes nothing.

    Example: voltrail check --compare lake influx
    """
    from logger.commands.check.check import check_setup, view
    from logger.commands.copy import show_comparison

    if compare:
        return show_comparison(settings_of(config), *compare, as_json)
    findings = check_setup(opt.config_file(config))
    output.show(findings, as_json, view)
    if errors := sum(each.level == "error" for each in findings):
        raise LoggerError(f"{errors} of {len(findings)} findings are errors: each says what to do")


@app.command(rich_help_panel="Collect")
def run(config: ConfigFile = None, debug: Debug = False) -> None:
    """Collect until SIGTERM: receive, poll, store, deliver, analyse.

    Example: voltrail run --config /etc/voltrail/voltrail.toml
    """
    from logger.service import child, supervisor

    child.set_up_logging("voltrail", debug=debug)
    python, module = sys.executable, "-m"
    commands = supervisor.Commands(
        analysis=(python, module, "analytics.engine.process"),
        reports=(python, module, "dashboards.reports.process"),
        live=(python, module, "dashboards.live"),
    )
    supervisor.run(settings_of(config), commands, debug=debug)


@app.command(rich_help_panel="Collect")
def poll(
    once: opt.Once = False, vehicle: Vehicles = None, config: ConfigFile = None, as_json: AsJson = False,
    debug: Debug = False,
) -> None:  # fmt: skip
    """Poll the clouds now and store the answers; may wake a car.

    Example: voltrail poll --once --vehicle 861477038719116
    """
    from logger.commands.poll_once import poll_once, raise_for_failed, view

    if not once:
        raise ConfigError("only `voltrail poll --once` polls by hand")
    results = poll_once(settings_of(config), vehicle or ())
    output.show(results, as_json, view)
    raise_for_failed(results)


app.command(name="import", rich_help_panel="Data in and out")(import_)


@app.command(rich_help_panel="Data in and out")
def export(
    table: opt.TableName, out: opt.OutFile = None, form: opt.FileFormat = "csv", since: Since = "", until: Until = "",
    vehicle: Vehicles = None, trip: opt.TripId = "", config: ConfigFile = None, debug: Debug = False,
) -> None:  # fmt: skip
    """Write a table to a file, one row per key.

    One trip's track is `voltrail export gpx --trip ID`.

    Example: voltrail export status --since 2026-10-01 --until 2026-11-01 --format parquet --out october.parquet
    """
    from analytics.stays.places import private
    from analytics.trips.track import track
    from logger.commands.export import export_table, write_bytes
    from logger.stores import open_lake

    settings, file = settings_of(config), data_file(out, is_text=form in ("csv", "ndjson"))
    with output.progress(hidden=out is None and sys.stdout.isatty()) as progress:
        progress(f"writing {table}")
        if opt.wants_track(table, trip):
            write_bytes(track(open_lake(settings), trip, private(settings.places)), file)
        else:
            export_table(open_lake(settings), table, form, file, *span(since, until, settings), vehicle)


@app.command(rich_help_panel="Data in and out")
def replay(
    since: Since = "", until: Until = "", vehicle: Vehicles = None, config: ConfigFile = None, as_json: AsJson = False,
    debug: Debug = False,
) -> None:  # fmt: skip
    """Decode stored messages again; replaces each day that differs.

    Example: voltrail replay --since 2026-10-01
    """
    from logger.commands.replay import replay, view
    from logger.service.child import set_up_logging

    settings = settings_of(config)
    with output.progress() as progress:
        set_up_logging("replay", debug=debug)  # only now, so that log lines appear above the progress bar
        result = replay(settings, *span(since, until, settings), vehicle, progress)
    output.show(result, as_json, view)


@app.command(rich_help_panel="Data in and out")
def copy(
    source: FromStore, target: opt.ToStore, since: Since = "", until: Until = "", config: ConfigFile = None,
    as_json: AsJson = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Fill one store from the other, a day at a time.

    Without a span, days with different numbers of rows are copied. Run it again to go on; works beside `voltrail run`.

    Example: voltrail copy --from lake --to influx --since 2026-10-01
    """
    from logger.commands.copy import copy_store, copy_view

    settings = settings_of(config)
    with output.progress() as progress:
        copied = copy_store(settings, source, target, *span(since, until, settings), progress)
    output.show(copied, as_json, copy_view)


@app.command(rich_help_panel="Analyse")
def analyze(
    names: AnalysisNames = None, source: FromStore = "lake", since: Since = "", until: Until = "",
    vehicle: Vehicles = None, config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Compute trips, charges and more; safe to repeat.

    Without a name, span, store or vehicle, only what is new since the last time is analysed.

    Example: voltrail analyze trips --since 2026-10-01
    """
    from analytics.engine.jobs import Wish, analyze
    from logger.commands.copy import follow_lake

    settings = settings_of(config)
    wish = Wish(tuple(names or ()), source, *span(since, until, settings), tuple(vehicle or ()))
    with output.progress() as progress:
        results = analyze(settings, wish, progress)
    output.show(results, as_json, lambda each: [output.table_of(each, ("table", "vehicles", "rows", "commits"))])
    follow_lake(settings)


@app.command(rich_help_panel="Analyse")
def certify(
    vehicle: opt.CertifiedVehicle = "", out: opt.OutFile = None, verify: opt.Certificate = None,
    config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False,
) -> None:  # fmt: skip
    """Write a certificate of a vehicle's battery, or verify one.

    Example: voltrail certify 861477038719116 --out battery.json
    """
    from analytics.engine.certified import known_of, renew
    from analytics.engine.registry import RULES
    from logger.commands.certify.certify import Analyses, write_certificate
    from logger.commands.certify.verify import show_verification

    opt.check_certify(vehicle, out, verify)
    settings, analyses = settings_of(config), Analyses(RULES, known_of, renew)
    if verify:
        return show_verification(settings, verify, analyses, as_json)
    write_certificate(settings, vehicle, data_file(out), analyses)


@app.command(rich_help_panel="Analyse")
def rollup(config: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Compute rollups (`status_5m`, `states_1d`, …) of changed days.

    Example: voltrail rollup
    """
    from analytics.engine.rollup_days import roll
    from logger.commands.copy import follow_lake
    from logger.stores import open_lake

    settings = settings_of(config)
    with output.progress() as progress:
        results = roll(open_lake(settings), settings.data_dir, progress)
    output.show(results, as_json, lambda each: [output.table_of(each, ("table", "days", "rows", "days the same"))])
    follow_lake(settings)


app.command(rich_help_panel="Set up")(login)
app.command(rich_help_panel="Collect")(interval)
app.command(rich_help_panel="Collect")(status)
app.command(rich_help_panel="Collect")(sources)
app.command(rich_help_panel="Show")(report)
app.command(rich_help_panel="Show")(dashboards)
app.command(rich_help_panel="Show")(notify)


def main() -> None:
    output.run(app)


if __name__ == "__main__":
    main()
