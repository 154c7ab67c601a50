"""Masks that drop out for a few frames, put back."""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.frame import Frame, Shot

LONGEST = 3
"""More empty frames than this in a row are taken to be meant."""
LEAST_LIKENESS = 0.5
"""Intersection over union of the masks before and after, laid over each other, below which they are two things."""


def bridged(masked: Iterator[tuple[Frame, Tensor]], name: str, shot: Shot) -> Iterator[tuple[Frame, Tensor]]:
    """The same with up to three empty masks between two alike ones filled in; said once in ``shot.notes``.

    In a gap the mask is the one before and the one after, each moved to where a straight way between the two would
    have it, together. Holds three frames at most.
    """
    before: Tensor | None = None
    gap: list[tuple[Frame, Tensor]] = []
    filled: list[int] = []
    for frame, mask in masked:
        if not mask.any() and before is not None and len(gap) < LONGEST:
            frame.forget()
            gap.append((frame, mask))
            continue
        if gap:
            between = _between(before, mask, len(gap)) if before is not None and mask.any() else None
            for place, (held, empty) in enumerate(gap):
                if between is not None:
                    filled.append(held.index)
                yield held, empty if between is None else between[place]
            gap = []
        before = mask if mask.any() else None
        yield frame, mask
    yield from gap
    if filled:
        shot.notes.warn(f"mask {name} is empty for a moment and was bridged in frames {spans(filled)}")


def spans(indices: list[int]) -> str:
    """Rising frame numbers in words: ``3-5, 9``."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


def _between(before: Tensor, after: Tensor, count: int) -> list[Tensor] | None:
    """Masks on the way from one to the other; None where they are not the same thing."""
    first, last = (m[0].to(torch.uint8).cpu().numpy() for m in (before, after))
    way = _centre(last) - _centre(first)
    met = _moved(first, way)
    likeness = np.count_nonzero(met & last) / np.count_nonzero(met | last)
    size = np.sqrt(max(np.count_nonzero(first), np.count_nonzero(last)))
    if likeness < LEAST_LIKENESS or np.hypot(*way) > (count + 1) * size:
        return None
    parts = [(place + 1) / (count + 1) for place in range(count)]
    return [
        torch.from_numpy(_moved(first, way * part) | _moved(last, way * (part - 1)))[None].to(before)
        for part in parts
    ]


def _centre(
    mask: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    moments = cv2.moments(mask, binaryImage=True)
    return np.array([moments["m10"], moments["m01"]]) / moments["m00"]


def _moved(
    mask: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], way: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    matrix = np.array([[1, 0, way[0]], [0, 1, way[1]]])
    size = (mask.shape[1], mask.shape[0])
    return np.asarray(cv2.warpAffine(mask, matrix, size, flags=cv2.INTER_NEAREST), np.uint8)
