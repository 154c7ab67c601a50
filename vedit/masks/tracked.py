"""An object marked in one frame, followed forward and backward through its shot."""

from collections import deque
from collections.abc import Iterator
from math import sqrt

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.frame import Frame, Shot
from vedit.masks.ahead import Colours, looked_at, most_held
from vedit.masks.follow import Followed, followed, marked, settled

HELD = 240
"""Frames before the marked one that wait at most (`ahead.most_held` says how many of large pictures)."""
PIXELS = 480 * 270
"""Of the pictures in which the object is followed."""
SETTLE = 5
"""Every how manieth frame the object in a box is compared with how it was marked."""


def tracked(
    frames: Iterator[Frame], index: int, where: Tensor, name: str, shot: Shot, *, roughly: bool
) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with the mask of the object that ``where`` (1,H,W) marks in the film's frame ``index``.

    ``roughly`` says that it is no outline but a box around the object, which keeps its shape and is moved, turned and
    scaled as the object in it is.

    Shots without that frame have empty masks. Where the object is lost (see `follow.followed`) its masks are empty
    from there on, and ``shot.notes`` says so. Frames before the marked one wait for it: the last 240 of them, fewer of
    large pictures (no more than 240 MB wait); what comes before these is not followed, which is said too.
    """
    before: deque[tuple[Frame, Colours]] = deque()
    nothing = torch.zeros(1, shot.height, shot.width)
    held, dropped = 0, 0
    for frame in frames:
        if frame.index > index:  # a shot after the marked frame's, or that frame could not be decoded
            yield from ((earlier, nothing) for earlier, _ in before)
            yield frame, nothing
            yield from ((later, nothing) for later in frames)
            return
        picture = _small(looked_at(frame, shot))
        if frame.index == index:
            break
        held = held or most_held(HELD, 24, frame, shot)
        before.append((frame, picture))
        if len(before) > held:
            dropped += 1
            yield before.popleft()[0], nothing
    else:
        yield from ((earlier, nothing) for earlier, _ in before)
        return
    if dropped:
        shot.notes.warn(
            f"{name}: frame {index} is {dropped + len(before)} frames into its shot and only {held} can wait; "
            f"frames {index - len(before) - dropped}-{index - len(before) - 1} have no mask. "
            "Mark it earlier in the shot."
        )
    path = _Path(picture, where, name, shot, roughly)
    back = path.follow((f, p) for f, p in reversed(before))
    found = list(back)
    before.clear()
    while found:
        earlier, thing = found.pop()
        yield earlier, path.full(thing)
    yield frame, (where > 0).float()
    for later, thing in path.follow((f, _small(looked_at(f, shot))) for f in frames):
        yield later, path.full(thing)


class _Path:
    """The way of an object from the frame in which it is marked."""

    def __init__(self, picture: Colours, where: Tensor, name: str, shot: Shot, roughly: bool) -> None:
        self._picture, self._name, self._shot, self._roughly = picture, name, shot, roughly
        self._where = where[0].cpu().numpy().astype(np.float32)
        height, width = picture.shape[:2]
        small = cv2.resize(self._where, (width, height), interpolation=cv2.INTER_AREA)
        # Of the smallest objects a part of a pixel is left.
        inside = small > 0.5 if (small > 0.5).any() else small > 0
        self._first = marked(picture, np.asarray(inside), roughly=roughly)

    def follow(self, frames: Iterator[tuple[Frame, Colours]]) -> Iterator[tuple[Frame, Followed | None]]:
        """From the marked frame on, one way."""
        picture, thing = self._picture, self._first
        lost = not thing.mask.any()
        for count, (frame, after) in enumerate(frames, 1):
            found = None if lost else followed(picture, after, thing)
            if found is None and not lost:
                lost = True
                self._shot.notes.warn(
                    f"{self._name}: lost in frame {frame.index}; no mask from there on. "
                    "Mark it again in that frame and join both with ' + '."
                )
            if found is not None:
                if self._roughly and count % SETTLE == 0:
                    found = settled(self._picture, after, self._first, found)
                thing = found
            picture = after
            yield frame, None if lost else thing

    def full(self, thing: Followed | None) -> Tensor:
        """The mask ``(1, H, W)`` in the size of the picture."""
        height, width = self._where.shape
        if thing is None:
            return torch.zeros(1, height, width)
        object_ = cv2.resize(thing.mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        if self._roughly:
            x, y = width / thing.mask.shape[1], height / thing.mask.shape[0]
            # Pixel centres of the small picture lie at (i + 0.5) of the large one's scale.
            up = np.array([[x, 0, x / 2 - 0.5], [0, y, y / 2 - 0.5], [0, 0, 1]])
            matrix = (up @ np.vstack([thing.moved, [0, 0, 1]]) @ np.linalg.inv(up))[:2]
            box = cv2.warpAffine(self._where, matrix, (width, height), flags=cv2.INTER_LINEAR)
            object_ = np.maximum(object_, box)
        return torch.from_numpy((object_ > 0.5).astype(np.float32))[None]


def _small(picture: Colours) -> Colours:
    height, width = picture.shape[:2]
    scale = min(1.0, sqrt(PIXELS / (height * width)))
    if scale == 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
