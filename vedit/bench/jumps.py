"""Whether the loss of pictures can be seen at all: how far things jump there, and how far they go by themselves."""

from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.bench.faults import Picture
from vedit.flow.estimate import dis_flow
from vedit.steps.evidence import as_tensor, largest

Flow = NDArray[np.float32]

WIDTH = 240
"""Pixels that pictures are brought to if they are wider."""
AROUND = 10
"""Steps before the loss and after it that say how far things go by themselves."""
LEAST = 1.5
"""Pixels that the tenth of the picture that moves most jumps by at least."""
FURTHER = 1.25
"""How many times as far as at any step around it."""


def visible(pictures: Sequence[Picture], start: int, length: int) -> bool:
    """Whether a jump is to be seen when the pictures ``start`` to ``start + length - 1`` of a film are lost.

    Motion is followed from picture to picture through those that are lost: it is the true motion, not what is found
    of it without them.
    """
    first, last = max(0, start - 1 - AROUND), min(len(pictures), start + length + 1 + AROUND)
    scale = min(1.0, WIDTH / pictures[start].shape[1])
    small = [
        as_tensor(np.asarray(cv2.resize(p, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8))
        for p in pictures[first:last]
    ]
    steps = [dis_flow(a, b).permute(1, 2, 0).numpy() for a, b in pairwise(small)]
    lost = slice(start - 1 - first, start + length - first)
    around = [_size(step) for step in (*steps[: lost.start], *steps[lost.stop :])]
    return _size(_through(steps[lost])) >= max(LEAST, *(FURTHER * size for size in around))


def _size(flow: Flow) -> float:
    return largest(np.hypot(flow[..., 0], flow[..., 1]), 0.1)


def _through(steps: Sequence[Flow]) -> Flow:
    """The motion over several steps, each followed from where the one before led."""
    whole = steps[0]
    y, x = np.mgrid[: whole.shape[0], : whole.shape[1]].astype(np.float32)
    for step in steps[1:]:
        at_x, at_y = x + whole[..., 0], y + whole[..., 1]
        moved = cv2.remap(
            np.ascontiguousarray(step), at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        whole = np.asarray(whole + moved, np.float32)
    return whole
