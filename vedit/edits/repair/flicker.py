"""Flicker: the exposure of each frame brought to the line that the frames around it follow."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vedit.edits.neighbours import windows
from vedit.edits.repair.overlay import bordered
from vedit.frame import Finding, Frame, Shot

REACH = 8
"""Frames on either side that are looked at."""
ENOUGH = 9
"""Frames that must follow one another without a change of light."""
SMALL = 96
"""The longer side at which exposure is measured."""
LARGEST = 0.2
"""Change of a logarithm of exposure from one frame to the next above which light has changed, and no flicker has."""
UNSTEADY = 0.008
"""Standard deviation about the line, of the logarithm, from which frames flicker: two levels of 255."""
BACK_AND_FORTH = 0.3
"""Part of the steps at which flicker crosses the line; what moves about it slowly is how the film is lit."""
SEEN = 0.004
"""The least change that is made."""
DARK, BRIGHT = 0.06, 0.94
"""Between these a pixel says what exposure is."""

Gain = npt.NDArray[np.float64]


def without_flicker(frames: Iterable[Frame], shot: Shot, *, preview: bool) -> Iterator[Frame]:
    """The frames of a shot in even exposure, red, green and blue apart; eight frames ahead are held.

    From frame to frame the median of the logarithm of brightness over all pixels says how exposure changes, whatever
    moves. A line through the sums of that keeps fades; a change of light ends it on that side.
    """
    for window, at in windows(_gains(frames), REACH):
        frame = window[at][0]
        change = _correction(np.array([gain for _, gain in window]), at)
        if change is None:
            yield frame
            continue
        seconds = float(shot.timing.time(frame.pts))
        shot.notes.find(Finding("flicker", frame.index, seconds, mended=not preview))
        if preview:
            yield bordered(frame, "flicker")
            continue
        pixels = frame.pixels.clone()
        factor = torch.from_numpy(np.exp(change)).to(pixels).view(3, 1, 1)
        pixels[:3] = (pixels[:3] * factor).clamp(0, 1)
        yield frame.edited(pixels)


def _gains(frames: Iterable[Frame]) -> Iterator[tuple[Frame, Gain]]:
    """Each frame with the change of exposure ``(3,)`` since the one before, as logarithms."""
    before: npt.NDArray[np.float32] | None = None
    for frame in frames:
        rows = np.ascontiguousarray(frame.pixels[:3].permute(1, 2, 0).cpu().numpy())
        frame.forget()
        scale = min(1.0, SMALL / max(rows.shape[:2]))
        size = (max(1, round(rows.shape[1] * scale)), max(1, round(rows.shape[0] * scale)))
        small = np.asarray(cv2.resize(rows, size, interpolation=cv2.INTER_AREA), np.float32)
        yield frame, np.zeros(3) if before is None else _gain(before, small)
        before = small


def _gain(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32]) -> Gain:
    gains = np.zeros(3)
    for channel in range(3):
        first, second = before[..., channel], after[..., channel]
        known = (first > DARK) & (first < BRIGHT) & (second > DARK) & (second < BRIGHT)
        if known.mean() > 0.05:
            gains[channel] = np.median(np.log(second[known]) - np.log(first[known]))
    return gains


def _correction(gains: Gain, at: int) -> Gain | None:
    """What brings the frame at a place ``(3,)`` to the line through its neighbours; None if they do not flicker."""
    still = np.abs(gains).max(1) <= LARGEST
    first = last = at
    while first > 0 and still[first]:
        first -= 1
    while last + 1 < len(gains) and still[last + 1]:
        last += 1
    levels = np.cumsum(np.concatenate([np.zeros((1, 3)), gains[first + 1 : last + 1]]), 0)
    if len(levels) < ENOUGH:
        return None
    place = np.arange(len(levels)) - (at - first)
    basis = np.stack([np.ones(len(place)), place], 1)
    rest = levels - basis @ np.linalg.lstsq(basis, levels, rcond=None)[0]
    mean = rest.mean(1)
    crossed = float((np.sign(mean[1:]) != np.sign(mean[:-1])).mean())
    change = -rest[at - first]
    if mean.std() < UNSTEADY or crossed < BACK_AND_FORTH or float(np.abs(change).max()) < SEEN:
        return None
    return np.asarray(change, np.float64)
