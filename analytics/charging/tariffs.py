"""What charges cost: a flat price, prices by time of day and of week in local time, a fee a charge."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl

from analytics.frames import WHO
from logger.settings.schema import Rate, Tariffs

_STEP = timedelta(minutes=30)  # clocks are put forward or back at a whole or half hour
_DAY = timedelta(days=1)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def priced(charges: pl.DataFrame, tariffs: Tariffs, known: pl.DataFrame) -> pl.DataFrame:
    """Charges with `cost` and `currency`.

    Parameters
    ----------
    charges : DataFrame of `charges`, which is not changed
    tariffs : `[tariffs]` of the settings
    known : DataFrame with `provider` `vehicle` `timezone`; UTC where that is null

    Notes
    -----
    A charge's energy is spread evenly from its start to its end, and each part costs what holds then. It is that at the
    wall: metered, or the battery's divided by `tariffs.efficiency`, or the battery's where that is not given. A swap
    costs nothing here. A cost is null where the energy is, or where a part of the charge has no price.
    """
    zones = known.select(*WHO, "timezone")
    rows = charges.join(zones, on=WHO, how="left", maintain_order="left")
    columns = ("kind", "started_at", "finished_at", "energy_wh", "wall_wh", "timezone")
    costs = [_cost(tariffs, *row) for row in rows.select(columns).iter_rows()]
    currency = pl.when(pl.col("cost").is_not_null()).then(pl.lit(tariffs.currency))
    return charges.with_columns(pl.Series("cost", costs, pl.Float64)).with_columns(currency.alias("currency"))


def _cost(
    tariffs: Tariffs, kind: str, start: datetime, end: datetime, energy_wh: float | None, wall_wh: float | None,
    zone: str | None,
) -> float | None:  # fmt: skip
    if kind == "swap" or not tariffs.currency:
        return None
    bought_wh = wall_wh if wall_wh is not None else energy_wh and energy_wh / (tariffs.efficiency or 1)
    price = _price(start, end, ZoneInfo(zone or "UTC"), tariffs)
    return None if bought_wh is None or price is None else bought_wh / 1000 * price + tariffs.session_fee


def _price(start: datetime, end: datetime, zone: ZoneInfo, tariffs: Tariffs) -> float | None:
    """The mean price of a kWh from `start` to `end`; null where a part has none."""
    total, whole_s = 0.0, (end - start).total_seconds()
    for begin, until in pairwise(_cuts(start, end, zone, tariffs.rates)):
        price = _price_at((begin + (until - begin) / 2).astimezone(zone), tariffs)
        if price is None:
            return None
        total += price * (until - begin).total_seconds()
    return total / whole_s if whole_s else _price_at(start.astimezone(zone), tariffs)


def _cuts(start: datetime, end: datetime, zone: ZoneInfo, rates: tuple[Rate, ...]) -> list[datetime]:
    """Moments between which one price holds."""
    inside = {moment for moment in (*_edges(start, end, zone, rates), *_halves(start, end)) if start < moment < end}
    return [start, *sorted(inside), end]


def _halves(start: datetime, end: datetime) -> Iterator[datetime]:
    moment = start.replace(minute=0, second=0, microsecond=0)
    while moment < end:
        yield moment
        moment += _STEP


def _edges(start: datetime, end: datetime, zone: ZoneInfo, rates: tuple[Rate, ...]) -> Iterator[datetime]:
    clock = {time.fromisoformat(word) for rate in rates for word in (rate.begin, rate.end)}
    day, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    while day <= last:
        for edge in clock:
            for fold in (0, 1):  # an hour that comes twice
                yield datetime.combine(day, edge, zone).replace(fold=fold).astimezone(UTC)
        day += _DAY


def _price_at(local: datetime, tariffs: Tariffs) -> float | None:
    held = (rate.per_kwh for rate in tariffs.rates if _holds(rate, local))
    return next(held, tariffs.per_kwh)


def _holds(rate: Rate, local: datetime) -> bool:
    begin, end = time.fromisoformat(rate.begin), time.fromisoformat(rate.end)
    now, today = local.time(), local.date()
    if begin < end:
        return begin <= now < end and _on(rate, today)
    return (now >= begin and _on(rate, today)) or (now < end and _on(rate, today - _DAY))


def _on(rate: Rate, day: date) -> bool:
    return not rate.days or _DAYS[day.weekday()] in rate.days
