"""How near things in a picture may be, guessed without a model: enough for a gentle parallax, not for measuring."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LONG_SIDE = 160
"""Pixels of the grid that it is guessed on."""
GROUND, BUSY, MIDDLE = 0.55, 0.3, 0.15
"""What says that something is near: how low it stands, how much detail is around it, how central it is."""
EVEN = 1e-3
"""Added to variances in the guided filter: contrasts below its root are no edges."""
TRUST = 0.8
"""How far the focus goes from the middle to where the detail is."""
SMOOTH = 0.02
"""Sigma of the last smoothing, of the longer side: what moves apart must stretch, not tear."""


def nearness(picture: Tensor) -> Tensor:
    """Guessed nearness ``(h, w)`` of a picture ``(3,H,W)`` in [0, 1]: -1 far, 1 near, 0 on average.

    What stands low in the picture is near (the ground comes towards the camera), what is smooth is far (sky, a
    background out of focus), and what matters stands in the middle. A guided filter (He, Sun and Tang, "Guided Image
    Filtering", ECCV 2010) brings the guess to the picture's own edges; then it is smoothed.
    """
    grey = _small(picture)
    size = grey.shape[1], grey.shape[0]
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    low = (y + 0.5) / size[1]
    middle = np.exp(-(((x + 0.5) / size[0] - 0.5) ** 2) / 0.08)
    guess = GROUND * low + BUSY * _busy(grey) + MIDDLE * middle
    guess = cv2.GaussianBlur(_guided(guess.astype(np.float32), grey), (0, 0), SMOOTH * LONG_SIDE)
    guess -= guess.mean()
    return torch.from_numpy(guess / max(float(np.abs(guess).max()), 1e-6))


def focus(picture: Tensor) -> tuple[float, float]:
    """Where what matters is, x and y in [0, 1] of the sides: where there is detail, but not far from the middle."""
    busy = _busy(_small(picture)) ** 2
    rows, columns = busy.shape
    weight = busy / max(float(busy.sum()), 1e-6)
    x = float((weight.sum(0) * (np.arange(columns) + 0.5)).sum()) / columns
    y = float((weight.sum(1) * (np.arange(rows) + 0.5)).sum()) / rows
    return 0.5 + (x - 0.5) * TRUST, 0.5 + (y - 0.5) * TRUST


def _small(picture: Tensor) -> NDArray[np.float32]:
    height, width = picture.shape[-2:]
    scale = LONG_SIDE / max(height, width)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    rows = np.ascontiguousarray(picture[:3].permute(1, 2, 0).cpu().numpy())
    small = cv2.resize(rows, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.float32)


def _busy(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much detail is around each point, in [0, 1]."""
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    busy = cv2.GaussianBlur(np.sqrt(edges), (0, 0), 0.05 * LONG_SIDE)
    return np.asarray(np.minimum(busy / max(float(np.quantile(busy, 0.95)), 1e-6), 1), np.float32)


def _guided(guess: NDArray[np.float32], grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The guess as the local linear function of the grey picture that fits it best."""
    reach = (2 * (LONG_SIDE // 16) + 1,) * 2

    def mean(field: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.blur(field, reach), np.float32)

    m, g = mean(grey), mean(guess)
    slope = (mean(grey * guess) - m * g) / (mean(grey * grey) - m * m + EVEN)
    return mean(slope.astype(np.float32)) * grey + mean((g - slope * m).astype(np.float32))
