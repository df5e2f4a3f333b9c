"""Which column of a file is what: the plan by which its rows are made."""

import shlex
from collections.abc import Mapping, Sequence

import msgspec

from logger.errors import ConfigError
from logger.signals import SIGNALS, signal
from logger.sources.files.layout import Header
from logger.sources.files.likely import advice, likely_target, mapping_options
from logger.sources.files.options import KEYS, ColumnMapping, Options
from logger.sources.files.presets import sheet_of
from logger.sources.files.presets.contract import Moment, Preset, Sheet
from logger.suggest import nearest

_UNNAMED = ("", "Unnamed: 0")  # a comma at the end of each line, and the index of a data frame


class RowPlan(msgspec.Struct, frozen=True):
    """How a row of the file gives a row of ours. With `optional`, it gives none where it has no time."""

    time: tuple[str, ...]
    signals: tuple[ColumnMapping, ...]
    constants: Mapping[str, str] = {}
    optional: bool = False


class Plan(msgspec.Struct, frozen=True):
    """Which columns hold what; `vehicle` and so on are empty where no column does.

    With `fills_vehicle`, a row without a vehicle is of the same one as the row before it.
    """

    rows: tuple[RowPlan, ...]
    vehicle: str = ""
    provider: str = ""
    port: str = ""
    fills_vehicle: bool = False


def plan_of(
    header: Header, options: Options, preset: Preset | None, table: str = "", entities: Sequence[str] = ()
) -> Plan | None:
    """Return the plan for rows with these columns; None for a table of a dump that no preset reads.

    `entities` are those of the first rows, where they look like a long table. Raises `ConfigError`, which names all
    columns that nobody mapped.
    """
    if preset is None and table:
        raise ConfigError("a dump of a PostgreSQL database: use --format teslamate where it is TeslaMate's")
    if preset is None:
        return _own_plan(header, options, entities)
    sheet = sheet_of(preset, header.names, table)
    if sheet is None and table:
        return None
    if sheet is None:
        wanted = " or ".join(", ".join(each.marks) for each in preset.sheets)
        raise ConfigError(f"--format {preset.name}: this is none of its files, which have the columns {wanted}")
    return _preset_plan(header, options, sheet)


def check_twice(header: Header, used: Sequence[str]) -> None:
    """Raise `ConfigError` for a column that is used and that the file has twice."""
    twice = next((name for name in used if header.is_twice(name)), None)
    if twice:
        name = shlex.quote(twice)
        raise ConfigError(
            f"column {twice!r} is there twice: rename one in the header, or leave both out with --ignore {name}"
        )


def pack_needs_port(port: str, signals: Sequence[ColumnMapping]) -> None:
    """Raise `ConfigError` where signals of packs have no port."""
    if not port and any(signal(each.to).table == "pack" for each in signals):
        raise ConfigError("a pack needs its port: add a column `port`, or --map COLUMN=port")


# ---- by a preset ---------------------------------------------------------------------------------------------------


def _preset_plan(header: Header, options: Options, sheet: Sheet) -> Plan:
    """The preset's fields that the file has; a mapping of the options takes the place of one with its target."""
    check_columns(header, options)
    own = {each.to for each in options.mappings}
    first = sheet.moments[0].fields
    keys = {each.to: each.columns[0] for each in (*first, *options.mappings) if _has(each, header)}
    rows = tuple(
        RowPlan(
            _time_columns(moment, header, options),
            (*(each for each in options.mappings if each.to in SIGNALS), *_signals(moment, header, own, options)),
            moment.constants,
            optional=at > 0,
        )
        for at, moment in enumerate(sheet.moments)
    )
    check_twice(header, [name for row in rows for each in row.signals for name in each.columns])
    vehicle = "" if "vehicle" in options.ignore else keys.get("vehicle", "")
    return Plan(rows, vehicle, keys.get("provider", ""), keys.get("port", ""), fills_vehicle="vehicle" not in own)


def _has(mapping: ColumnMapping, header: Header) -> bool:
    return all(name in header.names for name in mapping.columns)


def _signals(moment: Moment, header: Header, own: set[str], options: Options) -> list[ColumnMapping]:
    """The first field of each target whose column the file has."""
    found: dict[str, ColumnMapping] = {}
    for each in moment.fields:
        if each.to in SIGNALS and each.to not in own and _has(each, header) and each.columns[0] not in options.ignore:
            found.setdefault(each.to, each)
    return list(found.values())


def _time_columns(moment: Moment, header: Header, options: Options) -> tuple[str, ...]:
    own = next((each.columns for each in options.mappings if each.to == "time"), None)
    choices = [tuple(each.split("+")) for each in moment.times]
    found = own or next((each for each in choices if set(each) <= set(header.names)), None)
    if found is None:
        raise ConfigError(f"no column of times, such as {moment.times[0]!r}: name it with --map COLUMN=time")
    return found


# ---- by the options ------------------------------------------------------------------------------------------------


def _own_plan(header: Header, options: Options, entities: Sequence[str]) -> Plan:
    mappings = _mappings(header, options, entities)
    signals = tuple(each for each in mappings if each.to in SIGNALS)
    if not signals:
        found = mapping_options(header.names)
        likely = f", such as {found}" if found else ""
        raise ConfigError(f"no column holds a signal: name some with --map COLUMN=SIGNAL{likely}")
    keys = {each.to: each.columns for each in mappings if each.to in KEYS}
    pack_needs_port(("port" in keys and keys["port"][0]) or "", signals)
    if "time" not in keys:
        raise ConfigError(f"no column `time`: name it with --map COLUMN=time{_such_as(header, 'time')}")
    one = {name: columns[0] for name, columns in keys.items()}
    return Plan((RowPlan(keys["time"], signals),), one.get("vehicle", ""), one.get("provider", ""), one.get("port", ""))


def _such_as(header: Header, target: str) -> str:
    likely = next((name for name in header.names if likely_target(name) == target), None)
    return f", such as --map {shlex.quote(f'{likely}={target}')}" if likely else ""


def no_vehicle(header: Header) -> ConfigError:
    """Return the error for a file that names no vehicle."""
    return ConfigError(
        f"no column `vehicle`: name it with --vehicle NAME or --map COLUMN=vehicle{_such_as(header, 'vehicle')}"
    )


def _mappings(header: Header, options: Options, entities: Sequence[str]) -> list[ColumnMapping]:
    """The mappings of the options and, of the other columns, those named as signals or keys."""
    check_columns(header, options)
    taken = {column for each in options.mappings for column in each.columns} | set(options.ignore) | set(_UNNAMED)
    named = [name for name in dict.fromkeys(header.names) if name not in taken]
    unknown = [name for name in named if name not in SIGNALS and name not in KEYS]
    if unknown and not options.only_mapped:
        raise ConfigError(_unknown(unknown, header, entities))
    known = [name for name in named if name not in unknown]
    check_twice(header, [*known, *(name for each in options.mappings for name in each.columns)])
    targets = [*(each.to for each in options.mappings), *known]
    twice = next((target for target in targets if targets.count(target) > 1), None)
    if twice:
        raise ConfigError(f"two columns for {twice}: leave one out with --ignore")
    return [*options.mappings, *(ColumnMapping((name,), name) for name in known)]


def check_columns(header: Header, options: Options) -> None:
    """Raise `ConfigError` for an option that names a column which is not there."""
    for option, names in (
        ("--map", [n for each in options.mappings for n in each.columns]),
        ("--ignore", options.ignore),
    ):
        for name in names:
            if name not in header.names:
                raise ConfigError(f"{option}: there is no column {name!r}{nearest(name, header.names)}")


def _unknown(names: Sequence[str], header: Header, entities: Sequence[str]) -> str:
    """What is wrong with columns that nobody mapped, and what to do: all of them at once."""
    if looks := advice(header.names):
        example = mapping_options(entities) or "--map ENTITY=SIGNAL:UNIT for each entity"
        return f"unknown column{_plural(names)}: this {looks}{f' {example}' if entities else ''}"
    likely = mapping_options(names)
    if len(names) == 1:
        name = shlex.quote(names[0])
        use = likely or f"--map {shlex.quote(f'{names[0]}=SIGNAL')}"
        return f"unknown column {names[0]!r}{nearest(names[0], (*SIGNALS, *KEYS))}: use {use} or --ignore {name}"
    mapped = f"map the likely ones with {likely} and " if likely else "map some with --map COLUMN=SIGNAL:UNIT, or "
    return f"unknown column{_plural(names)}: {mapped}leave the others out with --only-mapped"


def _plural(names: Sequence[str]) -> str:
    return ("s " if len(names) > 1 else " ") + ", ".join(map(repr, names))
