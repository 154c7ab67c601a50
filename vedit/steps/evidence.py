"""What each picture of a film tells about how it follows the ones before: measured once, held for a while."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vedit.flow.estimate import dis_flow
from vedit.steps.picture import Picture

Numbers = NDArray[np.float32]

BLOCK = 8
"""Pixels of a block's side."""
TINY = 40
"""Columns of the picture that whole pictures are compared by: grain is gone, and small motion shows as a little
change."""
BACK = 34
"""Pictures before one that it is compared with."""
REACH = 40
"""Pictures on either side of one by which it is known what is usual around it."""


@dataclass(frozen=True, eq=False)
class Step:
    """A picture, and how it follows the one before; blocks are ``(h, w)``, differences in levels of 255.

    ``picture`` is small RGB (the size that motion is searched at), ``back[k - 1]`` its distance from the picture ``k``
    before, ``change`` the blocks' difference from the one before and ``change2`` from the one before that.
    ``residual`` is what the motion ``flow`` ``(h, w, 2)``, in pixels from the picture before, leaves unexplained of
    ``change``; on the grid of the picture before. Both are None where no motion was searched.
    """

    index: int
    cut: bool
    picture: Picture
    tiny: Numbers
    brightness: float
    back: Numbers
    change: Numbers | None
    change2: Numbers | None
    flow: Numbers | None
    residual: Numbers | None

    @cached_property
    def moved(self) -> float:
        """The change of the tenth of the blocks that changed most; 0 for the film's first."""
        return 0.0 if self.change is None else largest(self.change, 0.1)

    @property
    def unexplained(self) -> Numbers | None:
        """The residual, or all the change where there is none."""
        return self.change if self.residual is None else self.residual


class Watch:
    """Makes steps of a film's pictures as they go by; holds the last of them."""

    def __init__(self) -> None:
        self._tiny: deque[Numbers] = deque(maxlen=BACK)
        self._before: deque[Picture] = deque(maxlen=2)

    def step(self, index: int, picture: Picture, flow: Tensor | None, *, cut: bool) -> Step:
        """The step to the next picture, given small, and the flow ``(2, H, W)`` to it from the one before."""
        tiny = shrunk(picture)
        back = np.array(
            [cv2.norm(tiny, other, cv2.NORM_L1) / tiny.size for other in reversed(self._tiny)], np.float32
        )
        before = self._before[-1] if self._before else None
        if flow is None and cut and before is not None:  # a jump may look like a cut
            flow = flow_between(before, picture)
        made = Step(
            index,
            cut,
            picture,
            tiny,
            float(tiny.mean()),
            back,
            None if before is None else difference(picture, before),
            difference(picture, self._before[0]) if len(self._before) > 1 else None,
            None if flow is None else blocks(np.ascontiguousarray(flow.permute(1, 2, 0).numpy())),
            None if flow is None or before is None else residual(before, picture, flow),
        )
        self._tiny.append(tiny)
        self._before.append(picture)
        return made


def flow_between(before: Picture, after: Picture) -> Tensor:
    """The motion ``(2, H, W)`` from one picture to another, in pixels."""
    return dis_flow(as_tensor(before), as_tensor(after), quality="draft")


def as_tensor(picture: Picture) -> Tensor:
    """A picture as ``(3, H, W)`` in [0, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float().div_(255)


def shrunk(picture: Picture) -> Numbers:
    """A picture as few and soft colours, ``(h, w, 3)`` in levels."""
    height = max(2, round(TINY * picture.shape[0] / picture.shape[1]))
    soft = cv2.GaussianBlur(picture, (0, 0), 2.0)
    return np.asarray(cv2.resize(soft, (TINY, height), interpolation=cv2.INTER_AREA), np.float32)


def blocks(values: Numbers) -> Numbers:
    """Means over blocks."""
    height, width = values.shape[:2]
    size = max(1, width // BLOCK), max(1, height // BLOCK)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def difference(picture: Picture, other: Picture) -> Numbers:
    """How far two pictures differ, block by block."""
    return np.asarray(blocks(np.asarray(cv2.absdiff(picture, other), np.float32)).mean(axis=2), np.float32)


def residual(before: Picture, after: Picture, flow: Tensor) -> Numbers:
    """What the motion from one picture to another does not explain of either, block by block.

    Of the first it is what is gone, of the second what is new; for the latter the motion is followed back as it came,
    which is near enough where a new search would find something like what is new anywhere.
    """
    height, width = before.shape[:2]
    dx, dy = flow.numpy()
    x, y = np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)[:, None]
    gone, new = (
        difference(
            picture,
            np.asarray(
                cv2.remap(
                    other, x + way * dx, y + way * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
                ),
                np.uint8,
            ),
        )
        for picture, other, way in ((before, after, np.float32(1)), (after, before, np.float32(-1)))
    )
    return np.maximum(gone, new)


def largest(values: Numbers, share: float) -> float:
    """The mean of a share of values, the largest."""
    flat = np.sort(values.ravel())
    return float(flat[min(int(len(flat) * (1 - share)), len(flat) - 1) :].mean())


def distance(window: Sequence[Step], first: int, second: int) -> float:
    """How far two pictures of a window are apart, at most ``BACK`` places from each other."""
    low, high = min(first, second), max(first, second)
    if low == high:
        return 0.0
    known = window[high].back
    return float(known[high - low - 1])


def alike(first: Numbers, second: Numbers) -> float:
    """The correlation of two pictures' luma, whatever its level and contrast."""
    a, b = (picture.mean(axis=2).ravel() for picture in (first, second))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 1e-3 else 0.0


def middle(values: Sequence[float]) -> float:
    """The median; 0 of nothing."""
    return float(np.median(values)) if len(values) else 0.0
