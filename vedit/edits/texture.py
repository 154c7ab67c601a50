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
QUIET = 0.25
"""The share of the places nearby that may have less of it: what is in few of them is an edge, not a texture."""
EVEN = 0.76
"""That quantile of the strength of even grain, of which a cell holds 16 samples, over its mean (chi-square)."""


def in_keeping(drawn: Tensor, smooth: Tensor, hole: Tensor, picture: Tensor, mask: Tensor) -> Tensor:
    """``smooth`` plus the detail of ``drawn``, no stronger than the picture's own beside the hole.

    A flat sky has no detail, and a black-and-white film no colours: whatever a denoiser adds there is noise. The
    mean squared detail of brightness and of colour is measured in the quieter parts of the collar, carried into the
    hole by a membrane, and what was drawn is scaled down to it where it is stronger; never up.

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
        beside, seen = _quiet_strength(_detail(part(picture), 1 - mask), collar)
        wanted = harmonic(beside, (~seen).float())
        there = _strength(part(added), hole)
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


def _cells(detail: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """Mean squared detail ``(1, 1, h, w)`` of the pixels that count, in each `CELL`, and their share."""
    both = torch.cat([detail.square().mean(0, keepdim=True) * where, where])[None]
    cells = F.avg_pool2d(both, CELL, ceil_mode=True, count_include_pad=False)
    return cells[:, :1], cells[:, 1:]


def _strength(detail: Tensor, where: Tensor) -> Tensor:
    """Mean squared detail ``(1, 1, h, w)`` nearby."""
    squared, count = (
        F.avg_pool2d(part, NEARBY, 1, NEARBY // 2, count_include_pad=False) for part in _cells(detail, where)
    )
    return squared / count.clamp_min(1e-3)


def _quiet_strength(detail: Tensor, where: Tensor) -> tuple[Tensor, Tensor]:
    """The mean squared detail ``(1, 1, h, w)`` that `QUIET` of the cells nearby stay below; and where there are any."""
    squared, count = _cells(detail, where)
    cells = torch.where(count > 0.5, squared / count.clamp_min(1e-3), torch.nan)
    around = F.pad(cells, [NEARBY // 2] * 4, value=torch.nan)
    seen = count > 0.5  # further in, only the nearest of the cells around would be heard
    places = seen[0, 0].nonzero()
    offsets = torch.cartesian_prod(torch.arange(NEARBY), torch.arange(NEARBY)).to(places)
    rows, columns = (places[:, None] + offsets).unbind(-1)
    quiet = torch.zeros_like(squared)
    quiet[0, 0, places[:, 0], places[:, 1]] = around[0, 0, rows, columns].nanquantile(QUIET, dim=1) / EVEN
    return quiet, seen
