"""Pictures, or parts of them, that are something else for a moment, and then the old scene goes on."""

from collections.abc import Sequence

import numpy as np

from vedit.analysis.anomalies.moment import Kind, Suspicion
from vedit.analysis.anomalies.surprise import FAR, LEAST, Mask, Surprise, between
from vedit.steps.evidence import Step

LONGEST = 5
"""Pictures that it lasts at most."""
SMALLEST = 0.012
"""Part of the picture that surprises at least."""
WHOLE = 0.6
"""Part of the picture from which all of it is something else."""
BACK_AGAIN = 0.4
"""What is left of the surprise when the pictures before and after are compared, where the old scene is back."""
LEAVES = 0.5
"""Surprise of the way back, in parts of that of the way there."""
UNFORESEEN = 2.5
"""dB by which a glitch is foreseen worse than what is beside it: it is like what moves fast."""
CALM = 0.4
"""The same of the two steps before and the two after it: what moves on surprises again."""


def interruption(window: Sequence[Step], at: int, seen: Surprise | None) -> Suspicion | None:
    """A foreign frame or a glitch that begins at a place where it surprises."""
    if at < 2 or seen is None or seen.area < SMALLEST:
        return None
    for stop in range(at + 1, min(len(window), at + LONGEST + 1)):
        leaving = window[stop].unexplained
        where = seen.where
        if leaving is None or leaving[where].mean() < LEAVES * seen.now[where].mean():
            continue
        if not calm(window, (at - 2, at - 1, stop + 1, stop + 2), seen.where, CALM * seen.now[where].mean()):
            continue
        left = between(window[at - 1].picture, window[stop].picture)
        share = float(left[where].mean() / seen.now[where].mean())
        if share > BACK_AGAIN:
            continue
        return _told(window, at, stop, seen, share)
    return None


def _told(window: Sequence[Step], at: int, stop: int, seen: Surprise, share: float) -> Suspicion:
    kind: Kind = "foreign frame" if _alien(window, at, stop, seen) >= WHOLE else "glitch"
    odds = min(BACK_AGAIN / max(share, 0.05), 1 + (seen.area - SMALLEST) / 0.05)
    return Suspicion(
        kind, window[at].index, window[stop].index, odds, UNFORESEEN if kind == "glitch" else 0.0
    )


def _alien(window: Sequence[Step], at: int, stop: int, seen: Surprise) -> float:
    """The part of the picture that is something else, at the picture that has most of it."""
    return max(
        float(
            (between(window[k].picture, window[at - 1].picture) > np.maximum(FAR * seen.usual, LEAST)).mean()
        )
        for k in range(at, stop)
    )


def calm(window: Sequence[Step], places: Sequence[int], where: Mask, most: float) -> bool:
    """Whether the steps at these places leave no more than so many levels unexplained in an area."""
    for k in places:
        other = window[k].unexplained if 0 <= k < len(window) else None
        if other is not None and float(other[where].mean()) > most:
            return False
    return True


def touching(where: Mask) -> float:
    """The part of an area that lies at the picture's border."""
    edge = np.ones_like(where)
    edge[1:-1, 1:-1] = False
    return float((where & edge).sum() / max(1, where.sum()))
