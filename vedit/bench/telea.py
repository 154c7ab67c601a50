"""OpenCV's fillings of a picture's holes, frame by frame: what most scripts call."""

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor

RADIUS = 5
"""Pixels around a point that have a say in its colour; the usual value is 3 to 5."""


def telea(film: Tensor, masks: Tensor) -> Tensor:
    """Telea, "An Image Inpainting Technique Based on the Fast Marching Method", 2004.

    Args:
        film: ``(F, 3, H, W)`` RGB in [0, 1].
        masks: ``(F, 1, H, W)``, 1 = hole.

    Returns:
        ``(F, 3, H, W)`` in levels of 8 bits.
    """
    return torch.stack(list(_filled(film, masks, cv2.INPAINT_TELEA)))


def navier_stokes(film: Tensor, masks: Tensor) -> Tensor:
    """Bertalmio et al., "Navier-Stokes, Fluid Dynamics, and Image and Video Inpainting", 2001; as `telea`."""
    return torch.stack(list(_filled(film, masks, cv2.INPAINT_NS)))


def _filled(film: Tensor, masks: Tensor, method: int) -> Iterator[Tensor]:
    for frame, mask in zip(film, masks, strict=True):
        rgb = (frame * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
        hole = mask[0].numpy().astype(np.uint8)
        made = np.asarray(cv2.inpaint(rgb, hole, RADIUS, method))
        yield torch.from_numpy(made).permute(2, 0, 1).float() / 255
