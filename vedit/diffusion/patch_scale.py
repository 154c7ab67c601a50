"""One scale of the diffusion over patches: DDIM in variance-exploding form, overlapping patches voting."""

from dataclasses import dataclass
from types import EllipsisType

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.patch_bank import CERTAINTY, PatchBank, Patches, unfold, unfold_coarse
from vedit.flow.complete import grow, harmonic

AT_ONCE = 4096
"""Pixels that are sharpened at a time: each asks with a patch of a kilobyte, several times over."""
FLOOR = 0.02
"""No vote is more certain than this standard deviation."""


@dataclass(frozen=True)
class Scale:
    """How one scale is sampled: the patch's side, the noise from and to which, steps, strides of queries and keys.

    ``anchor`` is the radius (standard deviation) above which the prior keeps its colours.
    """

    size: int
    start: float
    end: float
    steps: int
    stride: int
    every: int
    reach: int
    anchor: float


def sample(
    start: Tensor,
    coarse: Tensor,
    made: Tensor,
    known: Tensor,
    scale: Scale,
    noise: torch.Generator,
    *,
    finish: bool,
) -> Tensor:
    """One scale of a filling: noise is added to a start and taken away again, by patches.

    Args:
        start: ``(1, 3, H, W)``, the picture with a first filling.
        coarse: ``(1, 3, H, W)``, the same as the next coarser scale shows it.
        made: ``(1, 1, H, W)``, 1 = to be made.
        known: ``(1, 1, H, W)``, 1 = may be matched and copied. What is neither is left out.
        scale: how.
        noise: where the noise comes from.
        finish: this is the last scale: sharpen, and meet the picture's colours at the rim.

    Returns:
        ``(1, 3, H, W)``, equal to ``start`` outside ``made``.
    """
    box = _around(made, scale.reach)
    radius, stride, size = scale.size // 2, scale.stride, scale.size
    # One more at the end, so that a stride of two still reaches the last pixel.
    border = (radius, radius + 1, radius, radius + 1)
    known_here, made_here = F.pad(known[box], border), F.pad(made[box], border)
    mean = (start[box] * known[box]).sum((-1, -2), keepdim=True) / known[box].sum().clamp_min(1)
    clean = F.pad(start[box] - mean, border) * (known_here + made_here)
    outline = F.pad(coarse[box] - mean, border, mode="replicate")
    bank = PatchBank(clean, known_here, outline, size, scale.every)
    if len(bank) == 0:
        return start

    def asked(picture: Tensor, places: Tensor, sigma: float) -> Patches:
        seen = unfold(known_here, size, places) / CERTAINTY**2
        seen = seen + unfold(made_here, size, places) / sigma**2
        return Patches(unfold(picture, size, places), seen, unfold_coarse(outline, size, places))

    touching = F.max_pool2d(made_here, size, stride=1)[0, 0]
    everywhere = torch.arange(touching.numel(), device=touching.device).view_as(touching)
    touching = touching[::stride, ::stride]
    places = touching.flatten().nonzero().flatten()
    corners = everywhere[::stride, ::stride].flatten()[places]
    noisy = clean + scale.start * made_here * torch.randn(clean.shape, generator=noise).to(clean)
    sigmas = [scale.start * (scale.end / scale.start) ** (i / (scale.steps - 1)) for i in range(scale.steps)]
    for sigma, following in zip(sigmas, [*sigmas[1:], 0.0], strict=True):
        means, variance = bank.explain(asked(noisy, corners, sigma))
        found, voted = _vote(means, variance, places, touching.shape, clean, size, stride)
        noisy = torch.where(made_here > 0, found + following / sigma * (noisy - found), clean)
    if finish:
        # What the votes got wrong next to the hole, where the truth is known, they got wrong inside it too.
        ring = (voted * known_here > 0) & (grow(made_here, 2) > 0)
        error = harmonic((clean - found) * ring, 1 - ring.to(clean)) * made_here
        # Averages of overlapping patches are dull: the likeliest patch's own pixel is as sharp as the picture.
        inner = made_here[..., radius:-radius, radius:-radius][0, 0].flatten().nonzero().flatten()
        middle = made_here[0, 0].flatten().nonzero().flatten()
        parts = torch.split(inner, AT_ONCE)
        colours = torch.cat([bank.copy_centres(asked(noisy, part, scale.end)) for part in parts])
        noisy = noisy.flatten(2).index_copy(2, middle, colours.T[None]).view_as(noisy) + error
    height, width = start[box].shape[-2:]
    out = start.clone()
    sampled = noisy[..., radius : radius + height, radius : radius + width] + mean
    out[box] = torch.where(made[box] > 0, sampled, start[box])
    return out


def _vote(
    means: Tensor,
    variance: Tensor,
    places: Tensor,
    grid: torch.Size,
    fallback: Tensor,
    size: int,
    stride: int,
) -> tuple[Tensor, Tensor]:
    """Patches laid over each other, the certain ones on top; and the sum ``(1, 1, H, W)`` of what they weighed."""
    across = torch.arange(size, device=means.device) - size // 2
    bell = torch.exp(-(across[:, None].square() + across.square()) / (2 * (size / 4) ** 2)).flatten()
    weight = bell / (variance + FLOOR**2)
    columns = means.new_zeros(4 * size**2, grid[0] * grid[1])
    columns[:, places] = torch.cat([(means * weight[:, None]).flatten(1), weight], 1).T
    covered = ((grid[0] - 1) * stride + size, (grid[1] - 1) * stride + size)
    laid = F.fold(columns[None], covered, size, stride=stride)
    laid = F.pad(laid, (0, fallback.shape[-1] - covered[1], 0, fallback.shape[-2] - covered[0]))
    return torch.where(laid[:, 3:] > 0, laid[:, :3] / laid[:, 3:].clamp_min(1e-9), fallback), laid[:, 3:]


def _around(mask: Tensor, margin: int) -> tuple[slice | EllipsisType, ...]:
    """The box of a mask ``(1, 1, H, W)``, wider by a margin, as an index of the last two axes."""
    sides = []
    for axis, length in ((1, mask.shape[-2]), (0, mask.shape[-1])):
        found = mask[0, 0].any(axis).nonzero().flatten()
        sides.append(slice(max(0, int(found[0]) - margin), min(length, int(found[-1]) + 1 + margin)))
    return (..., *sides)
