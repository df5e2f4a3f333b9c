"""What Grafana does with a panel before it draws it: variables and macros, frames of an answer, transformations.

Followed are its public sources: variables as `@grafana/scenes` replaces them (format `regex`), the macros and frames of
its backend for InfluxQL, and the transformations that our kit uses. Anything else here is an error, not a guess.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

Value = str | Sequence[str]
Rows = list[dict[str, Any]]
_VARIABLE = re.compile(r"\$(\w+)|\$\{(\w+)(?::([^}]+))?\}")
_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_POINTS = 1000  # of a panel on a wide screen
_INTERVALS_S = (1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 604800)


class Everything(msgspec.Struct, frozen=True):
    """`All` of a variable with a value of its own for it, which Grafana puts in as it stands."""

    text: str


class View(msgspec.Struct, frozen=True):
    """What a person chose: the range of time, and the value of each variable."""

    since: datetime
    until: datetime
    values: Mapping[str, Value | Everything]

    @property
    def range_ms(self) -> tuple[int, int]:
        """The range as epoch milliseconds."""
        return round(self.since.timestamp() * 1000), round(self.until.timestamp() * 1000)


def expand(text: str, view: View) -> str:
    """Return a query as it is sent to the database."""
    since_ms, until_ms = view.range_ms
    known: dict[str, Any] = {**view.values, "__from": f"{since_ms}", "__to": f"{until_ms}"}
    known["__interval"] = known["interval"] = _interval(until_ms - since_ms)

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name == "timeFilter":
            return f"time >= {since_ms}ms and time <= {until_ms}ms"
        if name not in known:
            raise LookupError(f"Grafana knows no variable {name!r} here: {text}")
        return _formatted(known[name], match[3] or "")

    return _VARIABLE.sub(value, text)


def _interval(length_ms: int) -> str:
    seconds = next((each for each in _INTERVALS_S if each * 1000 * _POINTS >= length_ms), _INTERVALS_S[-1])
    return f"{seconds}s"


def _formatted(value: Value | Everything, form: str) -> str:
    if isinstance(value, Everything):
        return value.text
    if form == "regex":
        texts = [value] if isinstance(value, str) else list(value)
        escaped = [_SPECIAL.sub(r"\\\g<0>", text) for text in texts]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
    if isinstance(value, str) and form in ("", "raw"):
        return value
    raise ValueError(f"{value!r} is put into a query without being quoted")


def options(rows: Rows, field: str, regex: str) -> dict[str, str]:
    """Return what a variable offers, text and value, for the rows of its query: its expression takes both out."""
    texts = [str(row[field]) for row in rows]
    if not regex:
        return {text: text for text in texts}
    pattern = re.compile(regex.strip("/").replace("(?<", "(?P<"))
    found = [match.groupdict() for text in texts if (match := pattern.search(text))]
    return {each.get("text") or each["value"]: each["value"] for each in found}


# ---- frames ----------------------------------------------------------------------------------------------------------


def table_rows(series: Sequence[Mapping[str, Any]]) -> Rows:
    """Return the rows of an answer as the fields of a table: `Time`, tags, and what the query selects."""
    return [
        {**each.get("tags", {}), **{_field(name): value for name, value in zip(each["columns"], row, strict=True)}}
        for each in series
        for row in each["values"]
    ]


def time_series(series: Sequence[Mapping[str, Any]], name: str) -> dict[str, list[tuple[int, Any]]]:
    """Return the points of each time series of an answer by its name, gaps as None."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for each in series:
        tags = each.get("tags", {})
        label = re.sub(r"\$tag_(\w+)", lambda match, tags=tags: tags[match[1]], name)  # type: ignore[misc]
        for row in each["values"]:
            found.setdefault(label, []).append((row[0], row[1]))
    return found


def _field(column: str) -> str:
    return "Time" if column == "time" else column


# ---- transformations -------------------------------------------------------------------------------------------------


def transform(frames: list[Rows], steps: Sequence[Mapping[str, Any]]) -> list[Rows]:
    """Return the frames after these transformations of a panel's JSON."""
    for step in steps:
        frames = _STEPS[step["id"]](frames, step["options"])
    return frames


def _join(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    assert options["mode"] == "inner"
    field, (left, *others) = options["byField"], frames
    for right in others:
        left = [{**match, **row} for row in left for match in right if match.get(field) == row.get(field)]
    return [left]


def _sort(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    (by,) = options["sort"]
    frame = [row for rows in frames for row in rows]
    known = [row for row in frame if row.get(by["field"]) is not None]
    known.sort(key=lambda row: row[by["field"]], reverse=by["desc"])
    return [known + [row for row in frame if row.get(by["field"]) is None]]


def _limit(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    return [rows[: options["limitField"]] for rows in frames]


def _keep(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    names = options["include"]["names"]
    return [[{name: row[name] for name in names if name in row} for row in rows] for rows in frames]


def _order(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    at, names = options["indexByName"], options["renameByName"]
    return [
        [
            {names.get(name, name): value for name, value in sorted(row.items(), key=lambda i: at.get(i[0], len(at)))}
            for row in rows
        ]
        for rows in frames
    ]


def _having(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    assert (options["type"], options["match"]) == ("include", "any")
    return [[row for row in rows if any(_fits(row, each) for each in options["filters"])] for rows in frames]


def _fits(row: Mapping[str, Any], condition: Mapping[str, Any]) -> bool:
    value, wanted = row.get(condition["fieldName"]), condition["config"]["options"]["value"]
    return {"equal": lambda: bool(value == wanted), "greater": lambda: value is not None and bool(value > wanted)}[
        condition["config"]["id"]
    ]()


def _count(frames: list[Rows], options: Mapping[str, Any]) -> list[Rows]:
    fields = options["fields"]
    (by,) = [name for name, each in fields.items() if each["operation"] == "groupby"]
    (of,) = [name for name, each in fields.items() if each["aggregations"] == ["count"]]
    return [
        [{by: value, f"{of} (count)": count} for value, count in Counter(row[by] for row in rows).items()]
        for rows in frames
    ]


_STEPS: Mapping[str, Callable[[list[Rows], Mapping[str, Any]], list[Rows]]] = {
    "joinByField": _join,
    "sortBy": _sort,
    "limit": _limit,
    "filterFieldsByName": _keep,
    "organize": _order,
    "filterByValue": _having,
    "groupBy": _count,
}
