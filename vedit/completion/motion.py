"""The motion between two frames of a film with holes, found without ever looking at what is hidden."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.complete import grow, harmonic
from vedit.flow.estimate import Quality
from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import both_ways
from vedit.flow.warp import warp
from vedit.window import Window

REACH = 1
"""Cells around a hole whose flow is not believed: patches of 8 pixels there have matched the hole's filling."""
FLOW_PIXELS = 640_000
"""Flow of larger windows is worked out at half their size, or a quarter…"""
LOST = 100.0
"""An error in pixels that says there is no match at all."""


@dataclass(frozen=True, eq=False)
class Motion:
    """Motion between frame0 and frame1 for every cell of ``cell`` by ``cell`` pixels of a window.

    ``forth`` ``(1, 3, h, w)`` is on frame0's cells: dx, dy and round-trip error, in pixels of the picture; the error is
    `LOST` and more where frame1 does not show the cell. ``back`` is the same from frame1 to frame0.
    """

    forth: Tensor
    back: Tensor
    window: Window
    cell: int

    def at(self, field: Tensor, points: Tensor) -> Tensor:
        """``forth`` or ``back`` ``(3, N)`` at places ``(N, 2)`` x, y of the picture; lost outside the window."""
        height, width = field.shape[-2:]
        corner = points.new_tensor([self.window.left, self.window.top])
        size = points.new_tensor([width, height]) * self.cell
        grid = (points - corner + 0.5) / size * 2 - 1
        found = F.grid_sample(field, grid[None, None], "bilinear", "border", align_corners=False)[0, :, 0]
        outside = (grid.abs() > 1).any(1)
        return torch.cat([found[:2], found[2:] + LOST * outside])


def hidden_motion(
    picture0: Tensor, picture1: Tensor, mask0: Tensor, mask1: Tensor, window: Window, quality: Quality
) -> Motion:
    """The motion in a window of two frames, carried smoothly into their holes.

    Flow is estimated between pictures whose holes were filled with something smooth, thrown away in and near the
    holes, and completed there by the Laplace equation (FGVC, Gao et al., ECCV 2020); affine motion solves it, so zooms
    and rotations need no model of their own. Everything is kept on cells of two pixels (four and more in large
    windows), where motion in a hole is smooth anyhow.

    Args:
        picture0: ``(3, h, w)``, the window of frame0, its hole filled.
        picture1: the same of frame1.
        mask0: ``(1, h, w)``, 1 = hole.
        mask1: the same of frame1.
        window: where they lie in the picture.
        quality: of the search for motion.
    """
    scale = 1
    while picture0.shape[-2] * picture0.shape[-1] > FLOW_PIXELS * scale * scale:
        scale *= 2
    first, second = (F.avg_pool2d(p, scale, ceil_mode=True) if scale > 1 else p for p in (picture0, picture1))
    cell = 2 * scale
    holes = [F.max_pool2d(m[None], scale, ceil_mode=True) for m in (mask0, mask1)]
    hidden = F.max_pool2d(torch.maximum(*holes), 2, ceil_mode=True)
    unknown = grow(hidden, REACH).expand(2, -1, -1, -1)
    flow_fw, flow_bw = _flow(first, second, "draft", unknown)
    if quality != "draft" and bool(hidden.any()):
        alike = _alike(first, second, holes[0], holes[1], flow_fw, flow_bw)
        flow_fw, flow_bw = _flow(*alike, quality, unknown)
    return Motion(_step(flow_fw, flow_bw, cell), _step(flow_bw, flow_fw, cell), window, cell)


def _flow(first: Tensor, second: Tensor, quality: Quality, unknown: Tensor) -> tuple[Tensor, Tensor]:
    """Flow there and back on cells of two pixels, completed where it is ``unknown``."""
    ways = both_ways(first, second, quality)
    both = torch.cat([F.avg_pool2d(f, 2, ceil_mode=True) / 2 for f in ways])
    both = harmonic(both, unknown)
    return both[:1], both[1:]


def _alike(
    first: Tensor, second: Tensor, hole0: Tensor, hole1: Tensor, flow_fw: Tensor, flow_bw: Tensor
) -> tuple[Tensor, Tensor]:
    """Two pictures whose holes show the same, moved as the flow says, so that the holes' edges do not stand still."""
    height, width = first.shape[-2:]
    fw, bw = (
        2 * F.interpolate(f, scale_factor=2, mode="bilinear")[..., :height, :width]
        for f in (flow_fw, flow_bw)
    )
    second = torch.where(hole1[0] > 0, warp(first[None], bw)[0], second)
    first = torch.where(hole0[0] > 0, warp(second[None], fw)[0], first)
    return first, second


def _step(flow: Tensor, back: Tensor, cell: int) -> Tensor:
    error = torch.hypot(*(flow + warp(back, flow)).unbind(1))[:, None]
    return torch.cat([flow * cell, error * cell + LOST * occlusion(flow, back)], 1)
