"""A burst of light, or of dark, that goes as it came."""

from collections.abc import Sequence

import numpy as np

from vedit.analysis.anomalies.moment import Suspicion
from vedit.steps.evidence import Numbers, Step, alike, middle

LONGEST = 8
"""Pictures that it lasts at most."""
BURST = 9.0
"""Levels by which the mean must rise or fall."""
SUDDEN = 5.0
"""The same, in what brightness usually changes by from picture to picture."""
RETURNS = 0.35
"""Part of the burst that may be left after it."""
SAME = 0.75
"""Correlation of what is seen with the pictures beside that says that only the light is another."""
CLIPPED = 0.5
"""Part of the picture that is plain white or black from which no more is asked."""
EVERYWHERE = 0.75
"""Part of the picture that must get lighter, or darker, of what can."""


def flash(window: Sequence[Step], at: int) -> Suspicion | None:
    """A flash that begins at a place."""
    if at < 2:
        return None
    light = [step.brightness for step in window]
    rise = light[at] - light[at - 1]
    usual = middle(np.abs(np.diff(light)).tolist())
    least = max(BURST, SUDDEN * usual)
    if abs(rise) < least:
        return None
    for stop in range(at + 1, min(len(window), at + LONGEST + 1)):
        burst = light[at:stop]
        peak = max(burst, key=lambda value: abs(value - light[at - 1])) - light[at - 1]
        left = light[stop] - light[at - 1]
        if abs(left) <= RETURNS * abs(peak) and peak * rise > 0:
            top = max(range(at, stop), key=lambda k: abs(light[k] - light[at - 1]))
            same = max(alike(window[top].tiny, window[k].tiny) for k in (at - 1, stop))
            if same < SAME and _clipped(window[top].tiny) < CLIPPED:
                return None
            if _lit(window[at - 1].tiny, window[top].tiny, rise > 0) < EVERYWHERE:
                return None
            # A flash that fades ends where little of it is left.
            return Suspicion("flash", window[at].index, window[stop].index, abs(rise) / least)
    return None


def _lit(before: Numbers, after: Numbers, lighter: bool) -> float:
    """The part of a picture that gets lighter, or darker; where it could not any more does not count."""
    a, b = (picture.mean(axis=2) if lighter else 255 - picture.mean(axis=2) for picture in (before, after))
    can = a < 240
    return float((b > a + 3)[can].mean()) if can.any() else 1.0


def _clipped(picture: Numbers) -> float:
    return float(((picture > 245) | (picture < 10)).all(axis=2).mean())
