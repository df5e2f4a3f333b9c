"""Fleet overview: where the vehicles are, what they do now, and which of them need somebody."""

from dashboards.kit import style
from dashboards.kit.charts import places
from dashboards.kit.influxql import (
    DAY,
    EACH_VEHICLE,
    EVER,
    LAST_DAY,
    LAST_DAYS,
    LAST_QUARTER,
    LAST_WEEK,
    Query,
    either,
    named,
    newest,
    outer,
    select,
    text,
)
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, columns, daily, number, tally
from dashboards.kit.tables import TO_VEHICLE, rows

_TROUBLES = ("alert", "fault")


def page() -> Page:
    """The first dashboard that an operator opens."""
    return Page(
        uid="voltrail-fleet",
        title="Fleet overview",
        text="Where the vehicles are, what they do now, and which of them need somebody.",
        low=True,
        rows=[
            ("Now", [vehicles(), riding(), charging(), low_charge(), silent(), open_troubles()]),
            ("Where and what", [positions(), states_now(), lowest(), needing_swap(), heard_last()]),
            ("Day by day", [distance(), vehicles_in_use(), trips(), utilisation(), energy(), troubles()]),
        ],
    )


def vehicles() -> Panel:
    return number(
        "Vehicles",
        "How many vehicles are chosen above? Those that the settings or an import name, in the chosen groups.",
        select('last("title") AS "title"', "vehicles", span=EVER, by=EACH_VEHICLE),
        "title",
        calc="count",
        unit="short",
    )


def riding() -> Panel:
    return _in_state("Riding", "How many vehicles are on a trip?", LAST_DAY, "day", "riding", "paused")


def charging() -> Panel:
    return _in_state("Charging", "How many vehicles are charging?", LAST_DAYS, "three days", "charging")


def silent() -> Panel:
    return number(
        "Silent",
        "How many vehicles have fallen silent? Those whose newest charge is older than 24 h at the end of the range.",
        select('count("soc_pct") AS "vehicles"', "forecast", span="time < ${__to}ms - 1d"),
        "vehicles",
        limits=style.high_is_bad(1, 5),
    )


def low_charge() -> Panel:
    return number(
        "Low charge",
        "How many vehicles are low? Those whose newest charge is below the percentage chosen above.",
        outer('count("soc_pct") AS "low"', newest("soc_pct", "forecast"), '"soc_pct" < ${low:raw}'),
        "low",
        limits=style.high_is_bad(1, 5),
    )


def open_troubles() -> Panel:
    return number(
        "Open faults and alerts",
        "How many faults and alerts last? Episodes of these two kinds of the last 90 days that nothing has ended yet.",
        select(
            'count("count") AS "lasting"', "episodes", either("kind", _TROUBLES), '"open" = true', span=LAST_QUARTER
        ),
        "lasting",
        limits=style.high_is_bad(1, 10),
    )


def positions() -> Panel:
    return places(
        "Where they are",
        "Where was each vehicle last? The newest position of each, however old it is.",
        newest("lat_deg", "location", also=["lon_deg"]),
    )


def states_now() -> Panel:
    return tally(
        "What they do",
        "How many vehicles are in which state? By the newest state of each vehicle in the last seven days.",
        _newest_states(LAST_WEEK),
        "state",
        "vehicle",
        "vehicles",
        mappings=style.state_mappings(),
    )


def lowest() -> Panel:
    return rows(
        "Lowest charge",
        "Which vehicles have the lowest charge? The newest charge of each, lowest first.",
        newest("soc_pct", "forecast"),
        "vehicle",
        "soc_pct",
        sort="soc_pct",
        ascending=True,
        links=[TO_VEHICLE],
        limits={"soc_pct": style.low_is_bad(10, 20)},
    )


def needing_swap() -> Panel:
    return rows(
        "Time to swap",
        "When does each vehicle need charge? The moments before which its charge falls below `swap_below_pct` of the "
        "settings with a probability of 10, 50 and 90 %, and how likely that is before the crew comes next.",
        newest("soc_pct", "forecast", also=["t10", "t50", "t90", "below_at_next_service"]),
        "vehicle",
        "below_at_next_service",
        "t10",
        "t50",
        "t90",
        sort="below_at_next_service",
        links=[TO_VEHICLE],
        limits={"below_at_next_service": style.high_is_bad(0.1, 0.5)},
    )


def heard_last() -> Panel:
    return rows(
        "Last reports",
        "Which vehicles have been silent for longest? The time of the newest status of each, oldest first.",
        newest("odometer_m", "status", also=["soc_pct", "locked", "online"]),
        "Time",
        "vehicle",
        "soc_pct",
        "odometer_m",
        "locked",
        "online",
        names=False,
        sort="Time",
        ascending=True,
        links=[TO_VEHICLE],
    )


def distance() -> Panel:
    return columns(
        "Distance",
        "How far did they go? Metres on trips by local day, summed over the vehicles.",
        named(select('sum("distance_m")', "consumption", every=DAY), "distance"),
        unit="lengthm",
    )


def vehicles_in_use() -> Panel:
    return columns(
        "Vehicles in use",
        "How many vehicles were used? Those with at least one trip that began on the day.",
        named(select('count("trips")', "consumption", '"trips" > 0', every=DAY), "vehicles"),
        unit="short",
    )


def trips() -> Panel:
    return columns(
        "Trips",
        "How many trips were there? Trips by the local day on which they began.",
        named(select('sum("trips")', "consumption", every=DAY), "trips"),
        unit="short",
    )


def utilisation() -> Panel:
    return daily(
        "Utilisation",
        "How much of the day were vehicles moving? Time in motion as a share of 24 hours, mean of all vehicles that "
        "have a row for the day.",
        named(select('mean("driving_s") / 86400', "consumption", every=DAY), "in motion"),
        unit="percentunit",
        low=0,
    )


def energy() -> Panel:
    return columns(
        "Energy",
        "Where did the energy go, and how much was charged? Energy used on trips, lost while parked, and added by "
        "charges, by local day. Swaps of packs count as none.",
        named(select('sum("driven_wh")', "consumption", every=DAY), "trips"),
        named(select('sum("standby_wh")', "consumption", every=DAY), "parked"),
        named(select('sum("charged_wh")', "consumption", every=DAY), "charged"),
        unit="watth",
    )


def troubles() -> Panel:
    return columns(
        "Faults and alerts",
        "How many faults and alerts began? Episodes by the day of their start, in UTC.",
        *(
            named(select('count("count")', "episodes", f'"kind" = {text(kind)}', every="1d"), f"{kind}s")
            for kind in _TROUBLES
        ),
        unit="short",
    )


def _in_state(title: str, question: str, span: str, name: str, *states: str) -> Panel:
    words = " or ".join(f"`{state}`" for state in states)
    how = f"Those whose newest state, which began in the last {name}, is {words}."
    return number(title, f"{question} {how}", _newest_states(span), "state", calc="count", only=states, unit="short")


def _newest_states(span: str) -> Query:
    return select('last("state") AS "state"', "states", span=span, by=EACH_VEHICLE)
