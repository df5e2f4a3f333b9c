"""Queries of panels: InfluxQL, which InfluxDB 1.x, 2.x and 3.x serve, with Grafana's macros and our variables.

A query begins with what it selects of a table; the filter by time, provider and vehicle, and that for rows that are no
longer valid, are added here and nowhere else. The SDK has no query of InfluxDB, so `InfluxTarget` is one.
"""

from collections.abc import Iterable
from typing import Any, Self

import msgspec
from grafana_foundation_sdk.cog import runtime as cogruntime
from grafana_foundation_sdk.cog import variants as cogvariants
from grafana_foundation_sdk.models.common import DataSourceRef

from logger.tables import RAW

DATASOURCE = {"type": "influxdb", "uid": "voltrail"}
DATASOURCE_REF = DataSourceRef(type_val="influxdb", uid="voltrail")

# Filters. Grafana turns a variable with `:regex` into the expression that matches its value, or any of its values,
# and nothing else: `/`, quotes, `$` and all signs of regular expressions are escaped by it.
BY_VEHICLE = ('"provider" =~ /^${provider:regex}$/', '"vehicle" =~ /^${vehicle:regex}$/')
BY_MODEL = ('"model" =~ /^${model:regex}$/',)
NO_FILTER: tuple[str, ...] = ()

IN_RANGE = "$timeFilter"
# A state that began before the range is drawn in it, unless that was more than a week before
AND_A_WEEK_BEFORE = "time >= ${__from}ms - 7d AND time <= ${__to}ms"
EVER = ""
# What is newest in a derived table is looked for in these spans: InfluxDB would read every row of it otherwise
LAST_DAY, LAST_DAYS, LAST_WEEK, LAST_QUARTER, LAST_HALF_YEAR = (
    f"time >= ${{__to}}ms - {days}d AND time <= ${{__to}}ms" for days in (1, 3, 7, 90, 183)
)
# A vehicle's day starts at its local midnight, so a day of the fleet is every row of the same quarter of an hour: no
# time zone's midnight lies between two of them.
DAY = "15m"
NEWEST_ROWS = "ORDER BY time DESC LIMIT 1000"  # as many as somebody can look through
# Of episodes, stays in places; the tag alone saves InfluxDB from opening the series of all faults and alerts
VISITS = ("\"kind\" = 'pipeline'", "\"system\" = 'place'")
EACH_VEHICLE = ("provider", "vehicle")
NOT_RETRACTED = '("retracted" = true) = false'  # also true where no row has the field: it exists in 3.x alone
_RAW_FOR_MS, _FINE_FOR_MS = 2 * 86_400_000, 45 * 86_400_000
_LENGTH = "(${__to} - ${__from})"
# Single states cannot be told apart in a longer range, and a year of a fleet has millions of them
UP_TO_A_MONTH = f"{_LENGTH} <= {31 * 86_400_000}"
UP_TO_TWO_DAYS, BEYOND_TWO_DAYS = f"{_LENGTH} <= {_RAW_FOR_MS}", f"{_LENGTH} > {_RAW_FOR_MS}"


class Query(msgspec.Struct, frozen=True):
    """One query of a panel. A time series has a name: words, or `$tag_vehicle` and the like, which Grafana fills in.

    Without a name, the answer is a table.
    """

    text: str
    name: str = ""

    @property
    def is_series(self) -> bool:
        """Whether Grafana makes time series of it."""
        return bool(self.name)


class InfluxTarget(cogvariants.Dataquery):
    """A query as Grafana's data source of InfluxDB wants it."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    @classmethod
    def of(cls, query: Query, number: int) -> Self:
        """Return the target of a panel's query, counted from 0."""
        data = {"refId": chr(ord("A") + number), "datasource": DATASOURCE, "rawQuery": True, "query": query.text}
        form = {"resultFormat": "time_series", "alias": query.name} if query.name else {"resultFormat": "table"}
        return cls({**data, **form})

    def to_json(self) -> dict[str, object]:
        """Return what the dashboard's JSON holds."""
        return self.data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> cogvariants.Dataquery:
        """Read it back."""
        return cls(data)


def register() -> None:
    """Let the SDK read queries of InfluxDB from JSON as such."""
    cogruntime.register_dataquery_variant(cogruntime.DataqueryConfig("influxdb", InfluxTarget.from_json))


def select(
    what: str,
    table: str,
    *where: str,
    span: str = IN_RANGE,
    only: tuple[str, ...] = BY_VEHICLE,
    by: Iterable[str] = (),
    every: str = "",
    fill: str = "none",
    order: str = "",
) -> Query:
    """Return the query for `what` of a table, as a table.

    `where` are further conditions, `by` tags that the answer is grouped by, and `every` is the width of intervals of
    time. Intervals without a row are left out; with `fill="null"` they are gaps.
    """
    groups = [f'"{tag}"' for tag in by] + ([f"time({every})"] if every else [])
    parts = [
        f'SELECT {what} FROM "{table}"{condition(table, *where, span=span, only=only)}',
        f"GROUP BY {', '.join(groups)}" if groups else "",
        f"fill({fill})" if every else "",
        order,
    ]
    return Query(" ".join(filter(None, parts)))


def newest_rows(what: str, table: str, *where: str) -> Query:
    """Return the query for the newest rows of a table, as many as somebody can look through."""
    return select(what, table, *where, order=NEWEST_ROWS)


def sample(what: str, table: str, *where: str) -> Query:
    """Return the query for the newest rows of a table, as many as a chart of points can show."""
    return select(what, table, *where, order="ORDER BY time DESC LIMIT 5000")


def outer(what: str, inner: Query, *where: str, by: Iterable[str] = (), order: str = "") -> Query:
    """Return the query for `what` of the rows that another query finds."""
    groups = f"GROUP BY {', '.join(f'{chr(34)}{tag}{chr(34)}' for tag in by)}" if by else ""
    conditions = f"WHERE {' AND '.join(where)}" if where else ""
    return Query(" ".join(filter(None, [f"SELECT {what} FROM ({inner.text})", conditions, groups, order])))


def newest(column: str, table: str, *where: str, also: Iterable[str] = (), by: Iterable[str] = EACH_VEHICLE) -> Query:
    """Return the query for the newest row of each vehicle that has a value of `column`, however old it is."""
    more = "".join(f', "{name}"' for name in also)
    return select(f'last("{column}") AS "{column}"{more}', table, *where, span=EVER, by=by)


def named(query: Query, name: str) -> Query:
    """Return the query as time series of this name."""
    return Query(query.text, name)


def by_length(table: str, column: str, name: str, *where: str, by: Iterable[str] = ()) -> list[Query]:
    """Return the queries for the mean of a raw table's column over time; which of them has rows depends on the range.

    Up to two days the raw rows answer, up to 45 days the rollup of five minutes, beyond that the one of days.
    """
    mean = f'mean("mean_{column}")'
    between, long = (BEYOND_TWO_DAYS, f"{_LENGTH} <= {_FINE_FOR_MS}"), f"{_LENGTH} > {_FINE_FOR_MS}"

    def series(what: str, source: str, *length: str) -> Query:
        return named(select(what, source, *where, *length, by=by, every="$__interval", fill="null"), name)

    return [
        series(f'mean("{column}")', table, UP_TO_TWO_DAYS),
        series(mean, f"{table}_5m", *between),
        series(mean, f"{table}_1d", long),
    ]


def condition(table: str, *where: str, span: str = IN_RANGE, only: tuple[str, ...] = BY_VEHICLE) -> str:
    """Return the condition of a query of this table, with `WHERE`; "" where there is none."""
    valid = () if table in RAW else (NOT_RETRACTED,)
    parts = [each for each in (span, *only, *valid, *where) if each]
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def text(value: str) -> str:
    """Return a word of ours as a string of InfluxQL."""
    return f"'{value}'"


def either(column: str, values: Iterable[str]) -> str:
    """Return the condition that a column is one of these words."""
    return "(" + " OR ".join(f'"{column}" = {text(value)}' for value in values) + ")"
