"""Fill what a mask hides: pictures by a membrane, motion by the motion around it."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import PairFlow

COLLAR = 32
"""How far around a hole motion is taken to be related to the hidden motion, in pixels."""


def harmonic(image: Tensor, mask: Tensor, sweeps: int = 12) -> Tensor:
    """Solve the Laplace equation inside a mask: the smoothest surface that meets the picture around the hole.

    Cascadic multigrid: solved at half size first, then smoothed at full size by ``sweeps`` Jacobi sweeps. The
    picture's border is free. Where the mask covers everything the result is 0.

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
    out[box] = _solve(image[box], inside[box].to(image), sweeps)
    return out


def _solve(image: Tensor, mask: Tensor, sweeps: int) -> Tensor:
    height, width = image.shape[-2:]
    known = image * (1 - mask)
    if max(height, width) > 2:
        weight = _halve(1 - mask)
        coarse = _halve(known) / weight.clamp_min(1e-6)
        coarse = _solve(coarse, (weight == 0).to(image), sweeps)
        guess = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    else:
        guess = (
            known.sum((-1, -2), keepdim=True) / (1 - mask).sum((-1, -2), keepdim=True).clamp_min(1)
        ).expand_as(image)
    out = torch.where(mask > 0, guess, image)
    for _ in range(sweeps):
        p = F.pad(out, (1, 1, 1, 1), mode="replicate")
        mean = (p[..., :-2, 1:-1] + p[..., 2:, 1:-1] + p[..., 1:-1, :-2] + p[..., 1:-1, 2:]) / 4
        out = torch.where(mask > 0, mean, out)
    return out


def _halve(image: Tensor) -> Tensor:
    return F.avg_pool2d(image, 2, ceil_mode=True)


def grow(mask: Tensor, radius: int) -> Tensor:
    """A mask ``(N, 1, H, W)`` dilated by a square of ``2 radius + 1`` pixels."""
    grown = F.max_pool2d(mask, (2 * radius + 1, 1), stride=1, padding=(radius, 0))
    return F.max_pool2d(grown, (1, 2 * radius + 1), stride=1, padding=(0, radius))


def complete_flow(flow: Tensor, mask: Tensor) -> Tensor:
    """Motion inside a mask from the motion around it: a robust affine motion of the collar plus a membrane.

    The affine part carries zooms and rotations across the hole, where a bare membrane (FGVC, Gao et al. 2020)
    flattens them; the membrane carries what is left of the collar's local motion.

    Args:
        flow: ``(1, 2, H, W)`` pixels, dx first; values under the mask are ignored.
        mask: ``(1, 1, H, W)``, 1 = motion unknown.

    Returns:
        ``(1, 2, H, W)``, equal to ``flow`` outside the mask. Zero motion where everything is masked.
    """
    collar = (grow(mask, COLLAR) > 0) & (mask == 0)
    if not bool((mask > 0).any()):
        return flow
    affine = _robust_affine(flow, collar[0, 0])
    return torch.where(mask > 0, affine + harmonic(flow - affine, mask), flow)


def _robust_affine(flow: Tensor, where: Tensor) -> Tensor:
    """The affine motion most of the pixels agree on: least squares reweighted by Geman-McClure, as ``(1,2,H,W)``."""
    height, width = where.shape
    size = max(height, width)
    y, x = torch.meshgrid(
        torch.arange(height, device=flow.device) / size,
        torch.arange(width, device=flow.device) / size,
        indexing="ij",
    )
    basis = torch.stack([torch.ones_like(x), x, y], -1)
    points, motion = basis[where], flow[0].permute(1, 2, 0)[where]
    if len(points) < 16:
        return torch.zeros_like(flow)
    step = max(1, len(points) // 4000)
    points, motion = points[::step].double(), motion[::step].double()
    weight = torch.ones_like(points[:, :1])
    ridge = 1e-3 * torch.diag(torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64, device=flow.device))
    fit = torch.zeros(3, 2, dtype=torch.float64, device=flow.device)
    for scale in (16.0, 8.0, 4.0, 2.0, 1.0, 1.0):
        normal = (points * weight).T @ points / weight.sum() + ridge
        fit = torch.linalg.solve(normal, (points * weight).T @ motion / weight.sum())
        error = (points @ fit - motion).square().sum(1, keepdim=True)
        weight = 1 / (1 + error / scale**2).square()
    return (basis @ fit.to(basis)).permute(2, 0, 1)[None].to(flow)


def complete_pair(pair: PairFlow, mask: Tensor, reach: int) -> PairFlow:
    """A pair's flow and occlusion without what was under a mask: completed there, and the test run again.

    Args:
        pair: flow between two pictures whose holes were filled with something smooth.
        mask: ``(1, 1, H, W)``, the union of both pictures' masks.
        reach: how many pixels around the mask the estimator is not to be trusted.
    """
    unknown = grow(mask, reach)
    flow_fw, flow_bw = complete_flow(pair.flow_fw, unknown), complete_flow(pair.flow_bw, unknown)
    return PairFlow(flow_fw, flow_bw, occlusion(flow_fw, flow_bw), occlusion(flow_bw, flow_fw))
