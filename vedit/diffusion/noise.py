"""Noise that belongs to the picture's points, not to the screen: seeded per frame, carried along the flow.

What is random in a painting sits in the noise. Carried along the flow, strokes stick to what they paint; frozen to
the screen they swim, and drawn anew per frame they flicker. The carried noise is moved whole, one cell to one cell,
so that it stays white (Chang et al., "How I Warped Your Noise", ICLR 2024, is the exact treatment).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vedit.flow.pairs import PairFlow
from vedit.flow.resize import resize_flow


def fresh_noise(shape: tuple[int, ...], seed: int, index: int) -> Tensor:
    """White noise for the frame with this absolute index: the same on every run, whatever came before."""
    generator = torch.Generator().manual_seed((seed * 1_000_003 + index * 7919) % 2**63)
    return torch.randn(shape, generator=generator)


@dataclass(frozen=True)
class CarriedNoise:
    """One frame's noise ``(1,c,h,w)`` and how far each cell's true place is from its grid point ``(1,2,h,w)``."""

    noise: Tensor
    remainder: Tensor


def first_noise(channels: int, height: int, width: int, seed: int, index: int) -> CarriedNoise:
    """The noise of a run's first frame."""
    return CarriedNoise(
        fresh_noise((1, channels, height, width), seed, index), torch.zeros(1, 2, height, width)
    )


def carry_noise(previous: CarriedNoise, pair: PairFlow, seed: int, index: int) -> CarriedNoise:
    """The noise of the next frame: the previous one's cells moved along ``pair``, fresh where nothing arrives."""
    return carry_drawn(previous, pair, fresh_noise(tuple(previous.noise.shape), seed, index))


def carry_drawn(previous: CarriedNoise, pair: PairFlow, fresh: Tensor) -> CarriedNoise:
    """As `carry_noise`, with the fresh noise ``(1,c,h,w)`` given.

    Each cell p looks back along the flow to s, takes the cell whose true place is nearest to s, and remembers what
    rounding left over, so that slow motion adds up instead of being rounded away. Where two cells would take the
    same one, the one that fits better keeps it; the other, and every occluded cell, gets fresh noise.
    """
    height, width = previous.noise.shape[-2:]
    flow = resize_flow(pair.flow_bw, height, width).cpu()
    hidden = torch.nn.functional.interpolate(pair.occlusion_bw.cpu(), size=(height, width), mode="area") > 0.5
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    here = torch.stack([x, y])[None].float()
    source = here + flow

    def cells(places: Tensor) -> tuple[Tensor, Tensor]:
        # floor(x + 1/2): round() takes halves to even numbers, which would send two neighbours to one cell.
        column, row = (places + 0.5).floor().long().unbind(1)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        return row.clamp(0, height - 1) * width + column.clamp(0, width - 1), inside

    def gather(field: Tensor, cell: Tensor) -> Tensor:
        return field.flatten(2).gather(2, cell.view(1, 1, -1).expand(1, field.shape[1], -1)).view_as(field)

    near, _ = cells(source)
    taken, inside = cells(source - gather(previous.remainder, near))
    remainder = gather(here + previous.remainder, taken) - source
    # A total order on (misfit, cell) makes the winner of a collision unique and the same on every run.
    misfit = remainder.square().sum(1).flatten()
    order = torch.argsort(misfit, stable=True)
    rank = torch.empty_like(order)
    rank[order] = torch.arange(len(order))
    best = torch.full_like(rank, len(order)).scatter_reduce(0, taken.flatten(), rank, "amin")
    wins = best[taken.flatten()] == rank
    kept = wins.view(1, 1, height, width) & inside[:, None] & ~hidden & (misfit < 2).view(1, 1, height, width)
    return CarriedNoise(
        torch.where(kept, gather(previous.noise, taken), fresh), torch.where(kept, remainder, torch.zeros(()))
    )
