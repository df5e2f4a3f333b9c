"""Operations: what a crew has to do today, and what happened to vehicles while nobody rode them."""

from dashboards.kit import style
from dashboards.kit.charts import places
from dashboards.kit.influxql import LAST_QUARTER, VISITS, either, named, newest, newest_rows, outer, sample, select
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, columns, daily, number
from dashboards.kit.tables import TO_VEHICLE, rows

_RELOCATED = "\"code\" = 'relocated'"
# Codes of alerts of Segway, see logger/sources/segway/messages.py
_MOVED, _FELL, _TAKEN_OUT = ["1"], ["2", "4"], ["10", "11"]
_ALERT = "\"kind\" = 'alert'"


def page() -> Page:
    """The crew's list."""
    return Page(
        uid="voltrail-operations",
        title="Operations",
        text="What a crew has to do today, and what happened to vehicles while nobody rode them.",
        low=True,
        rows=[
            ("Today", [due(), below_now(), moved(), fell(), carried(), packs_out()]),
            ("Swaps and idle vehicles", [swap_map(), idle(), swaps_due(), idle_share()]),
            ("Without a rider", [moved_locked(), relocations(), relocated_per_day(), pushed()]),
            ("Service", [service(), odometers(), helmets(), visits()]),
        ],
    )


def due() -> Panel:
    return number(
        "Expected swaps",
        "How many vehicles will be low when the crew comes next? Sum of the probabilities of all vehicles.",
        outer('sum("below_at_next_service") AS "due"', newest("below_at_next_service", "forecast")),
        "due",
    )


def below_now() -> Panel:
    inner = newest("soc_pct", "status")
    return number(
        "Low now",
        "How many vehicles are low now? Those whose newest reported charge is below the percentage chosen above.",
        outer('count("soc_pct") AS "low"', inner, '"soc_pct" < ${low:raw}'),
        "low",
        limits=style.high_is_bad(1, 5),
    )


def moved() -> Panel:
    return _alerts("Moved while locked", "How often were locked vehicles moved?", _MOVED)


def fell() -> Panel:
    return _alerts("Fell over", "How often did vehicles fall over?", _FELL)


def carried() -> Panel:
    return number(
        "Carried away",
        "How often were vehicles carried? Positions that changed while the odometer stood still.",
        select('count("count") AS "episodes"', "episodes", _RELOCATED),
        "episodes",
    )


def packs_out() -> Panel:
    return _alerts("Packs taken out", "How often was a pack taken out?", _TAKEN_OUT)


def swap_map() -> Panel:
    return places(
        "Where packs were swapped",
        "Where does the crew swap? Positions of swaps in the chosen range, by the charge that was left.",
        sample('"lat_deg", "lon_deg", "soc_start_pct"', "charges", "\"kind\" = 'swap'"),
        colour="soc_start_pct",
        limits=style.low_is_bad(10, 20),
        height=18,
    )


def idle() -> Panel:
    return rows(
        "Idle vehicles",
        "Which vehicles does nobody use? The end of each vehicle's newest trip in the last 90 days, oldest first.",
        select(
            'last("finished_at") AS "finished_at", "finish_place", "distance_m"',
            "trips",
            span=LAST_QUARTER,
            by=["vehicle"],
        ),
        "vehicle",
        "finished_at",
        "distance_m",
        sort="finished_at",
        ascending=True,
        links=[TO_VEHICLE],
    )


def swaps_due() -> Panel:
    return rows(
        "Swap list",
        "Which packs should be swapped first? Charge and the moment with even odds, soonest first.",
        newest("t50", "forecast", also=["soc_pct", "t10"]),
        "vehicle",
        "soc_pct",
        "t10",
        "t50",
        sort="t50",
        ascending=True,
        links=[TO_VEHICLE],
        limits={"soc_pct": style.low_is_bad(10, 20)},
    )


def idle_share() -> Panel:
    return daily(
        "Vehicles without a trip",
        "How many vehicles stood all day? Vehicles with a row for the day and no trip on it.",
        named(select('count("trips")', "consumption", '"trips" = 0', every="15m"), "vehicles"),
        unit="short",
        low=0,
        width=24,
    )


def moved_locked() -> Panel:
    return rows(
        "Alerts while nobody rode",
        "Which vehicles were moved, fell or lost a pack? Alerts of these kinds in the chosen range, newest first.",
        newest_rows(
            '"vehicle", "started_at", "finished_at", "code", "text", "open"', "episodes", _ALERT,
            either("code", [*_MOVED, *_FELL, *_TAKEN_OUT]),
        ),
        "started_at",
        "finished_at",
        "vehicle",
        "code",
        "text",
        "open",
        sort="started_at",
        links=[TO_VEHICLE],
    )  # fmt: skip


def relocations() -> Panel:
    return rows(
        "Relocations",
        "Which vehicles were carried, and how far? Positions that changed while the odometer stood still.",
        newest_rows('"vehicle", "started_at", "finished_at", "text"', "episodes", _RELOCATED),
        "started_at",
        "finished_at",
        "vehicle",
        "text",
        sort="started_at",
        links=[TO_VEHICLE],
    )


def relocated_per_day() -> Panel:
    return columns(
        "Relocations and falls",
        "When were vehicles carried or overturned? Episodes by the day of their start, in UTC.",
        named(select('count("started_at")', "episodes", _RELOCATED, every="1d"), "carried"),
        named(select('count("started_at")', "episodes", _ALERT, either("code", _FELL), every="1d"), "fell"),
        named(select('count("started_at")', "episodes", _ALERT, either("code", _MOVED), every="1d"), "moved"),
        unit="short",
    )


def pushed() -> Panel:
    return rows(
        "Metres without a trip",
        "Which vehicles were pushed? Metres while locked, out of service, or too few for a trip, by vehicle.",
        select('sum("pushed_m") AS "pushed_m", max("pushed_m") AS "most_on_a_day_m"', "coverage", by=["vehicle"]),
        "vehicle",
        "pushed_m",
        "most_on_a_day_m",
        sort="pushed_m",
        links=[TO_VEHICLE],
    )


def service() -> Panel:
    return rows(
        "Service due",
        "Which vehicles need service? Distance and days left, as vehicles report them; below 0 is overdue.",
        newest("service_in_m", "status", also=["service_in_d", "odometer_m"]),
        "vehicle",
        "service_in_m",
        "service_in_d",
        "odometer_m",
        sort="service_in_m",
        ascending=True,
        links=[TO_VEHICLE],
        limits={"service_in_d": style.low_is_bad(0, 30), "service_in_m": style.low_is_bad(0, 500_000)},
    )


def odometers() -> Panel:
    return rows(
        "Odometers",
        "Which vehicles have gone farthest? The newest odometer and riding time of each, highest first.",
        newest("odometer_m", "status", also=["ride_time_s"]),
        "vehicle",
        "odometer_m",
        "ride_time_s",
        sort="odometer_m",
        links=[TO_VEHICLE],
    )


def helmets() -> Panel:
    return rows(
        "Helmets",
        "Which vehicles lack a helmet? The newest count of each compartment, fewest first.",
        newest("helmets_tailbox", "body", also=["helmets_seat"]),
        "vehicle",
        "helmets_seat",
        "helmets_tailbox",
        sort="helmets_tailbox",
        ascending=True,
        links=[TO_VEHICLE],
    )


def visits() -> Panel:
    return rows(
        "Vehicles in places",
        "Which vehicles are where they should be? Stays in places that last, of the last 90 days, longest first.",
        select('"vehicle", "code", "started_at"', "episodes", *VISITS, '"open" = true', span=LAST_QUARTER),
        "code",
        "vehicle",
        "started_at",
        sort="started_at",
        ascending=True,
        links=[TO_VEHICLE],
    )


def _alerts(title: str, question: str, codes: list[str]) -> Panel:
    return number(
        title,
        f"{question} Alerts of this kind that began in the chosen range.",
        select('count("count") AS "episodes"', "episodes", _ALERT, either("code", codes)),
        "episodes",
    )
