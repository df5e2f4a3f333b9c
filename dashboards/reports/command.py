"""`voltrail report`: a report for people, as a page, on paper, as a workbook or as rows."""

from logger.commands import options as opt
from logger.commands import output
from logger.commands.data_output import data_file
from logger.commands.options import ConfigFile, Debug, Vehicles, settings_of


def report(
    kind: opt.ReportName, period: opt.PeriodOfReport = "", compare: opt.OtherPeriod = "", vehicle: Vehicles = None,
    out: opt.ReportFile = None, config: ConfigFile = None, debug: Debug = False,
) -> None:  # fmt: skip
    """Write a report for people: a page, PDF, sheet or CSV.

    Example: voltrail report consumption --period 2026-10 --compare 2026-09 --out october.html
    """
    from dashboards.reports import make
    from dashboards.reports.files import content
    from dashboards.reports.period import parse_period
    from logger.commands.export import write_bytes
    from logger.stores import open_lake

    settings = settings_of(config)
    days = parse_period(period, "--period") if period else None
    other = parse_period(compare, "--compare") if compare else None
    with output.progress(hidden=out is None) as progress:
        progress(f"reading what the report of {kind} tells")
        data = make.open_data(open_lake(settings), settings, days, vehicle or ())
        found = make.report(kind, data, other)
        progress("writing")
        write_bytes(content(found, data.formats, out.suffix.lower() if out else ".html"), data_file(out))
