"""Masks grown and softened."""

import cv2
import numpy as np
import torch
from torch import Tensor


def dilated(mask: Tensor, pixels: int) -> Tensor:
    """The mask grown by so many pixels: the 3x3 cross, once per pixel, as in the published inpainting protocols.

    Args:
        mask: ``(1, H, W)`` of 0 and 1.
        pixels: 0 leaves it as it is; more than the picture is wide and high are as many.
    """
    if pixels <= 0 or not mask.any():
        return mask
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    rounds = min(pixels, sum(mask.shape[-2:]))
    grown = cv2.dilate(mask[0].to(torch.uint8).cpu().numpy(), cross, iterations=rounds)
    return torch.from_numpy(grown)[None].to(mask)


def feathered(mask: Tensor, radius: float) -> Tensor:
    """A soft mask to composite with: 1 on the mask, falling smoothly to 0 at ``radius`` pixels outside it.

    What is exactly 0 in it has to stay exact: the picture changes nowhere farther from the mask than the radius.

    Args:
        mask: ``(1, H, W)`` of 0 and 1.
        radius: pixels; 0 gives the mask back.

    Returns:
        ``(1, H, W)`` float32 in [0, 1].
    """
    if radius <= 0 or not mask.any():
        return mask.float()
    outside = (mask[0] <= 0).to(torch.uint8).cpu().numpy()
    distance = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # A pixel next to the mask has distance 1: it shall already be below 1, and the last one above 0.
    near = np.clip(1 - distance / (radius + 1), 0, 1)
    soft = near * near * (3 - 2 * near)
    soft[distance > radius] = 0
    return torch.from_numpy(soft.astype(np.float32))[None].to(mask.device)
