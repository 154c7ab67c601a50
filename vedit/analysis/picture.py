"""One picture of a film, made small, and what can be told of it by itself."""

from dataclasses import dataclass
from math import hypot

import cv2
import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

from vedit.frame import Frame
from vedit.pages.small import jpeg
from vedit.steps.picture import Picture, luma
from vedit.video.colour import scalable
from vedit.video.source import Source

SIDE = 480
"""Pixels of the longer side that pictures are looked at: as small as blur can still be told from focus."""
THUMBNAIL = 400
"""Pixels of a thumbnail's longer side."""


class Reducer:
    """Makes the frames of a film small, in square pixels; what is transparent is seen over black."""

    def __init__(self, source: Source) -> None:
        wide = float(source.width * source.video.sar)
        scale = min(1.0, SIDE / max(wide, source.height))
        self.width, self.height = (max(2, round(side * scale)) for side in (wide, source.height))
        self._alpha = source.video.alpha
        self._scaler = VideoReformatter()

    def __call__(self, frame: Frame) -> Picture:
        """The picture of a frame that `vedit.video.read.read` gave."""
        native = frame.native
        assert isinstance(native, VideoFrame)  # noqa: S101 - what is read from a film has one
        with scalable(native):
            small = self._scaler.reformat(
                native,
                self.width,
                self.height,
                "rgba" if self._alpha else "rgb24",
                interpolation=Interpolation.AREA,
                threads=1,
            ).to_ndarray()
        if self._alpha:
            small = (small[..., :3].astype(np.uint16) * small[..., 3:] // 255).astype(np.uint8)
        return np.ascontiguousarray(small, np.uint8)


@dataclass(frozen=True)
class Look:
    """A picture by itself. ``brightness`` and ``contrast`` are mean and deviation of luma in [0, 1].

    ``sharpness`` is the deviation of luma's Laplacian, in levels of 255, with the longer side at 480 pixels or less.
    ``colourfulness`` is that of Hasler and Süsstrunk ("Measuring colourfulness in natural images", 2003): 0 is grey, 15
    slightly, 45 quite, 80 highly colourful.
    """

    brightness: float
    contrast: float
    sharpness: float
    colourfulness: float


def look(picture: Picture) -> Look:
    """What a picture looks like."""
    mean, deviation = cv2.meanStdDev(luma(picture))
    _, edges = cv2.meanStdDev(cv2.Laplacian(luma(picture), cv2.CV_32F))
    red, green, blue = cv2.split(picture.astype(np.float32))
    opponents = [cv2.meanStdDev(one) for one in (red - green, (red + green) / 2 - blue)]
    spread, centre = (hypot(*(float(one[i][0, 0]) for one in opponents)) for i in (1, 0))
    return Look(
        brightness=float(mean[0, 0]) / 255,
        contrast=float(deviation[0, 0]) / 255,
        sharpness=float(edges[0, 0]),
        colourfulness=spread + 0.3 * centre,
    )


def thumbnail(picture: Picture) -> bytes:
    """A picture as a JPEG."""
    scale = min(1.0, THUMBNAIL / max(picture.shape[:2]))
    size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return jpeg(np.asarray(small, np.uint8))
