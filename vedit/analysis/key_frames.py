"""The picture that stands for a shot: sharp, near its middle, and like most of its others."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.analysis.picture import Look
from vedit.steps.picture import Picture

CANDIDATES = 16
"""Pictures of a shot that are held at most while it goes by."""
SIGNATURE = (12, 8)
"""Columns and rows of a signature."""
SHARP, TYPICAL, CENTRAL = 0.4, 0.35, 0.25
"""What each virtue weighs; all are in [0, 1]."""

Signature = NDArray[np.float32]
"""A picture as 12 x 8 mean colours in [0, 1], ``(8, 12, 3)``."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A picture that may come to stand for its shot."""

    index: int
    place: int
    """Counted from the shot's first."""
    look: Look
    signature: Signature
    picture: Picture


@dataclass(frozen=True, eq=False)
class KeyFrame:
    """The picture chosen, and the mean signature of its shot."""

    index: int
    picture: Picture
    signature: Signature


def signature(picture: Picture) -> Signature:
    """A picture's coarse colours."""
    small = cv2.resize(picture, SIGNATURE, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


class KeyFrames:
    """Chooses the key frame of a shot whose length is not known until it is over, holding few pictures.

    The shot so far is divided into equal runs, of each of which the sharpest picture is held; when there are too many,
    two runs become one.
    """

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._held: list[Candidate] = []
        self._run = 1
        self._count = 0
        self._sum = np.zeros((SIGNATURE[1], SIGNATURE[0], 3), np.float64)

    def take(self, index: int, picture: Picture, look: Look) -> None:
        """The next picture of the shot."""
        mark = signature(picture)
        self._sum += mark
        new = Candidate(index, self._count, look, mark, picture)
        self._count += 1
        self._put(self._held, new)
        if len(self._held) > CANDIDATES:
            self._run *= 2
            held: list[Candidate] = []
            for one in self._held:
                self._put(held, one)
            self._held = held

    def _put(self, held: list[Candidate], new: Candidate) -> None:
        if held and held[-1].place // self._run == new.place // self._run:
            if new.look.sharpness > held[-1].look.sharpness:
                held[-1] = new
        else:
            held.append(new)

    def chosen(self) -> KeyFrame:
        """The key frame of the shot that is over; the next picture begins another."""
        mean = (self._sum / self._count).astype(np.float32)
        apart = [float(np.abs(one.signature - mean).mean()) for one in self._held]
        sharpest = max(one.look.sharpness for one in self._held) or 1.0
        furthest = max(max(apart), 0.02)  # shots that hardly change are all typical

        def merit(place: int) -> float:
            one = self._held[place]
            central = 1 - abs(2 * (one.place + 0.5) / self._count - 1)
            sharp = one.look.sharpness / sharpest
            return SHARP * sharp + TYPICAL * (1 - apart[place] / furthest) + CENTRAL * central

        best = self._held[max(range(len(self._held)), key=merit)]
        self._begin()
        return KeyFrame(best.index, best.picture, mean)
