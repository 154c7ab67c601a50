"""Large pictures in overlapping tiles, blended where they overlap, so that a model sees no more than one at a time."""

from collections.abc import Callable

import torch
from torch import Tensor

SHARED = 4
"""A tile shares one part in so many of its side with the next."""


def tiled(work: Callable[[Tensor], Tensor], pictures: Tensor, tile: int, *, grow: int, shrink: int) -> Tensor:
    """What ``work`` makes of pictures ``(F,C,H,W)``, ``tile x tile`` pixels at a time.

    ``work`` makes ``grow`` pixels of every ``shrink``, one of which is 1; both sides and ``tile`` are multiples of
    ``shrink``. All tiles have the same size: the last of a row is moved back into the picture. Neighbours share a
    quarter of a side and are cross-faded there. A picture that is no larger than a tile is worked on whole.
    """
    height, width = pictures.shape[-2:]
    rows, columns = _starts(height, tile, shrink), _starts(width, tile, shrink)
    if len(rows) == len(columns) == 1:
        return work(pictures)
    result = weights = torch.empty(0)
    for top in rows:
        for left in columns:
            part = work(pictures[..., top : top + tile, left : left + tile])
            if not result.numel():
                count, channels = part.shape[:2]
                sides = (height * grow // shrink, width * grow // shrink)
                result = part.new_zeros(count, channels, *sides, dtype=torch.float32)
                weights = result.new_zeros(1, 1, *sides)
            y, x = (start * grow // shrink for start in (top, left))
            area = (..., slice(y, y + part.shape[-2]), slice(x, x + part.shape[-1]))
            weight = _fade(part.shape[-2], result.device)[:, None] * _fade(part.shape[-1], result.device)
            result[area] += part * weight
            weights[area] += weight
    return result.div_(weights)


def _starts(side: int, tile: int, step: int) -> list[int]:
    """Where tiles begin along a side, each a multiple of ``step``."""
    stride = max(step, (tile - tile // SHARED) // step * step)
    return [*range(0, max(0, side - tile), stride), max(0, side - tile)]


def _fade(side: int, device: torch.device) -> Tensor:
    """A tile's weights along one side: rising over what it shares, 1 in the middle, falling."""
    shared = max(1, side // SHARED)
    ends = torch.arange(1, side + 1, device=device)
    return torch.minimum(ends, side + 1 - ends).clamp(max=shared) / shared
