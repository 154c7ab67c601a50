"""Bring fields and flow from one grid to another."""

import torch
import torch.nn.functional as F
from torch import Tensor


def resize(field: Tensor, height: int, width: int) -> Tensor:
    """A field ``(N,C,H,W)`` averaged onto a smaller grid, or spread smoothly over a larger one."""
    if (height, width) == tuple(field.shape[-2:]):
        return field
    if height <= field.shape[-2] and width <= field.shape[-1]:
        return F.interpolate(field, size=(height, width), mode="area")
    return F.interpolate(field, size=(height, width), mode="bilinear", align_corners=False)


def resize_flow(flow: Tensor, height: int, width: int) -> Tensor:
    """Flow ``(N,2,H,W)`` on another grid, its vectors in that grid's pixels."""
    scale = torch.tensor([width / flow.shape[-1], height / flow.shape[-2]]).to(flow)
    return resize(flow, height, width) * scale.view(1, 2, 1, 1)
