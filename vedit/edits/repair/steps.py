"""How much each frame of a shot differs from those just before it, block by block."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from vedit.edits.neighbours import windows
from vedit.flow.estimate import gray
from vedit.frame import Frame
from vedit.steps.picture import Picture, reduced

Blocks = npt.NDArray[np.float32]

BLOCK = 8
"""Side of a block, in pixels."""
BACK = 2
"""Frames that each is compared with."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame, and the mean change ``(h,w)`` of its blocks from one and two frames before, in levels of 255.

    At a shot's start there are fewer. ``picture`` is the frame as small as motion is searched at. ``moved`` is the part
    of the change from the frame before that is no dirt of a single frame.
    """

    frame: Frame
    picture: Picture
    changes: tuple[Blocks, ...]
    moved: Blocks | None = None

    @cached_property
    def change(self) -> float:
        """Of the tenth of the blocks that move most."""
        return self._largest(0.9)

    @cached_property
    def spot(self) -> float:
        """Of the two hundredths of the blocks that move most: a small thing that moves before a still ground."""
        return self._largest(0.98)

    def _largest(self, share: float) -> float:
        assert self.moved is not None  # noqa: S101 - only asked of steps
        blocks = np.sort(self.moved.ravel())
        return float(blocks[min(int(len(blocks) * share), len(blocks) - 1) :].mean())


@dataclass(frozen=True, eq=False)
class Judged:
    """A frame of a shot, and what is wrong with its time.

    ``repeat``: it shows the one before again. ``hole``: how many frames are missing before it in the times of the
    film. ``jump``: one is missing before it in the motion alone.
    """

    seen: Seen
    repeat: bool = False
    hole: int = 0
    jump: bool = False

    @property
    def frame(self) -> Frame:
        return self.seen.frame


def seen(frames: Iterable[Frame]) -> Iterator[Seen]:
    """Each frame of a shot with what changed. The frames are left unconverted."""
    for window, at in windows(_changes(frames), 1):
        here, following = window[at], window[at + 1 :]
        if not here.changes:
            yield here
            continue
        # Dirt on this frame is not between the ones beside it, nor is dirt on the one before from the one before that.
        across = [one.changes[1] for one in (here, *following) if len(one.changes) > 1]
        yield replace(here, moved=np.min([here.changes[0], *across], 0))


def _changes(frames: Iterable[Frame]) -> Iterator[Seen]:
    before: deque[Blocks] = deque(maxlen=BACK)
    for frame in frames:
        luma = np.asarray(cv2.blur(gray(frame.pixels) * 255, (3, 3)), np.float32)  # against noise
        picture = np.stack([reduced(plane) for plane in frame.pixels[:3].cpu().numpy()], -1)
        frame.forget()
        picture = np.asarray((picture * 255).round(), np.uint8)
        yield Seen(frame, picture, tuple(_change(luma, other) for other in before))
        before.appendleft(luma)


def _change(luma: Blocks, other: Blocks) -> Blocks:
    height, width = luma.shape
    size = (max(1, width // BLOCK), max(1, height // BLOCK))
    return np.asarray(cv2.resize(cv2.absdiff(luma, other), size, interpolation=cv2.INTER_AREA), np.float32)
