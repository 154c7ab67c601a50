"""What the frame before looked like, brought to where it is now."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.motion import LOST


def carry(
    before: Tensor,
    back: Tensor,
    cell: int,
    shift: tuple[int, int] = (0, 0),
    *,
    where: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Sample the window of the frame before along the motion, by cubic convolution.

    Args:
        before: ``(N, C, H0, W0)``, its window.
        back: ``(N, 3, h, w)``: dx, dy and error of every cell of this frame's window, as `Motion.back`.
        cell: pixels per cell.
        shift: where this window's corner lies in that of the frame before, x first.
        where: ``(h', w')``, no larger than this window: pixels that are wanted, of a batch of one; the others are 0.

    Returns:
        ``(N, C, h cell, w cell)``, 0 where nothing is known, and ``(N, 1, …)``: 1 where something is.
    """
    height, width = back.shape[-2] * cell, back.shape[-1] * cell
    flow = F.interpolate(back[:, :2], size=(height, width), mode="bilinear", align_corners=False)
    lost = F.interpolate((back[:, 2:] > LOST / 4).to(back), size=(height, width), mode="nearest")
    x = torch.arange(width, device=back.device) + shift[0] + flow[:, 0]
    y = torch.arange(height, device=back.device)[:, None] + shift[1] + flow[:, 1]
    rows, columns = before.shape[-2:]
    inside = (x >= 0) & (y >= 0) & (x <= columns - 1) & (y <= rows - 1)
    grid = torch.stack([(2 * x + 1) / columns - 1, (2 * y + 1) / rows - 1], -1)
    known = inside[:, None] * (1 - lost)
    if where is None:
        return F.grid_sample(before, grid, "bicubic", "border", align_corners=False) * known, known
    known = known * F.pad(where.to(known), (0, width - where.shape[1], 0, height - where.shape[0]))
    wanted = known[0, 0] > 0
    there = before.new_zeros(1, before.shape[1], height, width)
    points = grid[:, None, wanted]
    there[..., wanted] = F.grid_sample(before, points, "bicubic", "border", align_corners=False)[:, :, 0]
    return there, known
