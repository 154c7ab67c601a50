"""Votes: a picture made of a style's own patches, each the nearest to what is there.

Overlapping patches are averaged (Kwatra et al., "Texture Optimization for Example-based Synthesis", SIGGRAPH 2005), and
the style's are used evenly (Granot et al., "Drop the GAN", CVPR 2022).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.patch_statistics import PATCH

VOTERS, AXES, EVENNESS = 8000, 40, 0.01
"""Patches of the style that are asked, principal axes they are compared along, and how evenly they are used."""


def voted(picture: Tensor, style: Tensor, grid: int, amount: Tensor, generator: torch.Generator) -> Tensor:
    """The picture, ``amount`` ``(1, 1, H, W)`` of the way to what the style's nearest patches make of it."""
    both = torch.cat([F.unfold(style, PATCH)[0].T, F.unfold(style.flip(-1), PATCH)[0].T])
    theirs = both[torch.randperm(len(both), generator=generator)[:VOTERS]]
    edge = PATCH // 2
    padded = F.pad(picture, (edge, edge + grid, edge, edge + grid), mode="replicate")
    ours = F.unfold(padded, PATCH, stride=grid)[0].T
    mean = theirs.mean(0)
    covariance = (theirs - mean).T @ (theirs - mean) / len(theirs)
    axes = torch.linalg.eigh(covariance + 1e-6 * torch.eye(len(mean)))[1][:, -AXES:]
    a, b = (ours - mean) @ axes, (theirs - mean) @ axes
    power = b.square().sum(1)
    rows = [
        (part.square().sum(1, keepdim=True) + power - 2 * part @ b.T).clamp_min(0) for part in a.split(2048)
    ]
    # Divided by how near the style's patch is to any of ours: those that fit nowhere well are asked too.
    reach = torch.stack([row.min(0).values for row in rows]).min(0).values + EVENNESS * power.mean() + 1e-6
    nearest = torch.cat([(row / reach).min(1).indices for row in rows])
    bell = torch.exp(-(torch.arange(-edge, edge + 1) ** 2) / 8.0)
    weights = (bell[:, None] * bell).expand(3, -1, -1).reshape(-1, 1)
    size = (padded.shape[-2], padded.shape[-1])
    votes = F.fold((theirs[nearest].T * weights)[None], size, PATCH, stride=grid)
    count = F.fold(weights.expand(-1, len(a))[None], size, PATCH, stride=grid)
    made = (votes / count.clamp_min(1e-6))[
        ..., edge : edge + picture.shape[-2], edge : edge + picture.shape[-1]
    ]
    return torch.lerp(picture, made, amount)
