"""Where things will be if they go on moving as they did between the last two frames."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.complete import grow, harmonic
from vedit.flow.pairs import PairFlow
from vedit.flow.splat import splat
from vedit.flow.warp import warp

MATCH = 0.08
"""Mean difference of colours, along the flow, above which a pixel's motion is not believed."""
SURE = 20.0
"""Importance in splatting falls by e when the colours along the flow differ by 1 / SURE."""


@dataclass(frozen=True, eq=False)
class Extrapolation:
    """The motion of the last frame's pixels, carried forward at a constant speed.

    ``motion`` ``(1, 2, H, W)`` pixels for each frame, on the last frame's grid; ``weight`` ``(1, 1, H, W)`` how far
    each is believed. Made by :func:`extrapolate`.
    """

    motion: Tensor
    weight: Tensor

    def back(self, time: float) -> tuple[Tensor, Tensor]:
        """The way back to the last frame from the grid ``time`` frames after it, and where it is known.

        The motion is splatted to where it leads (Niklaus and Liu, "Softmax Splatting", CVPR 2020); what is uncovered
        moves as its surroundings do.

        Returns:
            ``(1, 2, H, W)`` pixels, dx first: the last frame is fetched along it; ``(1, 1, H, W)`` 1 where a pixel of
            the last frame lands, 0 where none does.
        """
        moved, sums = splat(self.motion, time * self.motion, self.weight)
        landed = (sums > 1e-6).to(moved.dtype)
        if not bool(landed.all()):
            moved = harmonic(moved, 1 - landed)
        smooth = F.avg_pool2d(moved, 5, 1, 2, count_include_pad=False)
        return -time * smooth, landed


def extrapolate(before: Tensor, last: Tensor, pair: PairFlow) -> Extrapolation:
    """Look at the motion between the last two frames ``(3, H, W)`` in [0, 1], from the one to the other.

    Motion without a match in the frame before is replaced by that of its surroundings.
    """
    there = warp(before[None], pair.flow_bw.to(before))
    apart = F.avg_pool2d((there - last[None]).abs().mean(1, keepdim=True), 3, 1, 1, count_include_pad=False)
    doubtful = ((apart > MATCH) | (pair.occlusion_bw.to(before) > 0)).to(before.dtype)
    motion = -pair.flow_bw.to(before)
    if bool(doubtful.any()):
        grown = grow(doubtful, 2)
        # Where nothing is believed there is nothing to take motion from: all stands still.
        motion = harmonic(motion, grown) if not bool(grown.all()) else torch.zeros_like(motion)
    return Extrapolation(motion, (-SURE * apart).exp().clamp_min(1e-4))
