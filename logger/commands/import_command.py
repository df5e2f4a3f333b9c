"""`voltrail import` on the command line."""

from logger.commands import options as opt
from logger.commands import output
from logger.errors import ConfigError


def import_(
    files: opt.Files = None, provider: opt.Provider = "", vehicle: opt.VehicleName = "", form: opt.Preset = "",
    list_formats: opt.ListFormats = False, mappings: opt.Mappings = None, ignore: opt.Ignored = None,
    only_mapped: opt.OnlyMapped = False, long: opt.Long = "", tz: opt.Zone = "", time_format: opt.TimeFormat = "",
    separator: opt.Separator = "", decimal: opt.Decimal = "", encoding: opt.Encoding = "", quote: opt.Quote = "",
    compression: opt.Compression = "", columns: opt.Columns = "", null: opt.NothingWords = None,
    true: opt.TrueWords = None, false: opt.FalseWords = None, label: opt.Label = None, model: opt.Model = None,
    group: opt.Group = None, plate: opt.Plate = None, capacity_wh: opt.Capacity = None,
    lock: opt.LockMeaning = None, swappable: opt.Swappable = None, cadence_s: opt.Cadence = None,
    config: opt.ConfigFile = None, as_json: opt.AsJson = False, debug: opt.Debug = False,
) -> None:  # fmt: skip
    """Import rows from files; safe to repeat.

    Separator, encoding, decimal comma, times and words for nothing are found out. A row that cannot be right is set
    aside; more than one in a hundred refuses the file.

    Example: voltrail import ride.csv --vehicle twizy --map Soc=soc_pct --map "Date+Time=time"
    --time-format "%m/%d/%Y %H:%M:%S" --tz Africa/Casablanca --ignore Mode
    """
    from logger.commands.import_files import formats, import_files, view
    from logger.commands.import_vehicles import Description
    from logger.sources.files.options import Options, Words, parse_dialect, parse_long, parse_mapping
    from logger.sources.files.presets import preset

    if list_formats:
        known = formats()
        return output.show(known, as_json, lambda _: [output.Table(("format", "what"), list(known.items()))])
    if not files:
        raise ConfigError("which files? `voltrail import FILE...`, or `voltrail import --list-formats`")
    if form:
        preset(form)
    dialect = parse_dialect(separator, decimal, encoding, quote, compression, columns)
    words = Words(tuple(null or ()), tuple(true or ()), tuple(false or ()))
    options = Options(
        provider, vehicle, tuple(map(parse_mapping, mappings or ())), tuple(ignore or ()), tz, time_format, form,
        parse_long(long), only_mapped, dialect, words,
    )  # fmt: skip
    description = Description(label, model, group, plate, lock, swappable, cadence_s, capacity_wh)
    with output.progress() as progress:
        summaries = import_files(files, options, opt.settings_of(config), progress, description)
    output.show(summaries, as_json, view)
