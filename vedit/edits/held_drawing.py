"""What a painted key holds of the frame that it is painted over: edges, local light and dark.

Both are read relative to what is around, so a style may have any contrast. Pictures are ``(1, 3, H, W)``, RGB in
[0, 1].
"""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.octaves import OCTAVES, blurred, luma_of, octaves_of

SHADE, EDGES = 0.15, 0.15
"""Weights of what is held: local light and dark, edges."""
RESCUE, ENOUGH = 1.3, 0.28
"""Weight of edges while they are less alike than 0.6 plus so much of ``structure``: no style may bury the drawing."""
FAINT = 0.04
"""Contrast (standard deviation of luma) below which the frame has no drawing."""


def calm(frame: Tensor) -> Tensor:
    """The frame without its fine texture, which strokes are to take the place of."""
    pixels = (frame[0].permute(1, 2, 0).numpy() * 255 + 0.5).astype(np.uint8)
    smooth = cv2.edgePreservingFilter(pixels, flags=cv2.RECURS_FILTER, sigma_s=20, sigma_r=0.25)
    return torch.from_numpy(smooth).permute(2, 0, 1)[None].float() / 255


def _shade(luma: Tensor) -> Tensor:
    """How much lighter or darker than around, in the contrast found around."""
    offset = luma - blurred(luma, 6)
    return offset / (blurred(offset.square(), 6) + FAINT**2).sqrt()


def edges_of(luma: Tensor, around: float) -> Tensor:
    """The gradient over its mean length nearby, across and down: ``(1, 2, H, W)``."""
    across = F.pad(luma[..., 2:] - luma[..., :-2], (1, 1, 0, 0))
    down = F.pad(luma[..., 2:, :] - luma[..., :-2, :], (0, 0, 1, 1))
    strength = (across.square() + down.square() + 1e-6).sqrt()
    return torch.cat([across, down], 1) / (blurred(strength, around) + 0.75 * FAINT)


class Drawing:
    """What is held of the frame: edges from half its size on, light and dark from a quarter on."""

    def __init__(self, drawing: Tensor, scale: float, structure: float) -> None:
        self.enough = min(0.95, 0.6 + ENOUGH * structure)
        self.scale = [scale / 2**octave for octave in range(OCTAVES)]
        lumas = [luma_of(picture) for picture in octaves_of(drawing)]
        self.edges = [edges_of(luma, 12 * s) for luma, s in zip(lumas, self.scale, strict=True)]
        self.shade = [_shade(luma) for luma in lumas]

    def loss(self, octaves: list[Tensor]) -> Tensor:
        """How far a picture, given in its octaves, is from what is held."""
        total = octaves[0].new_zeros(())
        for picture, scale, edges, shade in zip(octaves, self.scale, self.edges, self.shade, strict=True):
            luma = luma_of(picture)
            if scale <= 0.5:
                ours = edges_of(luma, 12 * scale)
                alike = (ours * edges).mean() / (ours.square().mean() * edges.square().mean() + 1e-8).sqrt()
                total = total + EDGES * (1 - alike) + RESCUE * (self.enough - alike).clamp_min(0)
            if scale <= 0.25:
                total = total + SHADE * (_shade(luma) - shade).square().mean()
        return total
