"""How near a picture is to a style, and how well it keeps a frame's drawing."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.errors import UsageError

SIZES = (256, 128, 64)
"""Both pictures are brought to squares of these sides: strokes count relative to the whole picture."""
PATCH = 7
"""Side of the patches compared."""
PROJECTIONS = 128
"""Directions that patches are looked at from, per size."""
FINE, AROUND = 1.5, 12.0
"""Gaussian sigmas in pixels: of the smallest drawing that counts, and of what a gradient is held against."""
FAINT = 4 / 255
"""A gradient this weak is no drawing; it keeps flat areas from being amplified."""


def style_distance(picture: Tensor, style: Tensor, *, seed: int = 0) -> float:
    """Multi-scale sliced Wasserstein distance between the patches of two pictures; 0 is the same hand.

    The mean over `SIZES` and over random directions of the 1-D Wasserstein-1 distance between projected patches
    (Rabin et al., "Wasserstein Barycenter and Its Application to Texture Mixing", SSVM 2011; on patches: Elnekave &
    Weiss, "Generating Natural Images with Direct Patch Distributions Matching", ECCV 2022).

    Args:
        picture: ``(3, H, W)`` in [0, 1].
        style: ``(3, h, w)`` in [0, 1]; any size.
        seed: the source of the random directions.
    """
    _check(picture, "picture")
    _check(style, "style")
    generator = torch.Generator().manual_seed(seed)
    distances = []
    for size in SIZES:
        directions = torch.randn(PROJECTIONS, 3 * PATCH * PATCH, generator=generator)
        directions /= directions.norm(dim=1, keepdim=True)
        kernels = directions.view(-1, 3, PATCH, PATCH)
        ours, theirs = (
            np.sort(F.conv2d(_to_square(image, size)[None], kernels, stride=2)[0].flatten(1).numpy(), axis=1)
            for image in (picture, style)
        )
        distances.append(float(np.abs(ours - theirs).mean()))
    return sum(distances) / len(distances)


def structure(reference: Tensor, picture: Tensor) -> float:
    """Correlation of the two pictures' locally normalised luminance gradients; 1 is the same drawing.

    Args:
        reference: ``(3, H, W)`` in [0, 1].
        picture: ``(3, h, w)`` in [0, 1]; it is brought to the reference's size.
    """
    _check(reference, "reference")
    _check(picture, "picture")
    if picture.shape != reference.shape:
        picture = F.interpolate(picture[None].float(), size=reference.shape[-2:], mode="bilinear")[0]
    both = torch.stack([_drawing(reference).flatten(), _drawing(picture).flatten()])
    return float(torch.corrcoef(both)[0, 1])


def _check(picture: Tensor, name: str) -> None:
    if picture.ndim != 3 or picture.shape[0] != 3:
        raise UsageError(f"the {name} has shape {tuple(picture.shape)}", "Give (3, H, W) RGB in [0, 1].")


def _overlap(count: int, size: int) -> Tensor:
    """Weights ``(size, count)``: the share of each of ``size`` equal parts of a line that each of ``count`` covers."""
    edges = torch.arange(size + 1, dtype=torch.float64) * count / size
    pixel = torch.arange(count, dtype=torch.float64)
    shared = torch.minimum(edges[1:, None], pixel + 1) - torch.maximum(edges[:-1, None], pixel)
    return (shared.clamp_min(0) * size / count).float()


def _to_square(image: Tensor, size: int) -> Tensor:
    """The picture ``(3, size, size)``, every pixel the exact mean of the area it covers."""
    rows, columns = _overlap(image.shape[-2], size), _overlap(image.shape[-1], size)
    return rows @ image.detach().float().cpu() @ columns.T


def _blur(plane: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of ``(1, 1, H, W)``, mirrored at the border."""
    for dim in (2, 3):
        reach = min(math.ceil(4 * sigma), plane.shape[dim] - 1)
        weights = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
        weights /= weights.sum()
        pad = (0, 0, reach, reach) if dim == 2 else (reach, reach, 0, 0)
        kernel = weights.view(1, 1, -1, 1) if dim == 2 else weights.view(1, 1, 1, -1)
        plane = F.conv2d(F.pad(plane, pad, mode="reflect"), kernel)
    return plane


def _drawing(picture: Tensor) -> Tensor:
    """Gradient magnitude of luma over its mean nearby, ``(1, 1, H, W)``."""
    luma = (picture.detach().float().cpu() * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0)
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    fine = F.pad(_blur(luma[None, None], FINE), (1, 1, 1, 1), mode="reflect")
    across, down = F.conv2d(fine, torch.stack([sobel, sobel.T])[:, None])[0]
    strength = torch.hypot(across, down)[None, None]
    return strength / (_blur(strength, AROUND) + FAINT)
