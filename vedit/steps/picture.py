"""The small pictures in which the steps of a film are looked at."""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""RGB, ``(h, w, 3)``, square pixels."""

SIDE = 240
"""Pixels of the longer side at which motion is searched: enough to tell how much there is, and cheap."""
PLAIN = 0.03
"""Contrast under which a picture shows too little for its motion to be told: a fade's noise would count as motion."""


def contrast(picture: Picture) -> float:
    """The deviation of a picture's luma, in [0, 1]."""
    _, deviation = cv2.meanStdDev(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    return float(deviation[0, 0]) / 255
