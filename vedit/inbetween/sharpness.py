"""As sharp as its neighbours: means of fetched pictures are softer, and a film would pulse between new and real."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

_EVERY = 8
"""Detail is told by every so many rows."""


def detail(picture: Tensor) -> Tensor:
    """Gradient energy of green, a scalar: mean squared difference to the pixel on the right plus to the one below.

    Args:
        picture: ``(N, C, H, W)``.
    """
    steps = _steps(picture[:, 1])
    return _energy(steps, steps)


def sharpen(picture: Tensor, wanted: Tensor, most: float) -> None:
    """Bring the detail of a picture ``(1,C,H,W)`` up to what is wanted, by unsharp masking, in place; colours only.

    With h the picture less its mean over 3x3 pixels, that of picture + a h is E + 2 a <E, h> + a² H: a is its root.

    Args:
        picture: RGB or RGB and alpha, in [0, 1].
        wanted: gradient energy, see `detail`; a little less than its neighbours have, for more would stress what is
            not quite right.
        most: the highest a.
    """
    colours = picture[0, :3]
    green = colours[1:2]
    steps = _steps(green)
    lack = wanted - _energy(steps, steps)
    if not lack > 0:
        return
    fine = _steps(green - _mean(green))
    cross, square = _energy(steps, fine), _energy(fine, fine)
    if not (cross > 0 and square > 0):
        return
    share = float((((cross.square() + square * lack).sqrt() - cross) / square).clamp(0, most))
    if picture.device.type != "cpu":
        colours.add_(colours - _mean(colours), alpha=share)
        return
    kernel = np.full((3, 3), -share / 9, np.float32)
    kernel[1, 1] += 1 + share
    for plane in colours.numpy():
        cv2.filter2D(plane, -1, kernel, dst=plane, borderType=cv2.BORDER_REFLECT_101)


def _mean(planes: Tensor) -> Tensor:
    """Of 3x3 pixels of ``(N,H,W)``; on a CPU by OpenCV, which is many times as fast."""
    if planes.device.type != "cpu":
        return F.avg_pool2d(planes, 3, 1, 1, count_include_pad=False)
    out = torch.empty_like(planes)
    for new, old in zip(out.numpy(), planes.numpy(), strict=True):
        cv2.blur(old, (3, 3), dst=new, borderType=cv2.BORDER_REFLECT_101)
    return out


def _steps(plane: Tensor) -> tuple[Tensor, Tensor]:
    """The differences of ``(N,H,W)`` to the right and to the row below."""
    upper = plane[:, :-1:_EVERY]
    return upper.diff(dim=-1), plane[:, 1::_EVERY] - upper


def _energy(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> Tensor:
    if not all(steps.numel() for steps in first):
        return first[0].new_zeros(())  # one row or column only
    (right, below), (right_too, below_too) = first, second
    return (right * right_too).mean() + (below * below_too).mean()
