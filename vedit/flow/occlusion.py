"""Occlusion: pixels of one picture that the other does not show."""

import torch
from torch import Tensor

from vedit.flow.warp import warp


def occlusion(flow_fw: Tensor, flow_bw: Tensor) -> Tensor:
    """Where following the flow there and back does not come home, or leads out of the picture.

    With f = flow_fw(x) and b = flow_bw(x + f), a pixel is occluded when |f + b|² > 0.01 (|f|² + |b|²) + 0.5
    (Sundaram, Brox and Keutzer, "Dense Point Trajectories by GPU-accelerated Large Displacement Optical
    Flow", ECCV 2010), or when x + f lies more than half a pixel outside.

    Args:
        flow_fw: ``(N, 2, H, W)`` pixels, dx first, from the pictures asked about.
        flow_bw: ``(N, 2, H, W)`` back to them.

    Returns:
        ``(N, 1, H, W)`` of 0.0 and 1.0 on flow_fw's source grid; 1 = no match. Swap the flows for the other
        side.
    """
    back = warp(flow_bw, flow_fw)
    apart = (flow_fw + back).square().sum(1, keepdim=True)
    length = flow_fw.square().sum(1, keepdim=True) + back.square().sum(1, keepdim=True)
    return ((apart > 0.01 * length + 0.5) | ~_inside(flow_fw)).to(flow_fw.dtype)


def _inside(flow: Tensor) -> Tensor:
    height, width = flow.shape[-2:]
    x = torch.arange(width, device=flow.device) + flow[:, :1]
    y = torch.arange(height, device=flow.device)[:, None] + flow[:, 1:]
    return (x >= -0.5) & (x <= width - 0.5) & (y >= -0.5) & (y <= height - 0.5)
