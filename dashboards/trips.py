"""Trips: how many, how far, how fast, at what cost, and how sure all that is."""

from dashboards.kit.charts import places, points
from dashboards.kit.influxql import named, newest_rows, sample, select, text
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, columns, daily, distribution, number
from dashboards.kit.tables import TO_TRIP, TO_VEHICLE, rows
from logger.derived_tables import DISTANCE_SOURCES, TRIP_KINDS

_DAY = "1d"


def page() -> Page:
    """All trips of the chosen vehicles."""
    return Page(
        uid="voltrail-trips",
        title="Trips",
        text="How many trips there were, how far, how fast, at what cost, and how sure all that is.",
        rows=[
            ("In sum", [count(), distance(), median_distance(), median_duration(), median_speed(), consumption()]),
            ("Every trip", [every()]),
            ("How they differ", [distances(), durations(), speeds(), speed_and_use(), starts()]),
            ("How sure they are", [kinds(), sources(), readings(), uncertainty(), flagged(), fastest()]),
        ],
    )


def count() -> Panel:
    return _figure("Trips", "How many trips were there?", 'count("distance_m") AS "trips"', "trips")


def distance() -> Panel:
    return _figure("Distance", "How far did they go?", 'sum("distance_m") AS "distance_m"', "distance_m")


def median_distance() -> Panel:
    return _figure("Median distance", "How long is a trip?", 'median("distance_m") AS "distance_m"', "distance_m")


def median_duration() -> Panel:
    return _figure("Median duration", "How long does one take?", 'median("duration_s") AS "duration_s"', "duration_s")


def median_speed() -> Panel:
    what = 'median("mean_speed_kmh") AS "mean_speed_kmh"'
    return _figure("Median speed", "How fast are trips, standing left out?", what, "mean_speed_kmh")


def consumption() -> Panel:
    what = 'median("wh_per_km") AS "wh_per_km"'
    return _figure("Median consumption", "How much energy does a kilometre take?", what, "wh_per_km")


def every() -> Panel:
    return rows(
        "Trips",
        "Which trips were there? Newest first; the start of a trip leads to its details, the vehicle to the vehicle.",
        newest_rows(
            '"vehicle", "kind", "started_at", "finished_at", "duration_s", "distance_m", "mean_speed_kmh", '
            '"soc_used_pct", "energy_wh", "energy_low_wh", "energy_high_wh", "wh_per_km", "flags"',
            "trips",
        ),
        "started_at",
        "finished_at",
        "vehicle",
        "kind",
        "duration_s",
        "distance_m",
        "mean_speed_kmh",
        "soc_used_pct",
        "energy_wh",
        "energy_low_wh",
        "energy_high_wh",
        "wh_per_km",
        "flags",
        sort="started_at",
        links=[TO_TRIP, TO_VEHICLE],
        width=24,
        height=12,
    )


def distances() -> Panel:
    return distribution(
        "Distances",
        "Are trips short or long? Number of trips by their distance, in steps of 1 km.",
        sample('"distance_m"', "trips"),
        "distance_m",
        size=1000,
    )


def durations() -> Panel:
    return distribution(
        "Durations",
        "How long do trips take? Number of trips by their duration, in steps of 5 min.",
        sample('"duration_s"', "trips", "\"kind\" != 'inferred'"),
        "duration_s",
        size=300,
    )


def speeds() -> Panel:
    return distribution(
        "Speeds",
        "How fast are trips? Number of trips by their mean speed in motion, in steps of 2 km/h.",
        sample('"mean_speed_kmh"', "trips"),
        "mean_speed_kmh",
        size=2,
    )


def speed_and_use() -> Panel:
    return points(
        "Speed and consumption",
        "Does speed cost energy? One point a trip.",
        sample('"mean_speed_kmh", "wh_per_km"', "trips", '"distance_m" > 500'),
        "mean_speed_kmh",
        "wh_per_km",
    )


def starts() -> Panel:
    return places(
        "Where trips start",
        "Where do trips start? The position at which the vehicle stood before.",
        sample('"start_lat_deg", "start_lon_deg"', "trips"),
        lat="start_lat_deg",
        lon="start_lon_deg",
        height=8,
    )


def kinds() -> Panel:
    return columns(
        "Trips by how they are known",
        "Were trips seen? Observed: messages all the way. Bridged: counters close a gap. Inferred: only counters or "
        "positions prove that they happened. By the day of the start, in UTC.",
        *(
            named(select('count("distance_m")', "trips", f'"kind" = {text(kind)}', every=_DAY), kind)
            for kind in TRIP_KINDS
        ),
        unit="short",
    )


def sources() -> Panel:
    return columns(
        "Distance by what measured it",
        "What were distances measured with? Odometer, speed or positions; the last two are lower bounds.",
        *(
            named(select('sum("distance_m")', "trips", f'"distance_source" = {text(source)}', every=_DAY), source)
            for source in DISTANCE_SOURCES
        ),
        unit="lengthm",
    )


def readings() -> Panel:
    return daily(
        "Readings that arrived",
        "How complete are the readings of trips? Readings as a share of those that a trip of this length has, mean and "
        "worst tenth of the day.",
        named(select('mean("coverage")', "trips", every=_DAY), "mean"),
        named(select('percentile("coverage", 10)', "trips", every=_DAY), "worst tenth"),
        unit="percentunit",
        low=0,
        high=1,
    )


def uncertainty() -> Panel:
    return daily(
        "Uncertainty of start and end",
        "How sure are the times of trips? Nineteen of twenty starts and ends are not farther away; median of the day.",
        named(select('median("start_uncertainty_s")', "trips", every=_DAY), "start"),
        named(select('median("finish_uncertainty_s")', "trips", every=_DAY), "end"),
        unit="dtdurations",
    )


def flagged() -> Panel:
    return rows(
        "Trips with a remark",
        "Which trips need care before they are used? Trips with flags; what each flag means is in docs/results.md.",
        newest_rows(
            '"vehicle", "started_at", "finished_at", "kind", "distance_m", "flags"', "trips", "\"flags\" != ''"
        ),
        "started_at",
        "finished_at",
        "vehicle",
        "kind",
        "distance_m",
        "flags",
        sort="started_at",
        links=[TO_TRIP],
    )


def fastest() -> Panel:
    return rows(
        "Highest speeds",
        "Who rides fastest? The highest speed that each vehicle reported on a trip.",
        select('max("max_speed_kmh") AS "max_speed_kmh", "started_at", "finished_at"', "trips", by=["vehicle"]),
        "vehicle",
        "max_speed_kmh",
        "started_at",
        "finished_at",
        sort="max_speed_kmh",
        links=[TO_TRIP, TO_VEHICLE],
        most=50,
    )


def _figure(title: str, question: str, what: str, field: str) -> Panel:
    return number(title, f"{question} Of all trips that began in the chosen range.", select(what, "trips"), field)
