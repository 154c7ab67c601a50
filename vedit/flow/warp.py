"""Backward warping: fetch each pixel from where the flow points."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor


def warp(image: Tensor, flow: Tensor, mode: Literal["bilinear", "bicubic"] = "bilinear") -> Tensor:
    """Sample ``image`` at grid + ``flow``: out(x) = image(x + flow(x)), on the flow's source grid.

    Places outside the image take its nearest border pixel. ``bicubic`` (Keys 1981, a = -0.75) keeps fine
    detail that ``bilinear`` blurs; it may overshoot [0, 1] by a little, which is left to the caller.

    Args:
        image: ``(N, C, h, w)`` floating.
        flow: ``(N, 2, H, W)`` pixels, dx first; H, W may differ from h, w (1 pixel stays 1 pixel).
        mode: the sampling kernel.

    Returns:
        ``(N, C, H, W)``; a zero flow gives the image back, to float rounding.
    """
    height, width = image.shape[-2:]
    x = torch.arange(flow.shape[-1], device=flow.device, dtype=flow.dtype) + flow[:, 0]
    y = torch.arange(flow.shape[-2], device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    # grid_sample's coordinates: -1 and 1 are the centres of the border pixels.
    grid = torch.stack([x * (2 / max(width - 1, 1)) - 1, y * (2 / max(height - 1, 1)) - 1], dim=-1)
    # Places need float32 even where features are half as wide: bfloat16 cannot tell pixel 300 from 301.
    out = F.grid_sample(image.float(), grid.float(), mode=mode, padding_mode="border", align_corners=True)
    return out.to(image.dtype)
