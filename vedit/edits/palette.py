"""Give a picture the palette of another: the linear Monge-Kantorovich colour transfer."""

from dataclasses import dataclass

import torch
from torch import Tensor

# Keeps a channel that hardly varies (a black-and-white style) from being stretched without bound.
FLOOR = 1e-4


@dataclass(frozen=True)
class Palette:
    """Mean ``(3,)`` and covariance ``(3,3)`` of a picture's colours, RGB in [0, 1]."""

    mean: Tensor
    covariance: Tensor


def palette_of(frames: Tensor) -> Palette:
    """The palette of pictures ``(F,3,H,W)`` or of one ``(3,H,W)``."""
    colours = (
        frames.reshape(-1, 3, frames.shape[-2] * frames.shape[-1]).transpose(0, 1).reshape(3, -1).double()
    )
    mean = colours.mean(1)
    offset = colours - mean[:, None]
    return Palette(mean, offset @ offset.T / offset.shape[1] + FLOOR * torch.eye(3, dtype=torch.float64))


def _root(matrix: Tensor) -> Tensor:
    """Square root of a symmetric positive definite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    root: Tensor = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    return root


def colour_map(source: Palette, target: Palette) -> tuple[Tensor, Tensor]:
    """The matrix ``(3,3)`` and offset ``(3,)`` that give one palette's colours the mean and covariance of another.

    T = A^(-1/2) (A^(1/2) B A^(1/2))^(1/2) A^(-1/2) with A, B the covariances: of all linear maps that do so, the one
    that moves colours least (Pitié & Kokaram, "The Linear Monge-Kantorovitch Linear Colour Mapping", CVMP 2007).
    """
    root = _root(source.covariance)
    inverse = torch.linalg.inv(root)
    matrix = inverse @ _root(root @ target.covariance @ root) @ inverse
    return matrix.float(), (target.mean - matrix @ source.mean).float()


def recolour(frames: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Apply a colour map to pictures ``(F,3,H,W)``; the result stays in [0, 1]."""
    mapped = torch.einsum("ij,fjhw->fihw", matrix.to(frames), frames) + offset.to(frames).view(1, 3, 1, 1)
    return mapped.clamp(0, 1)
