"""Charts of reports as Vega-Lite, made with Altair: how every chart looks is decided here.

Values come in units that are shown, and every chart in two widths: for a page, and for a telephone. Colours are those
of light paper; the page's style exchanges each of them on a dark screen, so that a colour here is a name as well.
"""

from collections.abc import Callable, Mapping
from typing import Any

import altair as alt
import polars as pl

from dashboards.reports.contents import Chart
from logger.printable import printable

INK, RULE, BACK = "#1f2933", "#d5dae0", "#ffffff"
BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BROWN, GREY = (
    "#1f5fa8", "#c2570c", "#2a7d3f", "#7a3fa0", "#b3261e", "#3f8fc4", "#7a5230", "#8a94a0",
)  # fmt: skip
PALETTE = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY, BROWN, GREY)
DATA = "data"  # the layer with a mark for each row
_WIDE, _NARROW, _HEIGHT = 760, 330, 240
_LONG_DAYS = 45  # from here on ticks stand at round dates
_ROW = 22  # height of a row of a ranking
Draw = Callable[[int], Any]  # what Altair makes for a width; its own types are too wide to name


def chart(name: str, marks: int, draw: Draw) -> Chart:
    """Return the chart that `draw` makes for a width, in both widths."""
    wide, narrow = (_styled(draw(width)).to_dict(validate=False) for width in (_WIDE, _NARROW))
    return Chart(name, dict(wide), dict(narrow), marks)


def bars(name: str, rows: pl.DataFrame, x: str, y: str, low: str, high: str, title: str) -> Chart:
    """Return a bar for each row with a day in `x`, and the interval of its value as a line."""

    def draw(width: int) -> Any:
        thick = _thick(rows, x, width)
        across = _days(rows, x, thick, width)
        base = alt.Chart(rows.with_columns(pl.col(x).cast(pl.Datetime("ms"))))
        up = alt.Y(f"{y}:Q", title=title)
        marks = base.mark_bar(color=BLUE, size=thick).encode(x=across, y=up).properties(name=DATA)
        ends = base.mark_rule(color=INK, strokeWidth=1.2).encode(x=across, y=f"{low}:Q", y2=f"{high}:Q")
        return _sized(marks + ends, width)

    return chart(name, rows.height, draw)


def stacked(name: str, rows: pl.DataFrame, x: str, y: str, by: str, colours: Mapping[str, str], title: str) -> Chart:
    """Return stacked bars: a part for each row, with a day in `x` and a word in `by`."""

    def draw(width: int) -> Any:
        thick = _thick(rows, x, width)
        columns = 2 if width == _NARROW else 0
        colour = alt.Color(
            f"{by}:N", title=None, scale=alt.Scale(domain=list(colours), range=list(colours.values())),
            legend=alt.Legend(orient="bottom", columns=columns or len(colours)),
        )  # fmt: skip
        across = _days(rows, x, thick, width)
        marks = alt.Chart(rows.with_columns(pl.col(x).cast(pl.Datetime("ms")))).mark_bar(size=thick)
        return _sized(marks.encode(x=across, y=alt.Y(f"{y}:Q", title=title), color=colour).properties(name=DATA), width)

    return chart(name, rows.height, draw)


def curve(name: str, rows: pl.DataFrame, x: str, y: str, low: str, high: str, titles: tuple[str, str]) -> Chart:
    """Return a point for each row with its interval, joined by a line; `titles` are those of x and y."""

    def draw(width: int) -> Any:
        base = alt.Chart(rows)
        across = alt.X(f"{x}:Q", title=titles[0], scale=_scale(rows, x))
        up = alt.Y(f"{y}:Q", title=titles[1], scale=alt.Scale(zero=False))
        line = base.mark_line(color=BLUE, strokeWidth=1.5).encode(x=across, y=up)
        ends = base.mark_rule(color=BLUE, opacity=0.5, strokeWidth=3).encode(x=across, y=f"{low}:Q", y2=f"{high}:Q")
        points = base.mark_point(color=BLUE, filled=True, size=50).encode(x=across, y=up).properties(name=DATA)
        return _sized(ends + line + points, width)

    return chart(name, rows.height, draw)


def ranking(name: str, rows: pl.DataFrame, label: str, x: str, low: str, high: str, title: str) -> Chart:
    """Return a point with its interval for each row, one below the other, in the order of the rows."""

    def draw(width: int) -> Any:
        base = alt.Chart(_drawable(rows))
        limit = 200 if width == _WIDE else 110
        down = alt.Y(f"{label}:N", sort=None, title=None, axis=alt.Axis(labelLimit=limit))
        across = alt.X(
            f"{x}:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(tickCount=max(3, width // 110))
        )
        ends = base.mark_rule(color=BLUE, opacity=0.5, strokeWidth=4).encode(y=down, x=f"{low}:Q", x2=f"{high}:Q")
        points = base.mark_point(color=BLUE, filled=True, size=60).encode(y=down, x=across).properties(name=DATA)
        return _sized(ends + points, width, rows.height * _ROW, limit).properties(
            padding={"left": 24, "right": 8, "top": 5, "bottom": 5}
        )

    return chart(name, rows.height, draw)


def series(
    name: str, rows: pl.DataFrame, x: str, y: str, ends: tuple[str, str], by: str, titles: tuple[str | None, str]
) -> Chart:
    """Return a point with its interval for each row, coloured by `by`; `x` holds moments where it has no title."""

    def draw(width: int) -> Any:
        scale = alt.Scale(type="utc", padding=12) if titles[0] is None else _scale(rows, x)
        across = alt.X(f"{x}:{'T' if titles[0] is None else 'Q'}", title=titles[0], scale=scale)
        names = _drawable(rows)[by].unique(maintain_order=True).to_list()
        colour = alt.Color(
            f"{by}:N", title=None, scale=alt.Scale(domain=names, range=list(PALETTE[: len(names)])),
            legend=alt.Legend(orient="bottom", columns=4 if width == _WIDE else 2),
        )  # fmt: skip
        up = alt.Y(f"{y}:Q", title=titles[1], scale=alt.Scale(zero=False))
        base = alt.Chart(_drawable(rows))
        rules = base.mark_rule(opacity=0.5, strokeWidth=2).encode(
            x=across, y=f"{ends[0]}:Q", y2=f"{ends[1]}:Q", color=colour
        )
        points = base.mark_point(filled=True, size=50).encode(x=across, y=up, color=colour).properties(name=DATA)
        return _sized(rules + points, width)

    return chart(name, rows.height, draw)


def cells(name: str, rows: pl.DataFrame, count: str, titles: tuple[str, str, str]) -> Chart:
    """Return a map of squares: a square for each row, from `x` to `x2` and `y` to `y2` in units that are shown.

    `titles` are those of x, y and the count.
    """
    sides = rows.select((pl.col(f"{end}2").max() - pl.col(end).min()).fill_null(1.0).alias(end) for end in ("x", "y"))
    wide, high = sides.row(0)

    def draw(width: int) -> Any:
        height = max(120.0, min(1.2 * width, (width - 60) * high / max(wide, 1e-9)))
        across = alt.X("x:Q", title=titles[0], scale=alt.Scale(zero=False, nice=False))
        up = alt.Y("y:Q", title=titles[1], scale=alt.Scale(zero=False, nice=False))
        shade = alt.Opacity(
            f"{count}:Q", scale=alt.Scale(type="log", range=[0.2, 1.0]), title=titles[2],
            legend=alt.Legend(
                orient="bottom", symbolType="square", symbolFillColor=BLUE, symbolStrokeWidth=0, tickCount=4
            ),
        )  # fmt: skip
        marks = alt.Chart(rows).mark_rect(color=BLUE).encode(x=across, x2="x2", y=up, y2="y2", opacity=shade)
        return _sized(marks.properties(name=DATA), width, round(height))

    return chart(name, rows.height, draw)


def _scale(rows: pl.DataFrame, x: str) -> alt.Scale:
    """A scale with room at its ends, but none below 0 where no value lies there: amounts have no values below 0."""
    least, most = rows.select(pl.col(x).min().alias("least"), pl.col(x).max().alias("most")).row(0)
    near = least is not None and 0 <= least <= (most - least) / 8
    return alt.Scale(zero=False, padding=12, domainMin=0) if near else alt.Scale(zero=False, padding=12)


def _drawable(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with names that can be drawn: a control character in one ends the whole process that draws it."""
    names = pl.col(pl.String).map_elements(printable, return_dtype=pl.String())
    return rows.with_columns(names)


def _days(rows: pl.DataFrame, x: str, thick: float, width: int) -> alt.X:
    """The axis of days: with room for half a bar at both ends, and no tick between two days."""
    scale, most, days = alt.Scale(type="utc", padding=thick / 2 + 2), max(3, width // 110), _span_days(rows, x)
    step = {"interval": "day", "step": -(-days // most)}
    ticks = alt.Axis(tickCount=most if days > _LONG_DAYS else step, format="%-d %b")
    return alt.X(f"{x}:T", title=None, scale=scale, axis=ticks)


def _thick(rows: pl.DataFrame, x: str, width: int) -> float:
    """How wide a bar is that leaves a quarter of the way to the next one free."""
    gaps = rows[x].cast(pl.Date).unique().sort().diff().drop_nulls().dt.total_days()
    nearest = min(gaps.to_list(), default=1)
    return max(1.0, min(24.0, 0.75 * nearest * (width - 70) / max(1, _span_days(rows, x))))


def _span_days(rows: pl.DataFrame, x: str) -> int:
    days = rows[x].cast(pl.Date).sort()
    return (days[-1] - days[0]).days + 1 if len(days) else 1


def _sized(drawn: Any, width: int, height: int = _HEIGHT, beside: int = 50) -> Any:
    return drawn.properties(width=width - beside - 20, height=height)


def _styled(drawn: Any) -> Any:
    words = {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    }
    return (
        drawn.configure(background="transparent", font="system-ui, sans-serif", aria=False)
        .configure_view(stroke=None)
        .configure_axis(titlePadding=10, gridColor=RULE, domainColor=RULE, tickColor=RULE, **words)
        .configure_legend(symbolType="square", columnPadding=24, **words)
    )
