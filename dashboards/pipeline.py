"""Coverage and pipeline: what should have come and what came, how late, and whether it is all accounted for."""

from dashboards.kit import style
from dashboards.kit.influxql import DAY, NO_FILTER, named, select
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, columns, daily, lines, number
from dashboards.kit.tables import TO_VEHICLE, rows

_METRES = (("trips_m", "on trips"), ("pushed_m", "pushed or locked"), ("unplaced_m", "in no trip"))
_FINDINGS = "\"kind\" = 'pipeline'"


def page() -> Page:
    """The logger looked at from outside."""
    return Page(
        uid="voltrail-pipeline",
        title="Coverage and pipeline",
        text="What should have come and what came, how late, and whether every metre is accounted for.",
        rows=[
            ("In sum", [received(), repeated(), late(), accounted(), running(), spool()]),
            ("Messages", [per_day(), share(), late_share(), latency(), gaps(), by_source()]),
            ("Metres", [metres(), unplaced(), worst()]),
            ("Collector", [spool_over_time(), waiting(), quarantined(), findings()]),
        ],
    )


def received() -> Panel:
    return _figure("Messages", "How many messages came?", 'sum("received") AS "received"', "received")


def repeated() -> Panel:
    what = 'sum("duplicates") / sum("received") AS "repeated_share"'
    return _figure("Repeated", "How many of them were repeats?", what, "repeated_share")


def late() -> Panel:
    what = 'sum("late") / sum("received") AS "late_share"'
    return _figure("Late", "How many came more than 60 s after their time?", what, "late_share")


def accounted() -> Panel:
    what = 'sum("trips_m") / sum("odometer_m") AS "on_trips_share"'
    return _figure("Metres on trips", "How much of the odometers' rise lies on trips?", what, "on_trips_share")


def running() -> Panel:
    return number(
        "Minutes collected",
        "Did the collector run? Minutes in which it wrote its heartbeat, in the chosen range.",
        select('count("sequence") AS "minutes"', "collector", only=NO_FILTER),
        "minutes",
    )


def spool() -> Panel:
    return number(
        "Spool",
        "How full is the spool? Its newest size as a share of `max_bytes`; beyond that, pushes are refused.",
        select('last("spool_share") AS "spool_share"', "collector", only=NO_FILTER),
        "spool_share",
        limits=style.high_is_bad(0.5, 0.9),
    )


def per_day() -> Panel:
    return columns(
        "Expected and received",
        "Did the messages come? Messages received by local day, beside those that vehicles of this use send in a day.",
        named(select('sum("expected")', "coverage", every=DAY), "expected"),
        named(select('sum("received")', "coverage", every=DAY), "received"),
        unit="short",
        stacked=False,
    )


def share() -> Panel:
    return rows(
        "Vehicles with the most gaps",
        "Whose messages are missing? Received over expected messages, and the longest gap, by vehicle, worst first.",
        select(
            'sum("received") / sum("expected") AS "received_share", sum("received") AS "received", '
            'sum("expected") AS "expected", max("longest_gap_s") AS "longest_gap_s"',
            "coverage",
            by=["vehicle"],
        ),
        "vehicle",
        "received_share",
        "received",
        "expected",
        "longest_gap_s",
        sort="longest_gap_s",
        links=[TO_VEHICLE],
    )


def late_share() -> Panel:
    return columns(
        "Late and repeated messages",
        "How disturbed is the way here? Messages that came late or again, by local day.",
        named(select('sum("late")', "coverage", every=DAY), "late"),
        named(select('sum("duplicates")', "coverage", every=DAY), "repeated"),
        unit="short",
        stacked=False,
    )


def latency() -> Panel:
    return daily(
        "Latency",
        "How long are messages on their way? Median time from the vehicle's clock to the receipt: of the median and of "
        "the slowest vehicle.",
        named(select('median("median_latency_s")', "coverage", every=DAY), "median vehicle"),
        named(select('max("median_latency_s")', "coverage", every=DAY), "slowest vehicle"),
        unit="dtdurations",
    )


def gaps() -> Panel:
    return columns(
        "Vehicles with a long gap",
        "How many vehicles were silent for hours? Vehicles whose longest gap of the day lasted over one and six hours.",
        named(select('count("longest_gap_s")', "coverage", '"longest_gap_s" > 3600', every=DAY), "over 1 h"),
        named(select('count("longest_gap_s")', "coverage", '"longest_gap_s" > 21600', every=DAY), "over 6 h"),
        unit="short",
        stacked=False,
    )


def by_source() -> Panel:
    return columns(
        "Messages by account",
        "Which account do messages come through? Messages received by hour of receipt and account.",
        named(select('sum("received")', "intake", by=["source"], every="1h"), "$tag_source"),
        unit="short",
    )


def metres() -> Panel:
    return columns(
        "Metres by what they are",
        "Is every metre accounted for? The odometers' rise by local day: on trips, pushed or locked, and in no trip.",
        *(named(select(f'sum("{column}")', "coverage", every=DAY), name) for column, name in _METRES),
        unit="lengthm",
    )


def unplaced() -> Panel:
    return daily(
        "Metres in no trip",
        "How much of the distance is in no trip? Metres around hidden stops as a share of the odometers' rise.",
        named(select('sum("unplaced_m") / sum("odometer_m")', "coverage", '"odometer_m" > 0', every=DAY), "in no trip"),
        unit="percentunit",
        low=0,
    )


def worst() -> Panel:
    return rows(
        "Metres of vehicles",
        "Whose metres are not on trips? The odometer's rise of each vehicle, and what of it is on no trip.",
        select(
            ", ".join(f'sum("{name}") AS "{name}"' for name in ("odometer_m", "trips_m", "pushed_m", "unplaced_m")),
            "coverage",
            by=["vehicle"],
        ),
        "vehicle",
        "odometer_m",
        "trips_m",
        "pushed_m",
        "unplaced_m",
        sort="unplaced_m",
        links=[TO_VEHICLE],
        width=24,
    )


def spool_over_time() -> Panel:
    return lines(
        "Spool",
        "Does the spool fill? Its size as a share of `max_bytes`, highest of each interval.",
        named(select('max("spool_share")', "collector", only=NO_FILTER, every="$__interval", fill="null"), "spool"),
        unit="percentunit",
        low=0,
        limits=style.high_is_bad(0.5, 0.9),
    )


def waiting() -> Panel:
    return lines(
        "Messages that wait",
        "Is a store behind? Messages in the spool that the lake, or InfluxDB, has not taken yet.",
        *(
            named(select(f'max("{sink}_waiting")', "collector", only=NO_FILTER, every="$__interval", fill="null"), name)
            for sink, name in (("lake", "lake"), ("influx", "InfluxDB"))
        ),
        unit="short",
    )


def quarantined() -> Panel:
    return number(
        "In quarantine",
        "Was anything unreadable? Messages and rows that the feeder of the lake put into quarantine since it started.",
        select('last("quarantined") AS "quarantined"', "collector", only=NO_FILTER),
        "quarantined",
        limits=style.high_is_bad(1, 100),
        width=12,
    )


def findings() -> Panel:
    return rows(
        "Findings",
        "What did analyses find odd? Relocations, wrong clocks, odometers that leapt, journals that differ; by code.",
        select('count("count") AS "episodes"', "episodes", _FINDINGS, "\"system\" != 'place'", by=["code"]),
        "code",
        "episodes",
        sort="episodes",
    )


def _figure(title: str, question: str, what: str, field: str) -> Panel:
    return number(title, f"{question} Of the local days in the chosen range.", select(what, "coverage"), field)
