"""How much moves from one picture to the next: the camera, and what moves before it."""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vedit.flow.estimate import dis_flow
from vedit.steps.picture import PLAIN, Picture, reduced

GRID = 6
"""Pixels between the points whose motion the camera's is found from."""
OFF = 0.6
"""Pixels by which a point may be off the camera's motion and still count as standing still before it."""


@dataclass(frozen=True)
class Motion:
    """Mean lengths of the optical flow, in widths of the picture.

    ``total`` is the flow itself, ``camera`` the pan, turn and zoom that most of the picture follows, ``objects`` what
    is left.
    """

    total: float
    camera: float
    objects: float


class MotionMeter:
    """Motion between pictures that follow each other; holds the one before.

    ``picture`` is the last one that was measured, as small as motion is searched at, and ``flow`` ``(2, H, W)`` the
    motion to it from the one before, on that one's grid; None where none was searched.
    """

    picture: Picture
    flow: Tensor | None

    def __init__(self) -> None:
        self._before: Tensor | None = None

    def measure(self, picture: Picture, contrast: float, *, cut: bool) -> Motion | None:
        """How a picture moved away from the one before; None at a cut, for the first, and where nothing is to be seen.

        ``contrast`` is the picture's, as `vedit.analysis.picture.look` finds it.
        """
        self.picture, self.flow = np.ascontiguousarray(reduced(picture), np.uint8), None
        now = torch.from_numpy(self.picture).permute(2, 0, 1).float().div_(255)
        before, self._before = self._before, now
        if before is None or cut or contrast < PLAIN:
            return None
        self.flow = dis_flow(before, now, quality="draft")
        return split(self.flow)


def split(flow: Tensor) -> Motion:
    """The camera's motion and the rest of a flow ``(2, H, W)`` in pixels.

    The camera's is the similarity (shift, turn, zoom) that most points of a grid agree on (RANSAC).
    """
    height, width = flow.shape[-2:]
    total = _mean_length(flow[0, ::2, ::2].numpy(), flow[1, ::2, ::2].numpy()) / width
    rows, columns = np.mgrid[GRID // 2 : height : GRID, GRID // 2 : width : GRID].reshape(2, -1)
    points = np.stack([columns, rows], axis=1).astype(np.float32)
    if len(points) < 4:
        return Motion(total, 0.0, total)
    ends = points + flow[:, rows, columns].numpy().T
    found, _ = cv2.estimateAffinePartial2D(
        points, ends, method=cv2.RANSAC, ransacReprojThreshold=OFF, confidence=0.99, maxIters=300
    )
    if found is None:
        return Motion(total, 0.0, total)
    (a, b, right), (c, d, down) = found.astype(np.float32)
    y, x = np.mgrid[0:height:2, 0:width:2].astype(np.float32)
    across, along = a * x + b * y + right - x, c * x + d * y + down - y
    return Motion(
        total,
        _mean_length(across, along) / width,
        _mean_length(flow[0, ::2, ::2].numpy() - across, flow[1, ::2, ::2].numpy() - along) / width,
    )


def _mean_length(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    """The mean length of vectors with these parts."""
    return float(np.sqrt(x * x + y * y).mean())
