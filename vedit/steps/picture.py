"""The small pictures in which the steps of a film are looked at."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB, ``(h, w, 3)``, square pixels."""

SIDE = 240
"""Pixels of the longer side at which motion is searched: enough to tell how much there is, and cheap."""
PLAIN = 0.03
"""Contrast under which a picture shows too little for its motion to be told: a fade's noise would count as motion."""


def reduced(picture: NDArray[Any]) -> NDArray[Any]:
    """A picture ``(h, w, 3)``, or one plane of it ``(h, w)``, of any numbers, at most `SIDE` pixels long."""
    height, width = picture.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    if scale == 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def luma(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def contrast(picture: Picture) -> float:
    """The deviation of a picture's luma, in [0, 1]."""
    return float(cv2.meanStdDev(luma(picture))[1][0, 0]) / 255
