"""One picture in several sizes, each half as large as the one before, and what is read from any of them.

Pictures are ``(1, C, H, W)`` here.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

OCTAVES = 4
"""Halvings that patches are compared in, the size itself counted: strokes up to 7 * 2**3 pixels are seen."""
BINOMIAL = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16


def resized(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """The picture at another size, without aliases."""
    if tuple(picture.shape[-2:]) == size:
        return picture
    return F.interpolate(picture, size=size, mode="bilinear", antialias=True)


def _halved(picture: Tensor) -> Tensor:
    """Half the size. Binomial, not box: what descent adds through a box shows its grid."""
    channels = picture.shape[1]
    rows, columns = BINOMIAL.view(1, 1, 5, 1), BINOMIAL.view(1, 1, 1, 5)
    tall = F.pad(picture, (0, 0, 2, 2), mode="replicate")
    half = F.conv2d(tall, rows.expand(channels, -1, -1, -1), stride=(2, 1), groups=channels)
    wide = F.pad(half, (2, 2, 0, 0), mode="replicate")
    return F.conv2d(wide, columns.expand(channels, -1, -1, -1), stride=(1, 2), groups=channels)


def doubled(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """Twice the size, as a cubic B-spline; the inverse of `_halved` in what it lets through."""
    channels = picture.shape[1]
    rows, columns = 2 * BINOMIAL.view(1, 1, 5, 1), 2 * BINOMIAL.view(1, 1, 1, 5)
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    tall = F.conv_transpose2d(padded, rows.expand(channels, -1, -1, -1), stride=(2, 1), groups=channels)
    tall = tall[:, :, 4 : 4 + size[0]]
    wide = F.conv_transpose2d(tall, columns.expand(channels, -1, -1, -1), stride=(1, 2), groups=channels)
    return wide[..., 4 : 4 + size[1]]


def octaves_of(picture: Tensor, count: int = OCTAVES) -> list[Tensor]:
    """The picture and its halvings, ``count`` in all."""
    out = [picture]
    while len(out) < count:
        out.append(_halved(out[-1]))
    return out


def luma_of(picture: Tensor) -> Tensor:
    """BT.601 luma ``(1, 1, H, W)`` of an RGB picture."""
    return (picture * picture.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)


def blurred(plane: Tensor, sigma: float) -> Tensor:
    """Gaussian blur of a plane ``(1, 1, H, W)``."""
    reach = max(1, round(3 * sigma))
    weights = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    weights = weights / weights.sum()
    across = F.conv2d(F.pad(plane, (reach, reach, 0, 0), mode="replicate"), weights.view(1, 1, 1, -1))
    return F.conv2d(F.pad(across, (0, 0, reach, reach), mode="replicate"), weights.view(1, 1, -1, 1))
