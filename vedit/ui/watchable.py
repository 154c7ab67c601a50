"""What a browser can show of a film: the film itself, or a small copy of its pictures."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from pathlib import Path

import numpy as np
from torch import Tensor

from vedit.excerpt import stretch
from vedit.frame import Frame, Notes
from vedit.heap import give_back
from vedit.pages.small import jpeg, picture_of, small_size
from vedit.pages.small_film import SmallFilm
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source

SIDE = 960
"""Pixels of the longer side of what is shown."""
STILL = 1280
"""And of a still frame."""
PLAYED = {
    ".mp4": ({"h264"}, {"aac", "mp3"}),
    ".webm": ({"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
}
"""Pictures and sound that every browser of today plays, by the film's ending."""


class Shown(SmallFilm):
    """A small film of frames; transparent ones lie on grey.

    Args:
        film: the shape of the pictures.
        file: where it goes; None: into memory.
    """

    def __init__(self, film: Source, file: Path | None = None) -> None:
        super().__init__(*small_size(film, SIDE), crf=16, file=file)

    def show(self, frame: Frame, seconds: Fraction) -> None:
        """A frame's picture, shown from a time on; times rise."""
        self.add(picture_of(_on_grey(frame.pixels), self.width, self.height), seconds)


def is_watchable(film: Source) -> bool:
    """Whether browsers play the film as it is."""
    pictures, sounds = PLAYED.get(film.path.suffix.lower(), (set(), set()))
    heard = {stream.codec for stream in film.streams if stream.kind == "audio"}
    return film.video.codec in pictures and film.video.pix_fmt == "yuv420p" and heard <= sounds


def watchable(path: Path, copy: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """The film itself if browsers play it; else a small copy of its pictures, written to ``copy``.

    Raises:
        InputError: it cannot be read.
    """
    film = probe(path).as_edited("tonemap")
    if is_watchable(film):
        return path
    small = Shown(film, copy)
    start, tick = film.pts[0] * film.time_base, film.time_base
    with closing(read(film, Notes())) as frames:
        for frame in frames:
            small.show(frame, frame.pts * tick - start)
            give_back(film.height * film.width)
            if progress:
                progress(frame.index + 1, film.frames)
    small.finish(film.duration)
    return copy


def still(film: Source, index: int) -> bytes:
    """One frame of a film as a JPEG picture, no larger than ``STILL``.

    Raises:
        InputError: it cannot be read.
    """
    width, height = small_size(film, STILL)
    last: Frame | None = None
    with closing(stretch(film, index or None)) as frames:
        for frame in frames:
            last = frame
            if frame.index >= index:
                break
    if last is None:
        return jpeg(np.full((height, width, 3), 128, np.uint8))
    return jpeg(picture_of(_on_grey(last.pixels), width, height), quality=88)


def _on_grey(pixels: Tensor) -> Tensor:
    """A picture ``(3 or 4, H, W)`` as ``(3, H, W)``."""
    if len(pixels) == 3:
        return pixels
    return pixels[:3] * pixels[3:] + 0.5 * (1 - pixels[3:])
