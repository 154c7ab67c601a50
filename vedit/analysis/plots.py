"""What was measured of a film as lines to be drawn over its time."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isnan, log10, nan

from vedit.analysis.found import Analysis
from vedit.report.plots import HEIGHT, WIDTH, Line, Plot, Tick, axis, path, reduced

QUIET = -60.0
"""dB below which no sound is drawn: nobody hears it beside the rest."""


@dataclass(frozen=True)
class Drawn:
    """How measures are drawn: their words, decimals, what they are multiplied by, and a line for each."""

    title: str
    unit: str
    meaning: str
    decimals: int
    scale: float
    lines: tuple[tuple[str, str], ...]
    """Words and the name of the measure."""


DRAWN = {
    "motion": Drawn(
        *("Motion", "% of the width/s", "camera, and what moves before it", 1, 100),
        (("camera", "camera"), ("objects", "objects")),
    ),
    "brightness": Drawn(
        *("Light", "%", "mean luma, and its spread", 0, 100),
        (("brightness", "brightness"), ("contrast", "contrast")),
    ),
    "sharpness": Drawn(
        "Sharpness", "levels", "detail; low is blurred or plain", 1, 1, (("sharpness", "sharpness"),)
    ),
    "colour": Drawn(
        *("Colourfulness", "", "0 is grey, 45 quite, 80 highly colourful", 0, 1),
        (("colourfulness", "colourfulness"),),
    ),
}


def plots(found: Analysis) -> list[Plot]:
    """The plots of all measures that have values, and of the sound's level first."""
    length = float(found.duration)
    made = [sound_plot(found, length)] if found.sound is not None else []
    seconds = [float(found.time(i)) for i in range(found.frames)]
    for name, how in DRAWN.items():
        rows = [
            (at, *(how.scale * found.series[measure][i] for _, measure in how.lines))
            for i, at in enumerate(seconds)
        ]
        known = [value for row in rows for value in row[1:] if not isnan(value)]
        if known:
            made.append(
                drawn(
                    name,
                    how,
                    reduced(rows, high_is_good=False),
                    length,
                    *axis(0.0, max(known), from_zero=True),
                )
            )
    return made


def sound_plot(found: Analysis, length: float) -> Plot:
    """The sound's level; each window at its middle."""
    assert found.sound is not None  # noqa: S101 - the caller looked
    window = float(found.sound.window)
    rows = [
        (min(length, (i + 0.5) * window), value if value > QUIET else nan)
        for i, value in enumerate(found.sound.values)
    ]
    how = Drawn(
        "Sound", "dB", "RMS of the main track, of full scale; gaps are silence", 1, 1, (("level", ""),)
    )
    return drawn(
        "sound",
        how,
        reduced(rows, high_is_good=False),
        length,
        QUIET,
        0.0,
        [QUIET, QUIET * 2 / 3, QUIET / 3, 0.0],
    )


def drawn(
    name: str,
    how: Drawn,
    rows: Sequence[tuple[float, ...]],
    length: float,
    low: float,
    high: float,
    ticks: Sequence[float],
) -> Plot:
    """A plot of rows of (seconds, value, …) on an axis."""
    lines = []
    for column, (words, _) in enumerate(how.lines, 1):
        points = [(WIDTH * row[0] / length, HEIGHT * (high - row[column]) / (high - low)) for row in rows]
        values = tuple(None if isnan(row[column]) else round(row[column], 4) for row in rows)
        lines.append(Line(words, path(points), values))
    places = max(0, -floor(log10(ticks[1] - ticks[0]))) if len(ticks) > 1 else how.decimals
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
