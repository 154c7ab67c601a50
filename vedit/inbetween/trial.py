"""A frame that is there, made again of the two beside it: it tells where pictures made along motion go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor

from vedit.inbetween.picture import Picture
from vedit.inbetween.synthesis import Synthesis

_AROUND = 16.0
"""Pixels of the half grid that are believed together: the standard deviation of a Gaussian."""
_ALIKE = 8 / 255**2
"""Pictures that differ by less, as a sum of three squares, are taken to be the same."""
_PART = 1 / 3
"""The part of the best share that is taken: over one step motion is found better than over the two of a trial."""
_FAR = 1 / 40
"""Where things move this part of the picture's longer side, a trial counts a third: in it they go twice as far."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What a dissolve of the outer two frames did for the one between them, on its half grid, smoothed ``(1,1,h,w)``.

    With m what was made along motion, d the dissolve and f the frame: ``wanted`` is <f - m, d - m>, ``apart``
    |d - m|². The mixture m + s (d - m) is closest to f at s = wanted / apart.
    """

    wanted: Tensor
    apart: Tensor


def tried(first: Picture, frame: Picture, last: Picture, t: float) -> Trial:
    """Make a frame of those on both sides, at half the size and as ``normal`` does.

    Args:
        first: the frame before.
        frame: the one to make, of the same size; it is only looked at to judge.
        last: the frame after.
        t: when the frame is, of the time from the first to the last, in (0, 1).
    """
    outer0, truth, outer1 = (
        Picture(picture.half[0], picture.half.device) for picture in (first, frame, last)
    )
    when = torch.full((1, 1, 1, 1), t, device=truth.whole.device)
    made = Synthesis(outer0, outer1, quality="normal").mixed(when)
    away = torch.lerp(outer0.whole, outer1.whole, when) - made
    sums = [((truth.whole - made) * away).sum(1), away.square().sum(1)]
    height, width = truth.pixels.shape[-2:]
    wanted, apart = (_smooth(total[:, :height, :width])[None] for total in sums)
    return Trial(wanted, apart)


def dissolve_share(trials: Sequence[Trial], motion: Tensor) -> Tensor:
    """How much of a dissolve to mix into a picture between frames that were tried, ``(1,1,h,w)`` in [0, 1/3].

    Args:
        trials: of the frames on its sides, at least one.
        motion: ``(1,2,h,w)`` from the one frame to the other, in pixels of the half grid.
    """
    wanted = sum((trial.wanted for trial in trials[1:]), trials[0].wanted)
    apart = sum((trial.apart for trial in trials[1:]), trials[0].apart)
    far = motion.square().sum(1, keepdim=True) / (_FAR * max(motion.shape[-2:])) ** 2
    return (wanted / (apart + _ALIKE)).clamp(0, 1) * (-far).exp() * _PART


def _smooth(field: Tensor) -> Tensor:
    smoothed = cv2.GaussianBlur(field[0].cpu().numpy(), (0, 0), _AROUND)
    return torch.from_numpy(smoothed)[None].to(field.device)
