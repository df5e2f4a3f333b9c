"""How fast a battery fades, and when it will hold 80 %: of its months' capacities, one after the other.

Theil and Sen: the median of all slopes between two months, with the interval of Kendall's rank correlation (Sen 1968,
doi 10.1080/01621459.1968.10480934). Months to 80 % are where a line by least squares crosses it, with the interval of
Fieller (1954, doi 10.1111/j.2517-6161.1954.tb00159.x), which has no upper end where the line may as well be level.
"""

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from analytics.battery_health.ratios import Z, t_quantile
from analytics.battery_health.share_left import FIRST, Points, share_left
from analytics.frames import WHO

FEWEST, LEAST_YEARS = 6, 1.0  # months of a trend, and how long they last: within a year, winter looks like wear
THRESHOLD_PCT = 80.0
LEVEL_SD_PCT = 2.5  # of the state of health itself: a sensor that errs alike in all months
AHEAD = 2.0  # times as long as it was seen a battery is foretold; beyond, nobody knows when it gives way
MONTHS = 12.0
TRENDS = pl.Schema(
    {
        **dict.fromkeys(WHO, pl.String()),
        "since": pl.Datetime("ms", "UTC"),
        **dict.fromkeys(
            ("first_wh", "share_left", "share_left_sd", "fade_pct_per_year", "fade_low", "fade_high"), pl.Float64()
        ),
        **dict.fromkeys(("months_to_80_low", "months_to_80", "months_to_80_high"), pl.Float64()),
    }
)
Ends = tuple[float | None, float | None, float | None]
NONE: Ends = (None, None, None)


class Point(NamedTuple):
    """A month's capacity: when [years], how much [Wh], by which method, since which change of the firmware."""

    years: float
    wh: float
    method: str
    era: int


def trends(verdicts: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """The trend of each verdict's stint until then.

    Parameters
    ----------
    verdicts : DataFrame with `provider` `vehicle` `since` `stint_id`, `new_wh`, what 100 % are, null where unknown, and
        `new_sd`, the relative error of that
    history : DataFrame with `provider` `vehicle` `stint_id` `at`, `capacity_wh` of a month, its `method` and
        `era`, how often the firmware had been changed: a percent before that may be another than after it

    Returns
    -------
    DataFrame of `TRENDS` by vehicle and `since`, of those with points; those of the method that has most of them count:
    `first_wh`, the median of the first three months where there are more; `share_left` of what it held at first, with
    its standard error; `fade_pct_per_year`, positive where capacity is lost, in percents of `new_wh`, else of
    `first_wh`, with its 95 % interval; months until 80 %, of the beginning of the month, with theirs. An upper end that
    is null is more than anybody can say. Null below six months or a year of one firmware.
    """
    stints: dict[tuple[str, ...], list[Point]] = {}
    years = (pl.col("at").dt.epoch("ms") / (365.25 * 86_400_000)).alias("years")
    point = ("capacity_wh", "method", "era")
    for *key, year, wh, method, era in history.sort("at").select(*WHO, "stint_id", years, *point).iter_rows():
        stints.setdefault(tuple(key), []).append(Point(year, wh, method, era))
    rows = []
    asked = verdicts.with_columns((pl.col("since").dt.epoch("ms") / (365.25 * 86_400_000)).alias("years"))
    names = ("stint_id", "new_wh", "new_sd", "years")
    for *who, since, stint, new_wh, new_sd, year in asked.select(*WHO, "since", *names).iter_rows():
        known = [point for point in stints.get((*who, stint), ()) if point.years <= year]
        if known:
            rows.append((*who, since, *_trend(known, new_wh, new_sd, year)))
    return pl.DataFrame(rows, schema=TRENDS, orient="row").sort(*WHO, "since")


def history(rows: pl.DataFrame, changes: pl.DataFrame) -> pl.DataFrame:
    """Months' capacities as `trends` takes them.

    Parameters
    ----------
    rows : rows of `battery_health` with estimates of methods that measure a month
    changes : DataFrame with `provider` `vehicle` `at`, when the firmware was told; the first time changes nothing
    """
    later = changes.sort(*WHO, "at").with_columns(pl.int_range(pl.len()).over(WHO).alias("era")).sort("at")
    told = rows.rename({"time": "at"}).sort("at").join_asof(later, on="at", by=WHO, check_sortedness=False)
    return told.select(*WHO, "stint_id", "at", "capacity_wh", "method", pl.col("era").fill_null(0).cast(pl.Int64))


def _trend(points: Sequence[Point], new_wh: float | None, new_sd: float, now: float) -> tuple[float | None, ...]:
    known = _of_one_method(points)
    first_wh = statistics.median(point.wh for point in known[:FIRST]) if len(known) > FIRST else None
    full_wh, era = new_wh or first_wh, known[-1].era
    same = known[0].era == era  # a percent of before is another
    left = (share_left([(point.years, point.wh) for point in known]) if same else None) or (None, None)
    told = [(point.years - now, 100 * point.wh / full_wh) for point in known if full_wh and point.era == era]
    if len(told) < FEWEST or told[-1][0] - told[0][0] < LEAST_YEARS - 1 / MONTHS:
        return first_wh, *left, *NONE, *NONE
    level_sd = math.hypot(LEVEL_SD_PCT, 100 * new_sd) if new_wh else 0.0
    return first_wh, *left, *fade(told), *months_to_threshold(told, level_sd)


def _of_one_method(points: Sequence[Point]) -> list[Point]:
    """Those of the method that tells of most months: each errs in its own way, alike in all months."""
    count = Counter(point.method for point in points)
    method = min(count, key=lambda name: (-count[name], name))
    return [point for point in points if point.method == method]


def fade(points: Points) -> Ends:
    """Percents lost in a year with the 95 % interval, of points of years and percents: Theil and Sen."""
    twos = itertools.combinations(points, 2)
    slopes = sorted((y - v) / (x - u) for (u, v), (x, y) in twos if x > u)
    n, count = len(points), len(slopes)
    half = Z * math.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    low = max(0, math.floor((count - half) / 2))
    ends = slopes[min(count - 1, math.ceil((count + half) / 2))], slopes[low]
    return -statistics.median(slopes), -ends[0], -ends[1]


def months_to_threshold(points: Points, level_sd: float = 0.0) -> Ends:
    """Months from now until a line through points reaches 80 %: low, middle and high.

    Parameters
    ----------
    points : years from now, and percents
    level_sd : standard error of all percents alike

    Returns
    -------
    The 95 % interval of Fieller around where the line crosses. `high` is None where it has no end, or lies more than
    twice as far ahead as the points reach back; so is the middle. All are None where the points are all below.
    """
    line = _line(points)
    most = AHEAD * (points[-1][0] - points[0][0])
    q = t_quantile(len(points) - 2)
    a = line.slope**2 - q**2 * line.c11
    b = 2 * ((line.level - THRESHOLD_PCT) * line.slope - q**2 * line.c01)
    d = (line.level - THRESHOLD_PCT) ** 2 - q**2 * line.c00 - (Z * level_sd) ** 2
    low, high = _crossing((a, b, d), line)
    middle = (THRESHOLD_PCT - line.level) / line.slope if line.slope < 0 else math.inf
    return _months(min(low, most)), _months(max(middle, 0.0), most), _months(high, most)


class _Line(NamedTuple):
    level: float
    slope: float
    c00: float
    c01: float
    c11: float


def _line(points: Points) -> _Line:
    """Least squares: the level now, the slope, and their covariances."""
    n = len(points)
    mean_x, mean_y = (statistics.fmean(each) for each in zip(*points, strict=True))
    xx = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / xx
    level = mean_y - slope * mean_x
    variance = sum((y - level - slope * x) ** 2 for x, y in points) / (n - 2)
    return _Line(level, slope, variance * (1 / n + mean_x**2 / xx), -variance * mean_x / xx, variance / xx)


def _crossing(parabola: tuple[float, float, float], line: _Line) -> tuple[float, float]:
    """The years in which a t² + b t + d is not above 0, from now on; from 0 where that is now."""
    a, b, d = parabola
    if d <= 0:
        low = 0.0
    else:
        roots = _roots(a, b, d)
        low = min((each for each in roots if each > 0), default=math.inf if line.level > THRESHOLD_PCT else 0.0)
    high = max(_roots(a, b, d), default=math.inf) if a > 0 > line.slope else math.inf
    return low, max(high, 0.0)


def _roots(a: float, b: float, d: float) -> list[float]:
    inside = b * b - 4 * a * d
    if a == 0 or inside < 0:
        return []
    return [(-b + sign * math.sqrt(inside)) / (2 * a) for sign in (-1, 1)]


def _months(years: float, most: float = math.inf) -> float | None:
    return round(MONTHS * years, 1) if math.isfinite(years) and years <= most else None
