"""Where the frames of a chain come from, by number: a film file, or any MoviePy clip."""

from collections.abc import Callable, Generator, Sequence
from copy import copy
from fractions import Fraction
from typing import Protocol

import numpy as np
from av.video.frame import VideoFrame
from moviepy import VideoClip  # type: ignore[import-untyped] # it ships no types

from vedit.errors import UsageError
from vedit.frame import Frame, Notes, Timing
from vedit.fx.rate import exact_rate, frame_count
from vedit.video.colour import Converter
from vedit.video.read import Place, read
from vedit.video.shots import mark_cuts, settled
from vedit.video.source import FULL, RGB, UNKNOWN, Colour, Hdr, Source

PICTURE = Colour(RGB, FULL, UNKNOWN, UNKNOWN)


class Pictures(Protocol):
    """Frames with exact times, upright, ``cut`` set where a shot starts; every reading is independent."""

    @property
    def timing(self) -> Timing: ...

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        ...

    @property
    def pts(self) -> Sequence[int]: ...

    @property
    def alpha(self) -> bool:
        """Whether the pixels have a fourth channel."""
        ...

    def read(self, place: Place, notes: Notes) -> Generator[Frame]:
        """The frames from a place on; close the generator if you stop early."""
        ...


class FilmPictures:
    """The pictures of a film file, as every other front door reads them.

    Args:
        source: the film ``as_edited``.
        hdr: how it is edited; what writes the film has to be told again.
    """

    def __init__(self, source: Source, hdr: Hdr = "refuse") -> None:
        self.source = source
        self.hdr = hdr
        self.timing = source.timing
        self.size = source.width, source.height
        self.pts: Sequence[int] = source.pts
        self.alpha = source.video.alpha

    def read(self, place: Place, notes: Notes) -> Generator[Frame]:
        yield from read(self.source, notes, place=place)


class ClipPictures:
    """The pictures of a MoviePy clip at its own rate, its mask as their alpha; cuts are found in them.

    MoviePy is asked for the middle of each frame's time, which no rounding of floats moves to another frame.
    """

    def __init__(self, clip: VideoClip) -> None:
        rate = exact_rate(clip.fps)
        count = frame_count(clip.duration, rate)
        self.timing = Timing(1 / rate, rate, 0, count)
        self.size = int(clip.size[0]), int(clip.size[1])
        self.pts: Sequence[int] = range(count)
        self.alpha = clip.mask is not None
        self._clip = clip
        self._get: Callable[[int], VideoFrame] = self.picture

    def by(self, get: Callable[[int], VideoFrame]) -> "ClipPictures":
        """The same pictures, each from another function than ``picture``."""
        same = copy(self)
        same._get = get
        return same

    def read(self, place: Place, notes: Notes) -> Generator[Frame]:
        first = settled(place.index, place.last_cut)
        convert = Converter(PICTURE, self.size[1], self.alpha).pixels
        numbered = ((self._get(index), index) for index in range(first, len(self.pts)))
        for picture, index, cut in mark_cuts(numbered, first):
            if index >= place.index:
                yield Frame(index, 1, index=index, cut=cut, native=picture, decode=convert)

    def picture(self, index: int) -> VideoFrame:
        """One picture, asked of the clip, as RGB or RGBA.

        Raises:
            UsageError: it is of another size than the clip.
        """
        t = float((index + Fraction(1, 2)) * self.timing.time_base)
        shown = np.asarray(self._clip.get_frame(t))
        width, height = self.size
        if shown.shape != (height, width, 3):
            raise UsageError(
                f"at {t:.3f} s the clip gives an array of shape {shown.shape} instead of {(height, width, 3)}",
                "Resize the clip to one size, or turn a mask into a picture with to_RGB(), before vedit's effects.",
            )
        picture = np.clip(shown, 0, 255).astype(np.uint8)
        if not self.alpha:
            return VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        mask = np.asarray(self._clip.mask.get_frame(t))
        if mask.shape != (height, width):
            raise UsageError(
                f"at {t:.3f} s the clip's mask gives an array of shape {mask.shape} instead of {(height, width)}",
                "Resize the mask to the clip's size, or make it one with to_mask().",
            )
        opacity = np.rint(np.clip(mask, 0, 1) * 255).astype(np.uint8)
        return VideoFrame.from_ndarray(np.dstack([picture, opacity]), format="rgba")
