"""A film made small for its page: all of it, with fewer pictures the longer it is."""

from fractions import Fraction

import cv2
import numpy as np

from vedit.frame import Frame
from vedit.pages.small import small_size
from vedit.pages.small_film import TICKS, Passage, Preview, SmallFilm
from vedit.steps.picture import Picture
from vedit.video.source import Source

PICTURES = 1000
"""Of a film at most, but for one more at every cut."""
SIDE = 400
"""Pixels of the longer side."""


class FilmPreview:
    """Encodes the pictures of a film as they go by; its times are the film's own, from the first picture on."""

    def __init__(self, source: Source) -> None:
        self._size = small_size(source, SIDE)
        self._film = SmallFilm(*self._size, crf=27)
        self._start, self._base, self._lasts = source.pts[0], source.time_base, source.duration
        self._every = source.duration / PICTURES if source.frames > PICTURES else Fraction(0)
        self._next = Fraction(0)

    def add(self, picture: Picture, frame: Frame) -> None:
        """The picture of a frame, if it is one that is shown; times rise."""
        seconds = (frame.pts - self._start) * self._base
        if frame.cut or seconds >= self._next:
            small = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
            self._film.add(np.ascontiguousarray(small, np.uint8), seconds)
            self._next = seconds + self._every

    def finish(self) -> Preview:
        """The preview, whole."""
        data = self._film.finish(self._lasts)
        times = tuple(pts / TICKS for pts in self._film.times)
        return Preview(data, *self._size, times, (Passage(0, 0, float(self._lasts)),))
