"""Matches that a search from coarse to fine misses: small things that move far, found by comparing with everything."""

from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp

_LONG_SIDE = 80
"""Pixels of the grid that is searched: an eighth of 640."""
_REACH = 14.0
"""How far the search goes, in pixels of that grid: a sixth of the picture."""
_PATCH = 5
_NEAR = 0.004
"""Cost per pixel of distance, in [0, 1] of colour: of equal matches the nearest is taken."""
_BETTER = 0.75
"""A match replaces the flow where its patches differ by less than this part of what they do along the flow."""
_ALIKE = 3 / 255
"""Patches that differ less along the flow need no other match."""
_FAR = 9.0


def with_far_matches(flow: Tensor, frame0: Tensor, frame1: Tensor) -> Tensor:
    """A flow's rough picture, with far matches where those fit much better: for a fine search to begin from.

    Both frames are brought to a small grid, where each patch of 5x5 pixels is compared with every one within reach (as
    one matrix product); a median drops lone matches. Like the block search of video coders, but in colour, and no
    matter how far the neighbours move.

    Args:
        flow: ``(1, 2, H, W)`` pixels, from a fast search.
        frame0: ``(1, 3, H, W)`` in [0, 1].
        frame1: the same shape.

    Returns:
        ``(1, 2, h, w)`` on the small grid, in its pixels, its longer side at most 80.
    """
    small0, small1 = _small(frame0), _small(frame1)
    height, width = small0.shape[-2:]
    rough = resize_flow(flow, height, width)
    unlike = _unlike(small0, small1, rough)
    if not bool((unlike > _ALIKE).any()):
        return rough
    far = _best_matches(small0, small1, rough, unlike > _ALIKE)
    keep = _unlike(small0, small1, far) < _BETTER * unlike - 1 / 255
    return torch.where(keep, far, rough)


def _small(frame: Tensor) -> Tensor:
    height, width = frame.shape[-2:]
    scale = min(1.0, _LONG_SIDE / max(height, width))
    return resize(frame, max(1, round(height * scale)), max(1, round(width * scale)))


def _best_matches(small0: Tensor, small1: Tensor, rough: Tensor, doubted: Tensor) -> Tensor:
    """Flow ``(1,2,h,w)``, of whole pixels where it is doubted; found for every other pixel of every other row."""
    height, width = small0.shape[-2:]
    places, distance = _distances(height, width, small0.device)
    found = rough[0, :, ::2, ::2].clone()
    row, column = doubted[0, 0, ::2, ::2].nonzero().T
    asked = 2 * row * width + 2 * column
    first, second = _patches(small0)[:, asked], _patches(small1)
    cost = torch.addmm(second.square().sum(0)[None], first.T, second, alpha=-2)
    cost += first.square().sum(0)[:, None]
    cost.clamp_min_(0).mul_(1 / first.shape[0]).sqrt_()
    cost += distance[row * found.shape[-1] + column]
    found[:, row, column] = (places[cost.min(1).indices] - places[asked]).T
    clean = torch.from_numpy(np.stack([cv2.medianBlur(axis, 3) for axis in found.cpu().numpy()]))
    return F.interpolate(clean[None].to(small0), scale_factor=2, mode="nearest")[..., :height, :width]


@lru_cache(maxsize=4)
def _distances(height: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each pixel is ``(h·w, 2)``, and what the way from every other one of every other row to it costs."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([x.flatten(), y.flatten()], 1).float().to(device)
    asked = ((y % 2 == 0) & (x % 2 == 0)).flatten().to(device)
    distance = torch.cdist(places[asked], places)
    return places, torch.where(distance > _REACH, _FAR, _NEAR * distance)


def _patches(small: Tensor) -> Tensor:
    """Every pixel's patch ``(3·25, h·w)``."""
    around = F.pad(small, (_PATCH // 2,) * 4, mode="replicate")
    return F.unfold(around, _PATCH)[0]


def _unlike(small0: Tensor, small1: Tensor, flow: Tensor) -> Tensor:
    """How much the patches differ along a flow ``(1,1,h,w)``, root mean square."""
    squared = (warp(small1, flow) - small0).square().mean(1, keepdim=True)
    return F.avg_pool2d(squared, _PATCH, 1, _PATCH // 2, count_include_pad=False).sqrt()
