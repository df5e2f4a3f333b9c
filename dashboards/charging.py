"""Charging and swaps: when, where, how much, at what power, efficiency and cost."""

from dashboards.kit import style
from dashboards.kit.charts import heat, places, points
from dashboards.kit.influxql import either, named, newest_rows, sample, select, text
from dashboards.kit.page import Page
from dashboards.kit.panels import Panel, bars, columns, daily, distribution, number
from dashboards.kit.tables import TO_VEHICLE, rows
from logger.derived_tables import CHARGE_ENERGY_SOURCES, CHARGE_KINDS

_DAY = "1d"
_BY_CABLE = either("kind", ["charge", "inferred"])


def page() -> Page:
    """Charges by cable and swaps of packs."""
    return Page(
        uid="voltrail-charging",
        title="Charging and swaps",
        text="When and where vehicles were charged or got other packs; how much, at what power, efficiency and cost.",
        since="now-30d",
        rows=[
            ("In sum", [charges(), energy(), cost(), price(), swaps(), swapped_percent()]),
            ("Day by day", [per_day(), cost_per_day(), energy_per_day(), by_source()]),
            ("How they charge", [begin(), added(), power_curve(), power_and_energy(), efficiency(), efficiencies()]),
            ("Each of them", [every(), vehicles(), ports(), where()]),
        ],
    )


def charges() -> Panel:
    return _figure("Charges", "How many charges were there?", 'count("started_at") AS "charges"', "charges")


def energy() -> Panel:
    return _figure("Energy charged", "How much was charged?", 'sum("energy_wh") AS "energy_wh"', "energy_wh")


def cost() -> Panel:
    return _figure("Cost", "What did charging cost?", 'sum("cost") AS "cost"', "cost")


def price() -> Panel:
    what = 'sum("cost") / sum("energy_wh") * 1000 AS "cost_per_kwh"'
    return _figure("Cost of a kWh", "What did a kWh in the battery cost, losses included?", what, "cost_per_kwh")


def swaps() -> Panel:
    return number(
        "Swaps",
        "How many packs were swapped? Exchanges of a pack for another in the chosen range.",
        select('count("started_at") AS "swaps"', "charges", "\"kind\" = 'swap'"),
        "swaps",
    )


def swapped_percent() -> Panel:
    return number(
        "Charge of a swap",
        "How empty are packs when they are swapped? Median percent that a swap added.",
        select('median("soc_added_pct") AS "soc_added_pct"', "charges", "\"kind\" = 'swap'"),
        "soc_added_pct",
    )


def per_day() -> Panel:
    return columns(
        "Charges and swaps",
        "How many were there? Charges, swaps, and charges that only two readings show, by the day of their start, UTC.",
        *(
            named(select('count("started_at")', "charges", f'"kind" = {text(kind)}', every=_DAY), kind)
            for kind in CHARGE_KINDS
        ),
        unit="short",
    )


def cost_per_day() -> Panel:
    return columns(
        "Cost",
        "What did charging cost? By `[tariffs]` of the settings, by the day of the start in UTC.",
        named(select('sum("cost")', "charges", every=_DAY), "cost"),
        unit="none",
    )


def energy_per_day() -> Panel:
    return daily(
        "Energy charged",
        "How much was charged, and how sure is that? Energy into batteries by day, with its interval of 95 %.",
        *(
            named(select(f'sum("{column}")', "charges", _BY_CABLE, every=_DAY), name)
            for column, name in (
                ("energy_wh", "charged"),
                ("energy_low_wh", "at least"),
                ("energy_high_wh", "at most"),
            )
        ),
        unit="watth",
        overrides=style.band("at least", "at most"),
    )


def by_source() -> Panel:
    return columns(
        "Energy by what it is computed from",
        "Where do the energies come from? The vehicle's own counter, power, content, or percent times capacity.",
        *(
            named(select('sum("energy_wh")', "charges", f'"energy_source" = {text(source)}', every=_DAY), source)
            for source in CHARGE_ENERGY_SOURCES
        ),
        unit="watth",
    )


def begin() -> Panel:
    return heat(
        "Charge when charging begins",
        "At which percent, and when, are vehicles charged or swapped? Number of charges and swaps by day and percent.",
        sample('"soc_start_pct"', "charges"),
        "soc_start_pct",
        size=10,
    )


def added() -> Panel:
    return distribution(
        "Charge added",
        "How much do charges add? Number of charges and swaps by the percent that they added, in steps of 10 %.",
        sample('"soc_added_pct"', "charges"),
        "soc_added_pct",
        size=10,
        width=12,
    )


def power_curve() -> Panel:
    return points(
        "Charging curve",
        "How does the charging power depend on the content? Readings while the charger draws power.",
        sample('"energy_wh", "charger_power_w"', "battery", '"charger_power_w" > 0'),
        "energy_wh",
        "charger_power_w",
    )


def power_and_energy() -> Panel:
    return points(
        "Mean power and energy",
        "Are long charges slow ones? One point a charge.",
        sample('"mean_w", "energy_wh"', "charges", _BY_CABLE),
        "mean_w",
        "energy_wh",
    )


def efficiency() -> Panel:
    return daily(
        "Efficiency",
        "How much of the wall's energy reaches the battery? Mean of the charges whose charger reports its power.",
        named(select('mean("efficiency")', "charges", every=_DAY), "efficiency"),
        unit="percentunit",
        high=1,
    )


def efficiencies() -> Panel:
    return points(
        "From the wall into the battery",
        "Which chargers lose much? Energy from the wall and into the battery, one point a charge.",
        sample('"wall_wh", "energy_wh"', "charges", '"wall_wh" > 0'),
        "wall_wh",
        "energy_wh",
    )


def every() -> Panel:
    return rows(
        "Charges and swaps",
        "Which charges were there? Charges and swaps that began in the chosen range, newest first.",
        newest_rows(
            '"vehicle", "kind", "port", "started_at", "finished_at", "soc_start_pct", "soc_finish_pct", "energy_wh", '
            '"energy_low_wh", "energy_high_wh", "mean_w", "efficiency", "cost", "currency", "place", "flags"',
            "charges",
        ),
        "started_at",
        "finished_at",
        "vehicle",
        "kind",
        "port",
        "soc_start_pct",
        "soc_finish_pct",
        "energy_wh",
        "energy_low_wh",
        "energy_high_wh",
        "mean_w",
        "efficiency",
        "cost",
        "currency",
        "place",
        "flags",
        sort="started_at",
        links=[TO_VEHICLE],
        width=24,
        height=12,
    )


def vehicles() -> Panel:
    return rows(
        "Vehicles",
        "Which vehicles cost most? Energy and cost of charges by cable, by vehicle.",
        select(
            'sum("energy_wh") AS "energy_wh", sum("cost") AS "cost"',
            "charges",
            _BY_CABLE,
            by=["vehicle"],
        ),
        "vehicle",
        "energy_wh",
        "cost",
        sort="energy_wh",
        links=[TO_VEHICLE],
    )


def ports() -> Panel:
    return bars(
        "Swaps by compartment",
        "Which compartment is swapped most? Swaps by battery compartment.",
        select('count("started_at") AS "swaps"', "charges", "\"kind\" = 'swap'", by=["port"]),
        "port",
        "swaps",
    )


def where() -> Panel:
    return places(
        "Where they charge",
        "Where are vehicles charged and swapped? Positions of charges and swaps.",
        sample('"lat_deg", "lon_deg"', "charges"),
        width=24,
    )


def _figure(title: str, question: str, what: str, field: str) -> Panel:
    query = select(what, "charges", _BY_CABLE)
    return number(title, f"{question} Of charges that began in the chosen range; swaps are left out.", query, field)
