"""Line charts as SVG: sharp on any screen, and a few kilobytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10

from utils.report.markup import Html, element, joined

WIDTH, HEIGHT = 560, 320
LEFT, RIGHT, TOP, BOTTOM = 78, 14, 14, 52
COLOURS = ("#b3203a", "#1f77b4", "#2a9d6f", "#e8742c", "#7d4fa3", "#8a6d3b", "#0e8f9e", "#d0609f")
INK = "#1f2a33"


@dataclass(frozen=True)
class Line:
    """`points` (x, y) joined by straight lines, or by steps; what is not finite is a gap. A `strong` one is thick and
    dark.
    """

    name: str
    points: Sequence[tuple[float, float]]
    steps: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Axis:
    """`low` to `high`, with the power of ten as the unit of length where `log`."""

    label: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """0..1 along the axis."""
        if self.log:
            low, high = log10(self.low), log10(self.high)
            # 0 has no logarithm: it is drawn at the low end
            return (log10(max(value, self.low)) - low) / (high - low)
        return (value - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self) -> list[float]:
        """About five round numbers."""
        if self.log:
            return [10.0**n for n in range(round(log10(self.low)), round(log10(self.high)) + 1)]
        raw = (self.high - self.low) / 5 or 1.0
        step = 10.0 ** floor(log10(raw))
        # 0.999, and 1 + 1e-9 below: a rounding error must cost neither the step that fits exactly nor the last tick
        step *= next(m for m in (1, 2, 5, 10) if m * step >= raw * 0.999)
        first = -(-self.low // step)  # rounded up: the first multiple of the step on the axis
        return [round((first + n) * step, 10) for n in range(8) if (first + n) * step <= self.high * (1 + 1e-9)]


def line_chart(title: str, lines: Sequence[Line], x: Axis, y: Axis) -> Html:
    """A chart with its legend; the title is what a screen reader says."""
    drawn, legend = [_frame(x, y)], []
    thin = 1.5 if any(line.strong for line in lines) else 2.5
    for number, line in enumerate(lines):
        path = _path(line, x, y)
        colour, width = (INK, 3.5) if line.strong else (COLOURS[number % len(COLOURS)], thin)
        drawn.append(
            Html(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}" stroke-linecap="round"/>')
        )
        legend.append(element("span", Html(f'<i style="background:{colour}"></i>'), line.name))
    picture = element("svg", *drawn, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=title)
    caption = element("figcaption", element("b", title), element("div", *legend, class_="legend"))
    return element("figure", caption, picture, class_="chart")


def _x(place: float) -> float:
    return LEFT + place * (WIDTH - LEFT - RIGHT)


def _y(place: float) -> float:
    return HEIGHT - BOTTOM - place * (HEIGHT - TOP - BOTTOM)


def _frame(x: Axis, y: Axis) -> Html:
    parts = []
    for value in y.ticks():
        height = _y(y.place(value))
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{height:.1f}" y2="{height:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{height + 5:.1f}" text-anchor="end">{value:g}</text>')
    for value in x.ticks():
        left = _x(x.place(value))
        parts.append(f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="grid"/>')
        parts.append(f'<text x="{left:.1f}" y="{HEIGHT - BOTTOM + 21}" text-anchor="middle">{value:g}</text>')
    middle, low = (WIDTH + LEFT) / 2, (HEIGHT - BOTTOM) / 2
    label = element("text", x.label, x=middle, y=HEIGHT - 6, text_anchor="middle")
    side = element("text", y.label, x=18, y=low, text_anchor="middle", transform=f"rotate(-90 18 {low})")
    return joined([Html("".join(parts)), label, side])


def _path(line: Line, x: Axis, y: Axis) -> str:
    words, pen, before = [], "M", 0.0
    for a, b in line.points:
        if not (isfinite(a) and isfinite(b)):
            pen = "M"  # the next finite point starts a new stretch, which leaves the gap
            continue
        if line.steps and x.place(a) > 1:  # the step that leaves the axis lies outside: no wall at its end
            words.append(f"L{_x(1):.1f} {before:.1f}")
            break
        left, top = _x(min(max(x.place(a), 0), 1)), _y(min(max(y.place(b), 0), 1))
        if line.steps and pen == "L":
            words.append(f"L{left:.1f} {before:.1f}")  # first across at the old height, then up or down
        words.append(f"{pen}{left:.1f} {top:.1f}")
        pen, before = "L", top
    if len(line.points) == 1 and words:
        words.append("h0.1")  # a path of one point would draw nothing
    return "".join(words)
