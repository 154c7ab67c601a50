"""Points followed through the steps around one, and whether they move as if time had been lost there.

Where pictures are missing, points go on along the paths that they were on, but further. A smooth path through their
places (a polynomial of time, least squares) then fits far better when steps are put between than when none are: the
likelihood ratio of a film with a loss of so many pictures and of one without. What shakes, or begins to move, fits
neither better.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from vedit.steps.evidence import BLOCK, Numbers, Step

STEPS = 4
"""Steps on either side that points are followed through, at most."""
FEWEST = 2
"""At least."""
WITHIN = 12
"""Steps on either side among which they are looked for: those that show the same again are passed over."""
REPEATS = 0.2
"""Change of a step, in parts of those beside it, under which it shows the same again."""
DEGREE = 3
"""Of the polynomials: paths bend."""
LOST = 6
"""Pictures, at most, that are supposed to be missing."""
NOISE = 0.04
"""Square pixels by which a place is found wrong."""


@dataclass(frozen=True)
class Followed:
    """``longer``: the logarithm of how many times as far the points go at a step as at any beside it.

    ``gained``: how much likelier their paths are with pictures missing than without, the mean of the logarithms over
    the points, each counted by how fast it is.
    """

    longer: float
    gained: float


def fresh(window: Sequence[Step], at: int, way: int, most: int, within: int) -> list[Step]:
    """The steps beside one that show something new, up to a cut, the nearest first; ``way`` is -1 for those before."""
    found: list[Step] = []
    k = at + way
    while 0 < k < len(window) and abs(k - at) < within and len(found) < most and not window[k].cut:
        beside = max(window[j].moved for j in range(max(0, k - 2), min(len(window), k + 3)) if j != k)
        if window[k].moved >= REPEATS * beside and window[k].flow is not None:
            found.append(window[k])
        k += way
    return found


def follow(window: Sequence[Step], at: int) -> Followed | None:
    """How the points of the picture before a step go on; None where too few steps are known."""
    flow = window[at].flow
    before, after = (fresh(window, at, way, STEPS, WITHIN) for way in (-1, 1))
    if flow is None or min(len(before), len(after)) < FEWEST:
        return None
    places = _places(flow, before, after)
    height, width = (BLOCK * side for side in flow.shape[:2])
    inside = ((places >= 0) & (places < (width, height))).all(axis=(0, 3))
    steps = np.diff(places, axis=0)
    here = len(before)
    ways = (np.hypot(steps[..., 0], steps[..., 1]) * inside).sum(axis=(1, 2))
    longer = float(np.log((ways[here] + 1) / (max(np.delete(ways, here)) + 1)))
    usual = steps[[here - 2, here - 1, here + 1, here + 2]].mean(axis=0)
    speed = np.where(inside, np.hypot(usual[..., 0], usual[..., 1]), 0)
    left = np.stack([_left(places, len(before), lost) for lost in range(LOST + 1)])
    misfit = np.where(inside, left, 0) / (len(places) - DEGREE - 1)
    gains = (np.log((NOISE + misfit[0]) / (NOISE + misfit[1:])) * speed).sum(axis=(1, 2)) / (
        speed.sum() + 1e-3
    )
    return Followed(longer, float(gains.max()))


def _places(flow: Numbers, before: Sequence[Step], after: Sequence[Step]) -> Numbers:
    """Where the blocks' middles of the picture before a step are in each picture, ``(n, h, w, 2)`` in pixels."""
    height, width = flow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    start = np.stack([x, y], axis=2) * BLOCK + np.float32((BLOCK - 1) / 2)
    places, at = [start], start
    for step in before:
        if step.flow is not None:
            # Where a point was is where the flow leads to it from: found in two rounds.
            at = at - _sample(step.flow, at - _sample(step.flow, at))
            places.insert(0, at)
    at = start + flow
    places.append(at)
    for step in after:
        if step.flow is not None:
            at = at + _sample(step.flow, at)
            places.append(at)
    return np.stack(places)


def _sample(flow: Numbers, places: Numbers) -> Numbers:
    """A flow known at the blocks' middles, at any places."""
    on = ((places - (BLOCK - 1) / 2) / BLOCK).astype(np.float32)
    x, y = np.ascontiguousarray(on[..., 0]), np.ascontiguousarray(on[..., 1])
    return np.asarray(cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)


def _left(places: Numbers, before: int, lost: int) -> Numbers:
    """Square pixels that smooth paths miss the places by, if so many pictures are missing; for each block."""
    off = np.tensordot(_misfit(before, len(places) - before - 2, lost), places, axes=1)
    return np.asarray(np.square(off).sum(axis=(0, 3)), np.float32)


@cache
def _misfit(before: int, after: int, lost: int) -> Numbers:
    """What takes places over time to what a polynomial misses them by, ``(n, n)``."""
    times = np.arange(-before, after + 2, dtype=np.float64)
    times[before + 1 :] += lost
    powers = np.vander(times / np.abs(times).max(), DEGREE + 1)
    return np.asarray(np.eye(len(times)) - powers @ np.linalg.pinv(powers), np.float32)
