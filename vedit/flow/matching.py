"""Matches that a search from coarse to fine misses: small things that move far, found by comparing with everything."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp

_LONG_SIDE = 80
"""Pixels of the grid that is searched, at most: an eighth of 640."""
_COARSE = 3
"""The grid is at least so many times as coarse: small pictures gain nothing by more, and take longer."""
_REACH = 14
"""How far the search goes, in pixels of that grid: a sixth of the picture or more."""
_PATCH = 5
_TILE = 16
"""Pixels a side of what is searched for at once; even."""
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
    matrix products); a median drops lone matches. Like the block search of video coders, but in colour, and no
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
    scale = min(1 / _COARSE, _LONG_SIDE / max(height, width))
    return resize(frame, max(1, round(height * scale)), max(1, round(width * scale)))


def _best_matches(small0: Tensor, small1: Tensor, rough: Tensor, doubted: Tensor) -> Tensor:
    """Flow ``(1,2,h,w)``, of whole pixels where it is doubted; found for every other pixel of every other row."""
    height, width = small0.shape[-2:]
    found = rough[0, :, ::2, ::2].clone()
    first, second = _patches(small0), _patches(small1)
    squares = second.square().sum(0)
    for tile in _tiles(height, width, small0.device):
        asked = doubted[0, 0][tile.asked].nonzero().T
        if not asked.numel():
            continue
        row, column = asked
        patches = first[:, *tile.asked][:, row, column]
        there = second[:, *tile.near].flatten(1)
        cost = torch.addmm(squares[tile.near].flatten()[None], patches.T, there, alpha=-2)
        cost += patches.square().sum(0)[:, None]
        cost.clamp_min_(0).mul_(1 / patches.shape[0]).sqrt_()
        cost += tile.distance[row, column]
        found[:, *tile.found][:, row, column] = tile.way[:, row, column, cost.min(1).indices]
    clean = torch.from_numpy(np.stack([cv2.medianBlur(axis, 3) for axis in found.cpu().numpy()]))
    return F.interpolate(clean[None].to(small0), scale_factor=2, mode="nearest")[..., :height, :width]


@dataclass(frozen=True, eq=False)
class _Tile:
    """Pixels that are asked about and all within their reach, as places in the grid, and the ways between them.

    ``way`` ``(2, a, b, n)`` is how far each of n near pixels is from each of a x b asked ones, x first; ``distance``
    ``(a, b, n)`` what it costs to go there.
    """

    asked: tuple[slice, slice]
    found: tuple[slice, slice]
    near: tuple[slice, slice]
    way: Tensor
    distance: Tensor


@lru_cache(maxsize=4)
def _tiles(height: int, width: int, device: torch.device) -> list[_Tile]:
    """Tiles of every other pixel of every other row: no pixel has to be compared with all of a picture."""
    tiles = []
    for top in range(0, height, _TILE):
        for left in range(0, width, _TILE):
            bottom, right = min(top + _TILE, height), min(left + _TILE, width)
            rows = range(max(0, top - _REACH), min(height, bottom + _REACH))
            columns = range(max(0, left - _REACH), min(width, right + _REACH))
            y, x = torch.meshgrid(torch.tensor(rows), torch.tensor(columns), indexing="ij")
            way_y = y.flatten() - torch.arange(top, bottom, 2)[:, None, None]
            way_x = x.flatten() - torch.arange(left, right, 2)[:, None]
            ways = way_x.expand(len(way_y), -1, -1), way_y.expand(-1, len(way_x), -1)
            way = torch.stack(ways).float().to(device)
            length = way.square().sum(0).sqrt()
            tiles.append(
                _Tile(
                    (slice(top, bottom, 2), slice(left, right, 2)),
                    (slice(top // 2, -(-bottom // 2)), slice(left // 2, -(-right // 2))),
                    (slice(rows.start, rows.stop), slice(columns.start, columns.stop)),
                    way,
                    torch.where(length > _REACH, _FAR, _NEAR * length),
                )
            )
    return tiles


def _patches(small: Tensor) -> Tensor:
    """Every pixel's patch ``(3·25, h, w)``."""
    around = F.pad(small, (_PATCH // 2,) * 4, mode="replicate")
    return F.unfold(around, _PATCH)[0].view(-1, *small.shape[-2:])


def _unlike(small0: Tensor, small1: Tensor, flow: Tensor) -> Tensor:
    """How much the patches differ along a flow ``(1,1,h,w)``, root mean square."""
    squared = (warp(small1, flow) - small0).square().mean(1, keepdim=True)
    return F.avg_pool2d(squared, _PATCH, 1, _PATCH // 2, count_include_pad=False).sqrt()
