"""How much every picture of a film is worth showing."""

import numpy as np
from numpy.typing import NDArray

from vedit.analysis.found import Analysis
from vedit.analysis.sound import SILENT

Values = NDArray[np.float64]

OBJECTS, CAMERA, SOUND, SHARP, COLOUR = 0.35, 0.15, 0.2, 0.2, 0.1
"""What each weighs: motion before the camera, the camera's, sound, sharpness, colour."""
BLACK = 0.06
"""Brightness under which a picture with no more contrast than that is black."""
PLAIN = 0.015
"""Contrast under which a picture shows nothing."""
BLURRED = 0.3
"""Part of the film's median sharpness under which a picture is blurred."""
SETTLE = 2
"""Pictures next to a cut that are not shown: codecs and dissolves leave traces there."""


def interest(found: Analysis) -> Values:
    """How interesting each picture is, ``(F,)`` in [0, 1]: against the film's own range, not an absolute one."""
    series = {name: np.nan_to_num(np.array(values, np.float64)) for name, values in found.series.items()}
    worth = (
        OBJECTS * placed(series["objects"])
        + CAMERA * placed(series["camera"])
        + SHARP * placed(series["sharpness"])
        + COLOUR * placed(series["colourfulness"])
    )
    if found.sound is None:
        return worth / (1 - SOUND)
    return worth + SOUND * placed(levels_of_pictures(found))


def usable(found: Analysis) -> NDArray[np.bool_]:
    """Which pictures may be shown: not black, plain, blurred or right beside a cut."""
    brightness, contrast, sharpness = (
        np.array(found.series[name]) for name in ("brightness", "contrast", "sharpness")
    )
    black = (brightness < BLACK) & (contrast < BLACK)
    kept = ~black & (contrast >= PLAIN)
    if kept.any():
        kept &= sharpness >= BLURRED * np.median(sharpness[kept])
    for shot in found.shots:
        if shot.stop - shot.start > 4 * SETTLE:
            if shot.start > 0:
                kept[shot.start : shot.start + SETTLE] = False
            if shot.stop < found.frames:
                kept[shot.stop - SETTLE : shot.stop] = False
    return np.asarray(kept, np.bool_)


def levels_of_pictures(found: Analysis) -> Values:
    """The sound's level while each picture is shown, in dB."""
    assert found.sound is not None  # noqa: S101 - the caller looked
    levels, window = np.array(found.sound.values, np.float64), found.sound.window
    places = [int(found.time(i) / window) for i in range(found.frames)]
    return np.where(np.array(places) < len(levels), levels[np.minimum(places, len(levels) - 1)], SILENT)


def placed(values: Values) -> Values:
    """Where values lie between the film's 5th and 95th percentile, in [0, 1]; half where all are alike."""
    low, high = np.percentile(values, [5, 95])
    if high - low < 1e-9:
        return np.full_like(values, 0.5)
    return np.asarray(np.clip((values - low) / (high - low), 0, 1))
