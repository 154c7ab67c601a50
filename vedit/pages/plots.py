"""Numbers over time as lines to be drawn: paths, ticks, and the points that a page can read out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isnan, log10

from vedit.pages.words import clock

POINTS = 800
"""Of a line at most: a longer film's pictures are taken together, each run by its worst."""
STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds between two ticks of time."""
WIDTH, HEIGHT = 1000, 100
"""Units of the drawing, which is stretched over whatever room there is."""


@dataclass(frozen=True)
class Line:
    """One measure over time: ``whose`` or what it is, empty where that is plain, and SVG path data."""

    whose: str
    colour: str
    path: str
    values: tuple[float | None, ...]


@dataclass(frozen=True)
class Tick:
    """A place on an axis, as a part of its length, and what is written there."""

    at: float
    text: str


@dataclass(frozen=True)
class Plot:
    """Lines over one axis of time, with the number of ``decimals`` that their values are shown with."""

    name: str
    title: str
    unit: str
    meaning: str
    decimals: int
    seconds: tuple[float, ...]
    lines: tuple[Line, ...]
    ticks: tuple[Tick, ...]

    @property
    def known(self) -> bool:
        """Whether there is anything to see."""
        return any(value is not None for line in self.lines for value in line.values)

    @property
    def summary(self) -> str:
        """The plot in words, for whoever cannot see it."""
        words = []
        for line in self.lines:
            known = [value for value in line.values if value is not None]
            if known:
                low, high = (f"{value:.{self.decimals}f}" for value in (min(known), max(known)))
                words.append(f"{line.whose} from {low} to {high} {self.unit}".strip())
        return f"{self.title} over time: {', '.join(words) or 'nothing was measured'}"

    @property
    def points(self) -> dict[str, object]:
        """What the page's script reads out."""
        lines = [line.values for line in self.lines]
        return {"seconds": self.seconds, "lines": lines, "decimals": self.decimals}


@dataclass(frozen=True)
class Drawn:
    """How measures are drawn: in these words, whether high values are good, and a line for each."""

    title: str
    unit: str
    meaning: str
    decimals: int
    lines: tuple[tuple[str, str, str], ...]
    """Whose or what it is, the colour's name in the page's style, the name of the measure."""
    high_is_good: bool = False


def plot(
    name: str,
    how: Drawn,
    rows: Sequence[tuple[float, ...]],
    length: float,
    ends: tuple[float, float] | None = None,
) -> Plot:
    """A plot of rows of (seconds, value, …).

    Args:
        name: for the page.
        how: with as many lines as rows have values.
        rows: in order of time; NaN is a gap.
        length: seconds of the axis of time.
        ends: of the axis of values; None: those that are known, and zero where low values are good.
    """
    rows = reduced(rows, high_is_good=how.high_is_good)
    known = [value for row in rows for value in row[1:] if not isnan(value)]
    least, most = ends or (min(known, default=0.0), max(known, default=1.0))
    low, high, ticks = axis(least, most, from_zero=not how.high_is_good and ends is None)
    if how.high_is_good and not how.unit and high > 1 >= most:
        high, ticks = 1.0, [tick for tick in ticks if tick <= 1.0]
    places = max(0, -floor(log10(ticks[1] - ticks[0]))) if len(ticks) > 1 else how.decimals
    lines = []
    for column, (whose, colour, _) in enumerate(how.lines, 1):
        points = [(WIDTH * row[0] / length, HEIGHT * (high - row[column]) / (high - low)) for row in rows]
        values = tuple(None if isnan(row[column]) else round(row[column], 5) for row in rows)
        lines.append(Line(whose, colour, path(points), values))
    return Plot(
        name=name,
        title=how.title,
        unit=how.unit,
        meaning=how.meaning,
        decimals=how.decimals,
        seconds=tuple(round(row[0], 4) for row in rows),
        lines=tuple(lines),
        ticks=tuple(Tick((high - tick) / (high - low), f"{tick:.{places}f}") for tick in ticks),
    )


def reduced(rows: Sequence[tuple[float, ...]], *, high_is_good: bool) -> list[tuple[float, ...]]:
    """No more than ``POINTS`` rows of (seconds, value, …): the worst of each run, at the time of the last value's."""
    size = ceil(len(rows) / POINTS)
    if size <= 1:
        return list(rows)
    made = []
    for start in range(0, len(rows), size):
        run = rows[start : start + size]
        worst = [_worst(run, column, high_is_good) for column in range(1, len(run[0]))]
        made.append((worst[-1][0], *(row[column] for column, row in enumerate(worst, 1))))
    return made


def _worst(run: Sequence[tuple[float, ...]], column: int, high_is_good: bool) -> tuple[float, ...]:
    known = [row for row in run if not isnan(row[column])] or run
    return (min if high_is_good else max)(known, key=lambda row: row[column])


def path(points: Sequence[tuple[float, float]]) -> str:
    """SVG path data through points; a gap where y is NaN, and a short stroke for a point that stands alone."""
    parts = []
    pen = False
    for i, (x, y) in enumerate(points):
        if isnan(y):
            pen = False
            continue
        parts.append(f"{'L' if pen else 'M'}{x:.1f} {y:.1f}")
        if not pen and (i + 1 == len(points) or isnan(points[i + 1][1])):
            parts.append("h0.1")
        pen = True
    return "".join(parts)


def axis(low: float, high: float, *, from_zero: bool) -> tuple[float, float, list[float]]:
    """Ends of an axis that holds all values, and two to five round numbers on it."""
    if from_zero:
        low = 0.0
    if high - low < 1e-6:
        low, high = (0.0, 1.0) if from_zero else (high - 1, high)
    step = round_step((high - low) / 3)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return first * step, last * step, [i * step for i in range(first, last + 1)]


def round_step(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten that is no smaller."""
    power = 10.0 ** floor(log10(step))
    return power * next(n for n in (1, 2, 5, 10) if n * power >= step * (1 - 1e-9))


def time_ticks(length: float) -> list[Tick]:
    """Round times on an axis of ``length`` seconds."""
    step = next((step for step in STEPS if length / step <= 8), 2 * STEPS[-1])
    return [
        Tick(i * step / length, clock(i * step, 0 if step >= 1 else 1)) for i in range(int(length / step) + 1)
    ]
