"""The front door: the command line. Each command parses, calls one function and prints."""

import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from logger.errors import ConfigError, LoggerError
from logger.settings import schema
from logger.settings.load import load_settings

app = typer.Typer(
    help="Log what electric vehicles say about themselves, lose none of it.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="VOLTRAIL_CONFIG", help="settings; else ./voltrail.toml if it is there"),
]
Debug = Annotated[bool, typer.Option("--debug", help="log every phase, and show tracebacks")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Vehicles = Annotated[list[str] | None, typer.Option("--vehicle", help="only this vehicle; may be given again")]
Since = Annotated[str, typer.Option(help="from this day or moment on (ISO 8601)")]
Until = Annotated[str, typer.Option(help="up to, but without, this day or moment")]


def _file(path: Path | None) -> Path | None:
    default = Path("voltrail.toml")
    return path or (default if default.exists() else None)


def _settings(path: Path | None) -> schema.Settings:
    return load_settings(_file(path))


def _moment(text: str, settings: schema.Settings, option: str) -> datetime | None:
    from logger.times import parse_moment

    if not text:
        return None
    try:
        return parse_moment(text, settings.collector.timezone)
    except ConfigError as error:
        raise ConfigError(f"{option} {error}") from error


@app.command()
def demo(
    vehicles: Annotated[int, typer.Option(min=1, max=999, help="how many")] = 20,
    days: Annotated[int, typer.Option(min=1, max=28, help="how many days they tell of")] = 7,
    seed: Annotated[int, typer.Option(help="the same seed makes the same fleet")] = 1,
    out: Annotated[Path, typer.Option(help="folder for settings, log and data")] = Path("voltrail-demo"),
    no_open: Annotated[bool, typer.Option("--no-open", help="open nothing at the end")] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Let a simulated fleet push to a real `voltrail run` that asks its cloud too; hold all against what happened.

    Example: voltrail demo --vehicles 5 --days 2
    """
    from analytics.jobs import Wish
    from analytics.jobs import analyze as analyse
    from logger.simulator.demo.analysis_comparison import compare_analyses
    from logger.simulator.demo.run import run_demo
    from logger.stores import open_lake

    say = typer.echo if not as_json else lambda text: typer.echo(text, err=True)
    result = run_demo(out, vehicles, days, seed, say)
    settings = load_settings(out / "voltrail.toml")
    analyse(settings, Wish())
    analysis = compare_analyses(open_lake(settings), out / "truth")
    figures = {**result.figures(), "analysis": msgspec.to_builtins(analysis)}
    typer.echo(json.dumps(figures) if as_json else "\n".join([*result.lines(), "", *analysis.lines()]))
    if not result.verdict.complete:
        raise LoggerError(f"the demo is incomplete: {', '.join(name for name, _ in result.verdict.errors())}")


@app.command()
def init(
    client_id: Annotated[str, typer.Option(help="the platform code that Segway gave you")] = "",
    client_secret_file: Annotated[str, typer.Option(help="a file that holds its secret and nothing else")] = "",
    vehicle: Annotated[list[str] | None, typer.Option(help="IMEI of a vehicle; may be given again")] = None,
    public_url: Annotated[str, typer.Option(help="where the vendor reaches this host, such as https://HOST")] = "",
    base_url: Annotated[str, typer.Option(help="another cloud than that of the account's region")] = "",
    name: Annotated[str, typer.Option(help="what to call the account; else segway")] = "",
    listen: Annotated[str, typer.Option(help="ADDRESS:PORT where pushes come in; else 127.0.0.1:8080")] = "",
    data_dir: Annotated[str, typer.Option(help="folder for all data; else voltrail-data beside the settings")] = "",
    out: Annotated[Path, typer.Option(help="the file to write")] = Path("voltrail.toml"),
    debug: Debug = False,
) -> None:
    """Write commented settings to begin with; on a terminal, ask for what no option tells.

    Example: voltrail init --client-id A20081 --client-secret-file segway.secret --vehicle 861477038719116
    """
    from logger.commands import init

    if out.exists():
        raise ConfigError(f"{out} is there already; name another file with --out")
    answers = init.known_answers(
        out, client_id=client_id, client_secret_file=client_secret_file, vehicles=tuple(vehicle or ()),
        public_url=public_url, base_url=base_url, name=name, listen=listen, data_dir=data_dir,
    )  # fmt: skip
    draft = init.ask_missing(answers, _ask) if sys.stdin.isatty() else init.Draft(answers)
    settings = init.write_settings(draft, out)
    for account in settings.sources:
        typer.echo(f"register {settings.collector.push_address(account.name)} with the vendor", err=True)
    missing = "" if settings.sources else ": fill in the account and its vehicles"
    typer.echo(f"wrote {out}{missing}; `voltrail check` says what is still wrong, `voltrail run` collects", err=True)


def _ask(question: str, hidden: bool) -> str:
    return str(typer.prompt(question, default="", show_default=False, hide_input=hidden, err=True)).strip()


@app.command()
def check(
    compare: Annotated[
        tuple[str, str] | None, typer.Option(metavar="STORE STORE", help="count the rows of both instead")
    ] = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Say what is wrong with settings, account, clock, disks, port and stores, and how to mend it. Changes nothing.

    Example: voltrail check --compare lake influx
    """
    if compare:
        _compare(compare, _settings(config_file), as_json)
        return
    from logger.commands.check import check

    found = check.check_setup(_file(config_file))
    typer.echo(msgspec.json.encode(found).decode() if as_json else "\n".join(check.lines(found)))
    if errors := sum(each.level == "error" for each in found):
        raise LoggerError(f"{errors} of {len(found)} findings are errors: each says what to do")


@app.command()
def run(config_file: ConfigFile = None, debug: Debug = False) -> None:
    """Collect until SIGTERM: receive pushes, store them, deliver them to every sink.

    Example: voltrail run --config /etc/voltrail/voltrail.toml
    """
    from logger.service import supervisor
    from logger.service.child import set_up_logging

    set_up_logging("voltrail", debug=debug)
    analysis = [sys.executable, "-m", "analytics.service"]  # a process of its own, which needs polars
    supervisor.run(_settings(config_file), analysis, debug=debug)


@app.command()
def poll(
    once: Annotated[bool, typer.Option("--once", help="ask one time, now; it may wake a car that sleeps")] = False,
    vehicle: Vehicles = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Ask the clouds now, store what they say, and print it. This may wake a car that sleeps.

    Example: voltrail poll --once --vehicle 861477038719116
    """
    from logger.commands.poll_once import poll_once as ask_once

    if not once:
        raise ConfigError("only `voltrail poll --once` asks by hand")
    told = ask_once(_settings(config_file), vehicle or ())
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
    else:
        for each in told:
            typer.echo(f"{each.vehicle:<18}{each.query:<16}{each.outcome:<12} {each.reason}".rstrip())
    failed = [each for each in told if each.outcome == "failed"]
    if failed:
        raise LoggerError(f"{len(failed)} of {len(told)} questions got no answer: {failed[0].reason}")


@app.command()
def sources(config_file: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """What each account of the settings can tell, signal by signal, and what it cannot.

    Example: voltrail sources --config voltrail.toml
    """
    from logger.commands import sources

    settings = _settings(config_file)
    if as_json:
        typer.echo(
            msgspec.json.encode({"fields": sources.list_fields(settings), "limits": sources.limits(settings)}).decode()
        )
    else:
        typer.echo("\n".join(sources.lines(settings)))


@app.command()
def status(
    vehicle: Vehicles = None, config_file: ConfigFile = None, as_json: AsJson = False, debug: Debug = False
) -> None:
    """Every vehicle's last word, and how far each sink has come.

    Example: voltrail status --vehicle 861477038719116
    """
    from logger.commands.status import lines, read_overview

    told = read_overview(_settings(config_file), vehicle or ())
    typer.echo(msgspec.json.encode(told).decode() if as_json else "\n".join(lines(told)))


@app.command(name="import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="CSV or Parquet")],
    provider: Annotated[
        str, typer.Option(help="where the data is from; else the column `provider`, else `import`")
    ] = "",
    vehicle: Annotated[str, typer.Option(help="the vehicle's name; else the column `vehicle`")] = "",
    mappings: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=SIGNAL[:UNIT], or A+B=time; may be given again")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="leave this column out; may be given again")] = None,
    tz: Annotated[str, typer.Option(help="zone of times that carry none, such as Europe/Berlin")] = "",
    time_format: Annotated[str, typer.Option(help="format of times, as Python's strptime has it")] = "",
    config_file: ConfigFile = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Take rows from files; safe to repeat.

    Example: voltrail import ride.csv --vehicle twizy --map Soc=soc_pct --map "Date+Time=time"
    --time-format "%m/%d/%Y %H:%M:%S" --tz Africa/Casablanca --ignore Mode
    """
    from logger.commands.import_files import import_files
    from logger.sources.files.read import Options, parse_mapping

    made = tuple(parse_mapping(text) for text in mappings or ())
    options = Options(provider, vehicle, made, tuple(ignore or ()), tz, time_format)
    counts = import_files(files, options, _settings(config_file), _progress)
    if as_json:
        typer.echo(json.dumps(counts))
        return
    for path, count in counts.items():
        typer.echo(f"{count:>10,} rows  {path}")


@app.command()
def replay(
    since: Since = "",
    until: Until = "",
    vehicle: Vehicles = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Decode the stored raw messages again, and make the tables as if today's decoders had always been there.

    Works beside `voltrail run`, which takes messages all the while and delivers them afterwards. A day is made again as
    a whole, by UTC.

    Example: voltrail replay --since 2026-10-01
    """
    from logger.commands.replay import lines
    from logger.commands.replay import replay as replay_days
    from logger.service.child import set_up_logging

    set_up_logging("replay", debug=debug)
    settings = _settings(config_file)
    start, stop = _moment(since, settings, "--since"), _moment(until, settings, "--until")
    told = replay_days(settings, start, stop, vehicle, _progress)
    typer.echo(msgspec.json.encode(told).decode() if as_json else "\n".join(lines(told)))


@app.command()
def copy(
    source: Annotated[str, typer.Option("--from", help="the store to read: lake or influx")],
    target: Annotated[str, typer.Option("--to", help="the store to fill")],
    since: Since = "",
    until: Until = "",
    config_file: ConfigFile = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fill one store from the other, a day at a time; to go on after a break, run it again.

    Without a span, days are copied of which the two hold different numbers of rows. Works beside `voltrail run`.

    Example: voltrail copy --from lake --to influx --since 2026-10-01
    """
    from logger.commands.copy import copy_store as fill

    settings = _settings(config_file)
    start, stop = _moment(since, settings, "--since"), _moment(until, settings, "--until")
    told = fill(settings, source, target, start, stop, _progress)
    if as_json:
        typer.echo(msgspec.json.encode(told).decode())
        return
    for each in told:
        if each.days or each.same:
            typer.echo(
                f"{each.table:<14}{each.rows:>12,} rows of {each.days:,} days copied, {each.same:,} days the same"
            )


@app.command()
def rollup(config_file: ConfigFile = None, as_json: AsJson = False, debug: Debug = False) -> None:
    """Make 5-minute and daily rollups (`status_5m`, `status_1d`, …) of the days that changed since the last time.

    Example: voltrail rollup
    """
    from analytics.rolling import lines, roll
    from logger.commands.copy import follow_lake
    from logger.stores import open_lake

    settings = _settings(config_file)
    told = roll(open_lake(settings), settings.data_dir, _progress)
    typer.echo(msgspec.json.encode(told).decode() if as_json else "\n".join(lines(told)))
    follow_lake(settings)


@app.command()
def analyze(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="tables such as trips; else all")
    ] = None,
    source: Annotated[str, typer.Option("--from", help="the store to read: lake or influx")] = "lake",
    since: Since = "",
    until: Until = "",
    vehicle: Vehicles = None,
    config_file: ConfigFile = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make trips, charges and what else follows from the stored rows; safe to repeat.

    Without a name, span, store or vehicle, only what is new since the last time is looked at.

    Example: voltrail analyze trips --since 2026-10-01
    """
    from analytics.jobs import Wish, lines
    from analytics.jobs import analyze as make
    from logger.commands.copy import follow_lake

    settings = _settings(config_file)
    start, stop = _moment(since, settings, "--since"), _moment(until, settings, "--until")
    told = make(settings, Wish(tuple(names or ()), source, start, stop, tuple(vehicle or ())), _progress)
    typer.echo(msgspec.json.encode(told).decode() if as_json else "\n".join(lines(told)))
    follow_lake(settings)


@app.command()
def export(
    table: Annotated[str, typer.Argument(help="a table, such as status; or gpx: the track of one trip")],
    out: Annotated[Path | None, typer.Option(help="the file to write; else stdout")] = None,
    form: Annotated[str, typer.Option("--format", help="csv, parquet, ndjson or xlsx")] = "csv",
    since: Since = "",
    until: Until = "",
    vehicle: Vehicles = None,
    trip: Annotated[str, typer.Option(help="with gpx: the trip_id of a trip")] = "",
    config_file: ConfigFile = None,
    debug: Debug = False,
) -> None:
    """Write a table, one row per key, as a file; or one trip's track: voltrail export gpx --trip ID.

    Example: voltrail export status --since 2026-10-01 --until 2026-11-01 --format parquet --out october.parquet
    """
    from logger import tables
    from logger.commands.export import FORMATS
    from logger.commands.export import export_rows as export
    from logger.stores import open_lake

    if form not in FORMATS:
        raise ConfigError(f"--format {form!r} is none of {', '.join(FORMATS)}")
    settings = _settings(config_file)
    if trip or table == "gpx":
        _export_track(table, trip, settings, out)
        return
    shape = tables.table(table)
    start, stop = _moment(since, settings, "--since"), _moment(until, settings, "--until")
    rows = open_lake(settings).scan(table, start, stop, vehicle)
    export(rows.sort(shape.key), form, out or sys.stdout.buffer)


def _export_track(table: str, trip: str, settings: schema.Settings, out: Path | None) -> None:
    from analytics.gpx import track
    from logger.commands.export import write_bytes
    from logger.stores import open_lake

    if table != "gpx" or not trip:
        raise ConfigError(
            "one trip's track is `voltrail export gpx --trip ID`, with a trip_id of `voltrail export trips`"
        )
    write_bytes(track(open_lake(settings), trip, settings.places), out or sys.stdout.buffer)


def _compare(names: tuple[str, str], settings: schema.Settings, as_json: bool) -> None:
    from logger.commands.copy import compare_stores as compare
    from logger.stores.compare import difference_lines

    found, waiting = compare(settings, *names, _progress)
    if as_json:
        typer.echo(msgspec.json.encode({"differences": found, "waiting": waiting}).decode())
    else:
        typer.echo("\n".join(difference_lines(found, names)))
        for sink, messages in waiting.items():
            if messages:
                typer.echo(f"{messages:,} messages still wait for the {sink}")
    if found:
        first = "count again when nothing waits; then " if any(waiting.values()) else ""
        raise LoggerError(f"{len(found)} days of tables differ: {first}`voltrail copy` mends them")


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{text}", err=True, nl=False)


def _told(error: BaseException) -> tuple[str, int]:
    """What to say of a failure, in one line, and the exit code."""
    if isinstance(error, typer.TyperException):  # words on the command line that do not fit
        return error.format_message() if hasattr(error, "format_message") else str(error), 2
    if isinstance(error, LoggerError):
        return str(error), 2 if isinstance(error, ConfigError) else 1
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", 130
    return f"{type(error).__name__}: {error} (--debug shows where)", 1


def main() -> None:
    """The console script."""
    try:
        sys.exit(app(standalone_mode=False) or 0)
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, OSError) and "Broken pipe" in str(error):  # whoever read us has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        if "--debug" in sys.argv:
            raise
        text, code = _told(error)
        typer.echo(f"voltrail: {' '.join(text.split())}", err=True)
        sys.exit(code)


if __name__ == "__main__":
    main()
