"""An object marked in one frame, followed forward and backward through its shot."""

from collections.abc import Iterator
from functools import partial

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.frame import Frame, Shot
from vedit.masks.ahead import Colours, at_most
from vedit.masks.follow import Followed, followed, marked, settled
from vedit.masks.outward import outward

PIXELS = 480 * 270
"""Of the pictures in which the object is followed."""
SETTLE = 5
"""Every how manieth frame the object in a box is compared with how it was marked."""


def tracked(
    frames: Iterator[Frame], index: int, where: Tensor, name: str, shot: Shot, *, roughly: bool
) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with the mask of the object that ``where`` (1,H,W) marks in the film's frame ``index``.

    ``roughly`` says that it is no outline but a box around the object, which keeps its shape and is moved, turned and
    scaled as the object in it is. See `vedit.masks.outward` for which frames are followed. Where the object is lost
    (see `follow.followed`) its masks are empty from there on, and ``shot.notes`` says so.
    """

    def begin(picture: Colours) -> _Path:
        return _Path(picture, index, where, name, shot, roughly)

    return outward(frames, index, name, shot, reduce=partial(at_most, PIXELS), begin=begin)


class _Path:
    """The way of an object from the frame in which it is marked, either way."""

    def __init__(
        self, picture: Colours, index: int, where: Tensor, name: str, shot: Shot, roughly: bool
    ) -> None:
        self._picture, self._index, self._name, self._shot = picture, index, name, shot
        self._roughly = roughly
        self._where = where[0].cpu().numpy().astype(np.float32)
        height, width = picture.shape[:2]
        small = cv2.resize(self._where, (width, height), interpolation=cv2.INTER_AREA)
        # Of the smallest objects a part of a pixel is left.
        inside = small > 0.5 if (small > 0.5).any() else small > 0
        self._first = marked(picture, np.asarray(inside), roughly=roughly)
        if not self._where.any():
            shot.notes.warn(f"{name}: marks nothing in frame {index}; white means change")

    def first(self) -> Tensor:
        return torch.from_numpy((self._where > 0).astype(np.float32))[None]

    def follow(self, frames: Iterator[tuple[Frame, Colours]]) -> Iterator[tuple[Frame, Followed | None]]:
        picture, thing = self._picture, self._first
        lost = not thing.mask.any()
        for count, (frame, after) in enumerate(frames, 1):
            found = None if lost else followed(picture, after, thing)
            if found is None and not lost:
                lost = True
                rest = "from there on" if frame.index > self._index else "there and before"
                self._shot.notes.warn(
                    f"{self._name}: lost in frame {frame.index}; no mask {rest}. "
                    "Mark it again in that frame and join both with ' + '."
                )
            if found is not None:
                if self._roughly and count % SETTLE == 0:
                    found = settled(self._picture, after, self._first, found)
                thing = found
            picture = after
            yield frame, None if lost else thing

    def full(self, thing: Followed | None) -> Tensor:
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
