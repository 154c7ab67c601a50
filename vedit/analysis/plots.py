"""What was measured of a film as plots over its time."""

from math import nan

from vedit.analysis.found import Analysis
from vedit.pages.plots import Drawn, Plot, plot

QUIET = -60.0
"""dB below which no sound is drawn: nobody hears it beside the rest."""

DRAWN = {
    "motion": Drawn(
        *("Motion", "% of the width/s", "camera, and what moves before it", 1),
        (("camera", "result", "camera"), ("objects", "reference", "objects")),
    ),
    "brightness": Drawn(
        *("Light", "%", "mean luma, and its spread", 0),
        (("brightness", "result", "brightness"), ("contrast", "reference", "contrast")),
    ),
    "sharpness": Drawn(
        "Sharpness", "levels", "detail; low is blurred or plain", 1, (("", "result", "sharpness"),)
    ),
    "colour": Drawn(
        *("Colourfulness", "", "0 is grey, 45 quite, 80 highly colourful", 0),
        (("", "result", "colourfulness"),),
    ),
}
SOUND = Drawn(
    "Sound", "dB", "RMS of the main track, of full scale; gaps are silence", 1, (("", "result", "level"),)
)


def plots(found: Analysis) -> list[Plot]:
    """The plots of all measures that have values, and of the sound's level first."""
    length = float(found.duration)
    made = [sound_plot(found, length)] if found.sound is not None else []
    seconds = [float(found.time(i)) for i in range(found.frames)]
    for name, how in DRAWN.items():
        scale = 100 if how.unit.startswith("%") else 1
        rows = [
            (at, *(scale * found.series[measure][i] for *_, measure in how.lines))
            for i, at in enumerate(seconds)
        ]
        if (drawn := plot(name, how, rows, length)).known:
            made.append(drawn)
    return made


def sound_plot(found: Analysis, length: float) -> Plot:
    """The sound's level, each window's from its beginning on."""
    assert found.sound is not None  # noqa: S101 - the caller looked
    window = float(found.sound.window)
    rows = [
        (min(length, i * window), value if value > QUIET else nan)
        for i, value in enumerate(found.sound.values)
    ]
    return plot("sound", SOUND, rows, length, ends=(QUIET, 0.0))
