"""Fill what a mask hides with the smoothest surface, and make masks larger."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SWEEPS = 12
"""Jacobi sweeps per level: the worst error left in a smooth filling is below 1 % of its range."""

_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4
"""The mean of the four neighbours."""


def harmonic(image: Tensor, mask: Tensor) -> Tensor:
    """Solve the Laplace equation inside a mask: the smoothest surface that meets the picture around the hole.

    Cascadic multigrid: solved at half size first, then smoothed at full size by a few Jacobi sweeps. The picture's
    border is free. Where the mask covers everything the result is 0.

    Args:
        image: ``(N, C, H, W)``, any range; values under the mask are ignored.
        mask: ``(N, 1, H, W)``, 1 = fill.

    Returns:
        ``(N, C, H, W)``, equal to ``image`` outside the mask.
    """
    inside = mask > 0
    rows, columns = (inside.any(axis).any(0).any(0).nonzero().flatten() for axis in (-1, -2))
    if len(rows) == 0:
        return image
    # Only the hole's bounding box and its nearest known pixels matter.
    top, bottom = max(0, int(rows[0]) - 2), int(rows[-1]) + 3
    left, right = max(0, int(columns[0]) - 2), int(columns[-1]) + 3
    box = (..., slice(top, bottom), slice(left, right))
    out = image.clone()
    out[box] = _solve(image[box], inside[box].to(image))
    return out


def _solve(image: Tensor, mask: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    known = image * (1 - mask)
    if max(height, width) > 2:
        weight = _halve(1 - mask)
        coarse = _halve(known) / weight.clamp_min(1e-6)
        coarse = _solve(coarse, (weight == 0).to(image))
        guess = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    else:
        guess = (
            known.sum((-1, -2), keepdim=True) / (1 - mask).sum((-1, -2), keepdim=True).clamp_min(1)
        ).expand_as(image)
    out = torch.where(mask > 0, guess, image)
    return _smoothed_on_cpu(out, mask) if out.device.type == "cpu" else _smoothed(out, mask)


def _smoothed(out: Tensor, mask: Tensor) -> Tensor:
    for _ in range(SWEEPS):
        p = F.pad(out, (1, 1, 1, 1), mode="replicate")
        mean = (p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:]) / 4
        out = torch.where(mask > 0, mean, out)
    return out


def _smoothed_on_cpu(out: Tensor, mask: Tensor) -> Tensor:
    """The same in less than half the time: most levels are small, and seven steps of torch take longer than one."""
    inside = (mask[:, 0] > 0).to(torch.uint8).numpy()
    pictures = out.contiguous().numpy()
    mean = np.empty_like(pictures[0, 0])
    for picture, hole in zip(pictures, inside, strict=True):
        for plane in picture:
            for _ in range(SWEEPS):
                cv2.filter2D(plane, -1, _CROSS, mean, borderType=cv2.BORDER_REPLICATE)
                cv2.copyTo(mean, hole, plane)
    return torch.from_numpy(pictures)


def _halve(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, 2, ceil_mode=True)


def grow(mask: Tensor, radius: int) -> Tensor:
    """A mask ``(N, 1, H, W)`` dilated by a square of ``2 radius + 1`` pixels."""
    return _widest(_widest(mask, radius, -1), radius, -2)


def _widest(mask: Tensor, radius: int, axis: int) -> Tensor:
    """The largest value of ``2 radius + 1`` pixels along an axis: of two, of four…, much faster than by pooling."""
    covered, wanted = 1, 2 * radius + 1
    grown = F.pad(mask, (radius, radius) if axis == -1 else (0, 0, radius, radius))
    while covered < wanted:
        step = min(covered, wanted - covered)
        length = grown.shape[axis] - step
        grown = torch.maximum(grown.narrow(axis, 0, length), grown.narrow(axis, step, length))
        covered += step
    return grown
