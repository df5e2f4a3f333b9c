"""A picture over one axis of time, as an SVG of a few lines of text that is readable in light and in dark."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, TOP = 960, 150, 30, 84
_FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"
_LIGHT = {"paper": "#ffffff", "ink": "#1f2328", "pale": "#59636e", "grid": "#d1d9e0", "rest": "#c8d1da",
          "blue": "#0969da", "green": "#1a7f37", "amber": "#bf8700", "red": "#cf222e", "gap": "#eef1f4"}  # fmt: skip
_DARK = {"paper": "#0d1117", "ink": "#e6edf3", "pale": "#9198a1", "grid": "#30363d", "rest": "#3d444d",
         "blue": "#4493f8", "green": "#3fb950", "amber": "#d29922", "red": "#f85149", "gap": "#1c2128"}  # fmt: skip
Point = tuple[datetime, float]


class Picture:
    """What is drawn from `begin` to `end`, row under row; `y` is where the next row begins."""

    def __init__(self, title: str, about: str, begin: datetime, end: datetime) -> None:
        self._title, self._about, self._begin, self._end = title, about, begin, end
        self._parts: list[str] = []
        self._behind: list[tuple[datetime, datetime, str]] = []
        self.y = TOP + 10.0
        self.text(LEFT, 26, title, "title", "start")
        self.text(LEFT, 48, about, "pale", "start")

    # ---- rows ------------------------------------------------------------------------------------------------------

    def row(self, height: float, name: str, *more: str, space: float = 14.0) -> float:
        """Begin a row of this height with its name at the left; returns its top."""
        top, lines = self.y, (name, *more)
        first = top + height / 2 - 8 * (len(lines) - 1) + 5
        for place, line in enumerate(lines):
            self.text(LEFT - 12, first + 16 * place, line, "pale" if place else "name", "end")
        self.y += height + space
        return top

    def curve(self, name: Sequence[str], height: float, low: float, high: float, truth: Iterable[Point],
              dots: Iterable[Point], wrong: Iterable[Point] = ()) -> float:  # fmt: skip
        """A row of readings (dots, and circles for refused ones) on the line of what was true; returns its top."""
        top = self.row(height, *name, space=20)

        def place(point: Point) -> tuple[float, float]:
            return self._x(point[0]), top + height * (high - point[1]) / (high - low)

        for y in (top, top + height):
            self._parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        line = "L".join("{:.1f} {:.1f}".format(*place(point)) for point in truth)
        self._parts.append(f'<path class="truth" d="M{line}"/>')
        self._parts += ['<circle class="dot" cx="{:.1f}" cy="{:.1f}" r="2.2"/>'.format(*place(each)) for each in dots]
        self._parts += ['<circle class="wrong" cx="{:.1f}" cy="{:.1f}" r="4"/>'.format(*place(each)) for each in wrong]
        return top

    def bar(self, top: float, height: float, begin: datetime, end: datetime, kind: str, label: str = "") -> None:
        """A bar; its label stands in it if there is room, else nowhere."""
        x, width = self._x(begin), self._x(end) - self._x(begin)
        self._parts.append(
            f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{max(width, 1):.1f}" height="{height:.0f}" rx="2"/>'
        )
        if label and self.fits(label, begin, end):
            self.text(x + width / 2, top + height / 2 + 4.5, label, "inside", "middle")

    def fits(self, label: str, begin: datetime, end: datetime) -> bool:
        """Whether a bar between these moments has room for a label."""
        return self._x(end) - self._x(begin) > 6.6 * len(label) + 4

    def whisker(self, y: float, moment: datetime, seconds: float) -> None:
        """How far a moment may lie from where it is said to be."""
        low, high = (self._x(moment + timedelta(seconds=sign * seconds)) for sign in (-1, 1))
        caps = "".join(f"M{x:.1f} {y - 5:.1f}V{y + 5:.1f}" for x in (low, high))
        self._parts.append(f'<path class="whisker" d="M{low:.1f} {y:.1f}H{high:.1f}{caps}"/>')

    def note(self, y: float, begin: datetime, end: datetime, *lines: str) -> None:
        """Lines of text under what lies between two moments."""
        middle = (self._x(begin) + self._x(end)) / 2
        for place, line in enumerate(lines):
            self.text(middle, y + 16 * place, line, "pale" if place or len(lines) == 1 else "name", "middle")

    def gap(self, begin: datetime, end: datetime, label: str) -> None:
        """A span that is shaded over all rows."""
        self._behind.append((begin, end, label))

    def text(self, x: float, y: float, words: str, kind: str, anchor: str) -> None:
        """Words at a place."""
        self._parts.append(
            f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    # ---- the file --------------------------------------------------------------------------------------------------

    def axis(self, first: datetime, step: timedelta) -> None:
        """Hours and minutes under all rows."""
        moment = first
        while moment <= self._end:
            x = self._x(moment)
            self._parts.insert(0, f'<path class="grid" d="M{x:.1f} {TOP}V{self.y:.1f}"/>')
            self.text(x, self.y + 16, f"{moment:%H:%M}", "pale", "middle")
            moment += step
        self.y += 30

    def svg(self) -> str:
        """The document."""
        behind = []
        for begin, end, label in self._behind:
            x, width = self._x(begin), self._x(end) - self._x(begin)
            behind.append(
                f'<rect class="gap" x="{x:.1f}" y="{TOP}" width="{width:.1f}" height="{self.y - TOP - 30:.0f}"/>'
            )
            behind.append(
                f'<text class="pale" x="{x + width / 2:.1f}" y="{TOP - 6}" text-anchor="middle">{label}</text>'
            )
        size = f'width="{WIDTH}" height="{self.y:.0f}" viewBox="0 0 {WIDTH} {self.y:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="t d">'
        words = f'<title id="t">{escape(self._title)}</title>\n<desc id="d">{escape(self._about)}</desc>'
        paper = '<rect class="paper" width="100%" height="100%"/>'
        return "\n".join([head, words, _style(), paper, *behind, *self._parts, "</svg>"]) + "\n"

    def _x(self, moment: datetime) -> float:
        share = (moment - self._begin) / (self._end - self._begin)
        return LEFT + share * (WIDTH - LEFT - RIGHT)


def _style() -> str:
    return f"<style>\n{_rules()}\n:root {{ {_names(_LIGHT)} }}\n{_dark()}\n</style>"


def _dark() -> str:
    return f"@media (prefers-color-scheme: dark) {{ :root {{ {_names(_DARK)} }} }}"


def _names(colours: dict[str, str]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in colours.items())


def _rules() -> str:
    text = {"title": (18, "ink", 600), "name": (14, "ink", 600), "pale": (13, "pale", 400), "inside": (12, "ink", 400)}
    fonts = [
        f".{name} {{ font: {weight} {size}px {_FONT}; fill: var(--{colour}); }}"
        for name, (size, colour, weight) in text.items()
    ]
    fills = [f".{name} {{ fill: var(--{name}); }}" for name in ("paper", "gap", "rest")]
    bars = [
        f".{name} {{ fill: var(--{name}); fill-opacity: .38; stroke: var(--{name}); }}"
        for name in ("blue", "green", "amber")
    ]
    lines = [
        ".grid { stroke: var(--grid); fill: none; }", ".truth { stroke: var(--green); stroke-width: 1.5; fill: none; }",
        ".dot { fill: var(--blue); }", ".wrong { stroke: var(--red); stroke-width: 2; fill: none; }",
        ".whisker { stroke: var(--ink); stroke-width: 1.5; fill: none; }",
        ".outline { stroke: var(--green); stroke-dasharray: 4 3; fill: none; }",
        ".window { stroke: var(--amber); stroke-dasharray: 5 3; fill: var(--amber); fill-opacity: .15; }",
    ]  # fmt: skip
    return "\n".join([*fonts, *fills, *bars, *lines])
