"""Scratches: thin lines from top to bottom that stay where they are, or nearly, while the film runs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from vedit.edits.drawings import Drawing
from vedit.edits.neighbours import windows
from vedit.edits.repair.views import Mask, Plane, Plate

REFERENCE = 640
"""The width at which sizes are given."""
SIDE = 5
"""Pixels from a line's middle to what is beside it."""
STRIPS = 12
"""Parts of the height over which lines are summed up, so that they may lean and bend."""
LEAN = 2
"""Pixels that a line may go aside from one strip to the next."""
MOST = 20.0
"""Levels of contrast in one pixel that are counted: what is stronger says no more."""
NOISE = 0.15
"""Levels that the mean of a strip has for no reason."""
STRONG = 6.0
"""Standard deviations that are counted in one strip."""
SURE = 3.2
"""Mean of them along a line."""
THROUGHOUT = 0.8
"""Part of the strips in which a line must be seen, with at least half of that."""
EVERYWHERE = 0.85
"""Part of the rows in which a scratch is a ridge. On 33 clips few trunks, poles and window frames came near."""
STRAIGHT = 0.9
"""Pixels by which it bends from strip to strip, at most."""
UPRIGHT = 0.03
"""Part of the height by which it may lean from top to bottom: the film ran past what scratched it."""
PATTERN = 5
"""Lines in one frame that are a pattern, and no scratches."""
EVEN = 2
"""Frames of the five in which it must look like a scratch in all this; in the others it need only be seen."""
STAYS = 2
"""Frames on either side in which it is looked for."""
WANDERS = 4
"""Pixels that it may move in that time."""
FRAMES = 3
"""Frames of the five in which it must be."""


@dataclass(frozen=True, eq=False)
class Line:
    """A line of a frame, lighter (sign 1) or darker (-1) than its sides.

    ``x`` ``(STRIPS,)`` is its middle in each strip; ``reach`` is half its width, in pixels; ``sure`` the mean of its
    scores; ``even`` says that it is as straight and unbroken as scratches are; ``drift`` how far it goes to the
    right from one frame to the next.
    """

    sign: int
    x: npt.NDArray[np.int64]
    reach: int
    sure: float
    even: bool
    drift: float = 0.0

    def columns(self, height: int) -> Plane:
        """Its middle in every row ``(H,)``."""
        middles = (np.arange(STRIPS) + 0.5) * height / STRIPS
        return np.asarray(np.interp(np.arange(height) + 0.5, middles, self.x), np.float32)

    def mask(self, shape: tuple[int, int]) -> Mask:
        """Its pixels ``(H,W)``."""
        away = np.abs(np.arange(shape[1])[None] - self.columns(shape[0])[:, None])
        return np.asarray(away <= self.reach)


@dataclass(frozen=True, eq=False)
class Lined:
    """A drawing, its pixels, and its scratches."""

    drawing: Drawing
    plate: Plate
    lines: list[Line]


def with_lines(drawings: Iterable[Drawing]) -> Iterator[Lined]:
    """Each drawing of a shot with its scratches. Two drawings ahead are held."""

    def each() -> Iterator[Lined]:
        for drawing in drawings:
            plate = Plate(drawing.frame)
            yield Lined(drawing, plate, lines(plate.luma))

    for window, at in windows(each(), STAYS):
        here = window[at]
        wanders = WANDERS * max(1.0, here.plate.luma.shape[1] / REFERENCE)
        frames = [other.lines for other in window]
        staying = [line for line in here.lines if _stays(line, frames, wanders)]
        if len(staying) >= PATTERN:
            staying = []
        drifting = [replace(line, drift=_drift(line, frames, at, wanders)) for line in staying]
        yield replace(here, lines=drifting)


def _stays(line: Line, frames: list[list[Line]], wanders: float) -> bool:
    near = [[other for other in found if _same(line, other, wanders)] for found in frames]
    seen, even = sum(bool(found) for found in near), sum(any(one.even for one in found) for found in near)
    return len(frames) > STAYS and seen >= FRAMES and even >= EVEN


def _drift(line: Line, frames: list[list[Line]], at: int, wanders: float) -> float:
    """The median of how far it went, or will go, per frame."""
    ways = [
        float((other.x - line.x).mean()) / (place - at)
        for place, found in enumerate(frames)
        for other in found
        if place != at and _same(line, other, wanders)
    ]
    return float(np.median(ways)) if ways else 0.0


def _same(line: Line, other: Line, wanders: float) -> bool:
    return line.sign == other.sign and float(np.abs(line.x - other.x).mean()) <= wanders


def lines(luma: Plane) -> list[Line]:
    """What looks like a scratch in one picture ``(H,W)``, in levels of 255.

    A ridge is summed over the height of each strip, which lifts a contrast far below the noise above it; the best path
    through all strips is found by dynamic programming.
    """
    height, width = luma.shape
    side = max(3, round(SIDE * width / REFERENCE))
    if height < 4 * STRIPS or width < 8 * side:
        return []
    ridge = _ridge(luma, side)
    edges = np.linspace(0, height, STRIPS + 1).astype(int)
    found: list[Line] = []
    for sign in (1, -1):
        strips = np.stack([(sign * ridge[a:b]).mean(0) for a, b in pairwise(edges)])
        middle = np.median(strips, 1, keepdims=True)
        spread = 1.48 * np.median(np.abs(strips - middle), 1, keepdims=True) + NOISE
        scores = ((strips - middle) / spread).clip(-1, STRONG).astype(np.float32)
        found += _paths(scores, sign * ridge, strips, sign, side)
    found.sort(key=lambda line: -line.sure * (line.even + 1))
    # Beside a line lies another one of the opposite sign, which is what its sides look like.
    return [
        line
        for place, line in enumerate(found)
        if not any(np.abs(other.x - line.x).min() <= 2 * side for other in found[:place])
    ]


def _ridge(luma: Plane, side: int) -> Plane:
    """How far each pixel is above both its sides, or below both, at most 20 levels."""
    soft = cv2.blur(luma, (max(1, side // 2) | 1, 1))
    ridge = np.zeros_like(luma)
    middle, left, right = soft[:, side:-side], soft[:, : -2 * side], soft[:, 2 * side :]
    beside = cv2.max(cv2.min(middle, cv2.max(left, right)), cv2.min(left, right))
    ridge[:, side + 1 : -side - 1] = cv2.subtract(middle, beside)[:, 1:-1]
    return np.asarray(ridge.clip(-MOST, MOST, out=ridge), np.float32)


def _paths(scores: Plane, ridge: Plane, strips: Plane, sign: int, side: int) -> list[Line]:
    """The paths from the first strip to the last that are sure, best first, none near another."""
    total, back = scores[0], []
    kernel = np.ones((1, 2 * LEAN + 1), np.uint8)
    for row in scores[1:]:
        best = cv2.dilate(total[None], kernel)[0]
        step = np.zeros(len(total), np.int64)
        for lean in sorted(range(-LEAN, LEAN + 1), key=abs, reverse=True):
            step[np.roll(total, -lean) == best] = lean
        back.append(step)
        total = row + best
    found: list[Line] = []
    mean = total / len(scores)
    for end in np.argsort(-mean)[: 20 * side]:
        if mean[end] < SURE:
            break
        x = [int(end)]
        for step in reversed(back):
            x.append(min(max(x[-1] + int(step[x[-1]]), 0), len(total) - 1))
        path = np.array(x[::-1])
        along = scores[np.arange(len(scores)), path]
        near = any(abs(line.x - path).min() <= 2 * side for line in found)
        if not near and (along > SURE / 2).mean() >= THROUGHOUT:
            line = Line(sign, path, _reach(strips, path, side), float(mean[end]), False)
            found.append(replace(line, even=_even(line, ridge)))
    return found


def _even(line: Line, ridge: Plane) -> bool:
    rows = np.arange(len(ridge))
    everywhere = (ridge[rows, line.columns(len(rows)).round().astype(int)] > 0).mean() > EVERYWHERE
    upright = np.ptp(line.x) <= max(2.0, UPRIGHT * len(ridge))
    return bool(everywhere and upright and np.abs(np.diff(line.x, 2)).mean() < STRAIGHT)


def _reach(strips: Plane, path: npt.NDArray[np.int64], side: int) -> int:
    """Half the width over which a line is more than a third of its height."""
    width = strips.shape[1]
    around = [
        strips[np.arange(len(path)), (path + d).clip(0, width - 1)].mean() for d in range(-side, side + 1)
    ]
    above = np.flatnonzero(np.array(around) > 0.33 * max(around)) - side
    return max(1, int(np.abs(above).max())) if len(above) else 2
