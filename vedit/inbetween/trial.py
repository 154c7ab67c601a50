"""A frame that is there, made again of the two beside it: it tells where pictures made along motion go wrong."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor

from vedit.flow.resize import resize_flow
from vedit.inbetween.picture import Picture
from vedit.inbetween.synthesis import Synthesis

_LEAST = 160 * 90
"""Pixels that a picture is tried with at least: at a quarter of its sides if it has as many there."""
_AROUND = 1 / 20
"""The standard deviation of the Gaussian within which places are believed together, of the longer side."""
_ALIKE = 8 / 255**2
"""Pictures that differ by less, as a sum of three squares, are taken to be the same."""
_PART = 1 / 3
"""The part of the best share that is taken: over one step motion is found better than over the two of a trial."""
_FAR = 1 / 40
"""Where things move this part of the picture's longer side, a trial counts a third: in it they go twice as far."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What a dissolve of the outer two frames did for the one between them, made small and smoothed ``(1,1,h,w)``.

    With m what was made along motion, d the dissolve and f the frame: ``wanted`` is <f - m, d - m>, ``apart``
    |d - m|². The mixture m + s (d - m) is closest to f at s = wanted / apart.
    """

    wanted: Tensor
    apart: Tensor


def tried(first: Picture, frame: Picture, last: Picture, t: float, *, fine: bool) -> Trial:
    """Make a frame of those on both sides, small, along the motion of a fast search.

    Not fine, it takes a thirtieth of the time that ``normal`` takes for a new one.

    Args:
        first: the frame before.
        frame: the one to make, of the same size; it is only looked at to judge.
        last: the frame after.
        t: when the frame is, of the time from the first to the last, in (0, 1).
        fine: at half its size, however large it is.
    """
    outer0, truth, outer1 = (
        Picture(_small(picture, fine), picture.half.device) for picture in (first, frame, last)
    )
    when = torch.full((1, 1, 1, 1), t, device=truth.whole.device)
    made = Synthesis(outer0, outer1, quality="draft").mixed(when)
    away = torch.lerp(outer0.whole, outer1.whole, when) - made
    sums = [((truth.whole - made) * away).sum(1), away.square().sum(1)]
    height, width = truth.pixels.shape[-2:]
    wanted, apart = (_smooth(total[:, :height, :width])[None] for total in sums)
    return Trial(wanted, apart)


def dissolve_share(trials: Sequence[Trial], motion: Tensor) -> Tensor:
    """How much of a dissolve to mix into a picture between frames that were tried, ``(1,1,h,w)`` in [0, 1/3].

    Args:
        trials: of the frames on its sides, at least one.
        motion: ``(1,2,H,W)`` from the one frame to the other, in pixels of its own grid.
    """
    wanted = sum((trial.wanted for trial in trials[1:]), trials[0].wanted)
    apart = sum((trial.apart for trial in trials[1:]), trials[0].apart)
    motion = resize_flow(motion, *apart.shape[-2:])
    far = motion.square().sum(1, keepdim=True) / (_FAR * max(motion.shape[-2:])) ** 2
    return (wanted / (apart + _ALIKE)).clamp(0, 1) * (-far).exp() * _PART


def _small(picture: Picture, fine: bool) -> Tensor:
    enough = picture.quarter.shape[-2] * picture.quarter.shape[-1] >= _LEAST
    return (picture.quarter if enough and not fine else picture.half)[0]


def _smooth(field: Tensor) -> Tensor:
    smoothed = cv2.GaussianBlur(field[0].cpu().numpy(), (0, 0), _AROUND * max(field.shape))
    return torch.from_numpy(smoothed)[None].to(field.device)
