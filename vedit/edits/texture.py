"""Synthesised detail held to the strength that the picture around it has."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.complete import grow, harmonic

DETAIL = 9
"""Detail is what a mean over this many pixels takes away."""
CELL = 4
"""Its strength varies slowly: it is worked out once for so many pixels square."""
NEARBY = 7
"""…and measured over so many of those."""
COLLAR = 24
"""Pixels around the hole whose detail is looked at."""


def in_keeping(drawn: Tensor, smooth: Tensor, hole: Tensor, picture: Tensor, mask: Tensor) -> Tensor:
    """``smooth`` plus the detail of ``drawn``, no stronger than the picture's own beside the hole.

    A flat sky has no detail, and a black-and-white film no colours: whatever a denoiser adds there is noise. The
    mean squared detail of brightness and of colour is measured in the collar, carried into the hole by a membrane,
    and what was drawn is scaled down to it where it is stronger; never up.

    Args:
        drawn: ``(3, H, W)``, the hole as the denoiser made it.
        smooth: the same, smoothly filled.
        hole: ``(1, H, W)``, 1 where the picture was made up.
        picture: ``(3, H, W)``, the film's frame.
        mask: ``(1, H, W)``, 1 where that frame must not be looked at.
    """
    added = (drawn - smooth) * hole
    collar = grow(hole[None], COLLAR)[0] * (1 - mask)
    out = smooth
    for part in (_brightness, _colour):
        beside, seen = _strength(_detail(part(picture), 1 - mask), collar)
        wanted = harmonic(beside, (seen < 1e-3).float())
        there, _ = _strength(part(added), hole)
        scale = (wanted / there.clamp_min(1e-9)).sqrt().clamp(max=1)
        out = out + part(added) * F.interpolate(scale, size=hole.shape[-2:], mode="bilinear")[0]
    return out


def _brightness(picture: Tensor) -> Tensor:
    return picture.mean(0, keepdim=True).expand_as(picture)


def _colour(picture: Tensor) -> Tensor:
    return picture - _brightness(picture)


def _blur(image: Tensor, size: int) -> Tensor:
    return F.avg_pool2d(image[None], size, 1, size // 2, count_include_pad=False)[0]


def _detail(picture: Tensor, known: Tensor) -> Tensor:
    """What differs from the mean of the known pixels around."""
    mean = _blur(picture * known, DETAIL) / _blur(known, DETAIL).clamp_min(1e-3)
    return (picture - mean) * known


def _strength(detail: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared detail ``(1, 1, h, w)`` of the pixels nearby that count, on a grid of `CELL`; and how many count."""
    both = torch.cat([detail.square().mean(0, keepdim=True) * where, where])[None]
    coarse = F.avg_pool2d(both, CELL, ceil_mode=True, count_include_pad=False)
    squared, count = F.avg_pool2d(coarse, NEARBY, 1, NEARBY // 2, count_include_pad=False).chunk(2, dim=1)
    return squared / count.clamp_min(1e-3), count
