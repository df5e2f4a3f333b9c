"""Files for Grafana, built from code: dashboards as JSON, and what Grafana reads at its start to find them."""

import json
from functools import partial
from pathlib import Path

import msgspec
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import provisioning
from dashboards.catalogue import pages
from dashboards.kit.influxql import NOT_RETRACTED, Query
from dashboards.kit.page import Page, dashboard
from logger.atomic import write_file
from logger.errors import ConfigError
from logger.settings.schema import Settings
from logger.stores.influx.influx import LONG_POLICY
from logger.tables import RAW

FOLDER = Path("deploy/grafana")
DASHBOARDS = "dashboards"  # the folder below it


def files(settings: Settings) -> dict[str, str]:
    """Return the text of every file, by its path below the folder of Grafana's files."""
    built = {f"{DASHBOARDS}/{name}.json": text for name, text in dashboards(settings).items()}
    return {**built, **provisioning.files(settings, partial(stored_query, settings))}


def dashboards(settings: Settings) -> dict[str, str]:
    """Return each dashboard as JSON by its name."""
    low_pct = settings.analytics.swap_below_pct
    stored = {name: stored_page(page, settings) for name, page in pages().items()}
    return {name: encode(dashboard(page, low_pct)) for name, page in stored.items()}


def stored_page(page: Page, settings: Settings) -> Page:
    """Return the page with queries that read tables where these settings store them."""
    stored = partial(stored_query, settings)
    rows = [
        (title, [msgspec.structs.replace(panel, queries=tuple(map(stored, panel.queries))) for panel in panels])
        for title, panels in page.rows
    ]
    return msgspec.structs.replace(page, rows=rows)


def stored_query(settings: Settings, query: Query) -> Query:
    """Return the query for the server of these settings.

    It reads derived tables and rollups from the policy that keeps them longer, and where the settings name a server
    that can delete (1.x, 2.x), it does not look for rows that are no longer valid, which costs several times as much.
    """
    influx, text = settings.sinks.influx, query.text
    if influx is not None and influx.version in ("1", "2"):
        text = text.replace(f" AND {NOT_RETRACTED}", "").replace(f"{NOT_RETRACTED} AND ", "")
        text = text.replace(f" WHERE {NOT_RETRACTED}", "")
    if influx is not None and influx.retention_days:
        text = in_policy(text, LONG_POLICY)
    return msgspec.structs.replace(query, text=text)


def write(folder: Path, settings: Settings) -> list[Path]:
    """Write what differs, remove what is no longer built, and return these files. Raises `ConfigError`."""
    changed = differences(folder, settings)
    built = files(settings)
    try:
        for path in changed:
            name = path.relative_to(folder).as_posix()
            if name in built:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_file(path, built[name].encode())
            else:
                path.unlink()
    except OSError as error:
        raise ConfigError(f"cannot write {folder}: {error.strerror or error}") from error
    return changed


def differences(folder: Path, settings: Settings) -> list[Path]:
    """Return the files below this folder that are missing, differ from what is built, or are not built any more."""
    built = files(settings)
    stale = [folder / name for name, text in built.items() if _text(folder / name) != text]
    left = [path for path in sorted(folder.glob(f"{DASHBOARDS}/*.json")) if f"{DASHBOARDS}/{path.name}" not in built]
    return stale + left


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def in_policy(text: str, policy: str) -> str:
    """Return an InfluxQL text that reads all but raw tables from this retention policy."""
    first, *others = text.split('FROM "')
    return first + "".join(_source(part, policy) for part in others)


def _source(part: str, policy: str) -> str:
    name = part.partition('"')[0]
    return f'FROM "{part}' if name in RAW else f'FROM "{policy}"."{part}'


def encode(dashboard: Dashboard) -> str:
    """Return a dashboard as JSON, without keys that the SDK fills in and Grafana 13 does not know there."""
    content = json.loads(JSONEncoder().encode(dashboard))
    for variable in content["templating"]["list"]:
        for key in ("auto", "auto_min", "auto_count"):  # of intervals alone
            variable.pop(key, None)
    for panel in content["panels"]:
        if panel["type"] == "table":
            panel["options"].pop("footer", None)  # moved to the settings of fields
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
