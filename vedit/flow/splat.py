"""Forward warping: push each pixel to where the flow points, sharing places that several pixels reach."""

import torch
from torch import Tensor


def splat(values: Tensor, flow: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Move every pixel x to x + flow(x), spread bilinearly over the four pixels around that point.

        sums(y) = Σ_x b(y - x - flow(x)) w(x),   out(y) = Σ_x b(y - x - flow(x)) w(x) values(x) / sums(y)

    with b the bilinear kernel. ``weight`` = exp(Z) makes it softmax splatting (Niklaus and Liu, "Softmax
    Splatting for Video Frame Interpolation", CVPR 2020): where several pixels meet, the one of higher
    importance Z wins, such as Z = -20 |frame0 - warp(frame1, flow_fw)|.

    Args:
        values: ``(N, C, H, W)`` floating.
        flow: ``(N, 2, H, W)`` pixels, dx first, on the same grid.
        weight: ``(N, 1, H, W)`` positive importance, or None for 1 everywhere.

    Returns:
        ``(N, C, H, W)`` the weighted mean of what lands on each pixel, 0 where nothing does, and
        ``(N, 1, H, W)`` the sum of the weights that landed there (0 in holes). Deterministic on the CPU;
        CUDA adds in any order.
    """
    n, channels, height, width = values.shape
    x = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[:, 0]
    y = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    left, top = x.floor(), y.floor()
    # (C + 1, N·H·W): the values times their weight, and the weight itself, added up in one go.
    weight = torch.ones_like(values[:, :1]) if weight is None else weight
    moved = torch.cat([values * weight, weight], 1).transpose(0, 1).reshape(channels + 1, -1)
    total = torch.zeros_like(moved)
    picture = torch.arange(n, device=flow.device)[:, None, None] * (height * width)
    for column, share_x in ((left, left + 1 - x), (left + 1, x - left)):
        for row, share_y in ((top, top + 1 - y), (top + 1, y - top)):
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            target = (
                picture + row.clamp(0, height - 1).long() * width + column.clamp(0, width - 1).long()
            ).flatten()
            share = torch.where(inside, share_x * share_y, 0).flatten()
            total.index_add_(1, target, moved * share.to(moved.dtype))
    out = total.reshape(channels + 1, n, height, width).transpose(0, 1)
    sums = out[:, channels:]
    return torch.where(sums > 0, out[:, :channels] / sums.clamp_min(torch.finfo(sums.dtype).tiny), 0), sums
