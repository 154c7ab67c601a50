"""Bring fields and flow from one grid to another."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def resize(field: Tensor, height: int, width: int) -> Tensor:
    """A field ``(N,C,H,W)`` averaged onto a smaller grid, or spread smoothly over a larger one."""
    rows, columns = field.shape[-2:]
    if (height, width) == (rows, columns):
        return field
    smaller = height <= rows and width <= columns
    # OpenCV does the same many times as fast, but nothing can be learned through it.
    plain = field.device.type == "cpu" and field.dtype == torch.float32 and not field.requires_grad
    if plain and (not smaller or (rows % height == 0 and columns % width == 0)):
        out = torch.empty(
            *field.shape[:2], height, width
        )  # by numpy it would ask for large pages and may wait
        kernel = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        for new, old in zip(out.flatten(0, 1).numpy(), field.flatten(0, 1).numpy(), strict=True):
            cv2.resize(np.ascontiguousarray(old), (width, height), dst=new, interpolation=kernel)
        return out
    if smaller:
        return F.interpolate(field, size=(height, width), mode="area")
    return F.interpolate(field, size=(height, width), mode="bilinear", align_corners=False)


def resize_flow(flow: Tensor, height: int, width: int) -> Tensor:
    """Flow ``(N,2,H,W)`` on another grid, its vectors in that grid's pixels."""
    if (height, width) == tuple(flow.shape[-2:]):
        return flow
    scale = torch.tensor([width / flow.shape[-1], height / flow.shape[-2]]).to(flow)
    return resize(flow, height, width).mul_(scale.view(1, 2, 1, 1))
