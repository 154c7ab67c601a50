"""The pictures after the last one of a shot: its motion goes on, up to the cut."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.complete import grow, harmonic
from vedit.flow.pairs import PairFlow
from vedit.flow.splat import splat
from vedit.flow.warp import warp

STILL = 2 / 255
"""No channel of a pixel that stands still differs by more."""
DRAWN = 12 / 255
"""Contrast within 5x5 pixels above which they show something that would be seen to move."""
MATCH = 0.06
"""Mean difference of colours, along the flow, above which a pixel's motion is not believed."""
FURTHEST = 0.12
"""Part of the picture's longer side that a pixel may move in the time of a frame."""
ENOUGH = 0.6
"""Part of the picture whose motion has to be believed; else all of it is held."""
SURE = 20.0
"""Importance in splatting falls by e when the colours along the flow differ by 1 / SURE."""


class Beyond:
    """What comes after the last picture of a shot if all goes on moving as it did between its last two.

    The motion of the last picture's pixels, which is the flow back to the one before it turned round, is pushed on to
    the time asked for (softmax splatting of the flow, not of colours: Niklaus and Liu, CVPR 2020), and the last
    picture is fetched along it. What is uncovered, and what has no match in the picture before, moves as its
    surroundings do; what comes in at the picture's edge is its mirror image. Pixels that stand still stay, to the
    bit: all of them where most of the picture moves (a caption on a pan), and where most of it stands still (a fixed
    camera) those that nothing moves over.

    Args:
        frame0: ``(C, H, W)`` RGB or RGB and alpha in [0, 1], the last picture but one.
        frame1: the same shape, the last one.
        flow: the motion between them.
    """

    def __init__(self, frame0: Tensor, frame1: Tensor, flow: PairFlow) -> None:
        self._last = frame1
        self._motion: Tensor | None = None
        first, last = frame0[None], frame1[None]
        flow_bw, hidden = flow.flow_bw.to(last), flow.occlusion_bw.to(last)
        drawn = _drawn(last)
        still = _still(first, last, drawn)
        there = warp(first[:, :3], flow_bw)
        apart = F.avg_pool2d(
            (there - last[:, :3]).abs().mean(1, keepdim=True), 3, 1, 1, count_include_pad=False
        )
        fast = flow_bw.square().sum(1, keepdim=True).sqrt() > FURTHEST * max(frame1.shape[-2:])
        doubtful = ((apart > MATCH) | fast | (hidden > 0)).float()
        doubtful = doubtful * (1 - still)
        if float(1 - doubtful.mean()) < ENOUGH or not bool((still == 0).any()):
            return
        motion = harmonic(-flow_bw, grow(doubtful, 2) * (1 - still))
        self._motion = motion * (1 - still)
        self._weight = (-SURE * apart).exp().clamp_min(1e-4)
        self._still = still
        # On a pan what stands still (a caption) lies in front; before a fixed camera it is the ground.
        self._front = float(still.sum()) < 0.5 * float(drawn.sum())

    @property
    def held(self) -> bool:
        """Whether the motion cannot be trusted and the last picture stands still."""
        return self._motion is None

    def at(self, s: float) -> Tensor:
        """The picture ``(C, H, W)`` s of the two pictures' distance after the last one; s in [0, 1]."""
        if self._motion is None or s <= 0:
            return self._last
        last, motion = self._last[None], s * self._motion
        weight = self._weight * torch.where(self._still > 0, 1e4 if self._front else 0.02, 1.0)
        moved, sums = splat(motion, motion, weight)
        hole = (sums <= 1e-6).float()
        flow = -_smoothed(harmonic(moved, hole), self._still)
        reach = int(flow.abs().max()) + 2
        reach = min(reach, *(side - 1 for side in last.shape[-2:]))
        picture = warp(F.pad(last, (reach,) * 4, mode="reflect"), flow + reach, "bicubic").clamp(0, 1)
        stays = (self._still > 0) & (flow.square().sum(1, keepdim=True) < 0.25**2)
        return torch.where(stays, last, picture)[0]


def _still(first: Tensor, last: Tensor, drawn: Tensor) -> Tensor:
    """``(1, 1, H, W)``, 1 in blocks of 3x3 pixels that are the same in both pictures and not plain.

    A plain place may well move; there the flow says more.
    """
    same = ((first - last).abs().amax(1)[0] < STILL) & (drawn[0, 0] > 0)
    blocks = cv2.morphologyEx(same.cpu().numpy().astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return torch.from_numpy(blocks).to(last)[None, None]


def _drawn(picture: Tensor) -> Tensor:
    """``(1, 1, H, W)``, 1 where there is something that would be seen to move."""
    rows = np.ascontiguousarray(picture[0].permute(1, 2, 0).cpu().numpy())
    spread = cv2.morphologyEx(rows, cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
    return torch.from_numpy(spread.max(-1) > DRAWN).to(picture)[None, None]


def _smoothed(motion: Tensor, still: Tensor) -> Tensor:
    """Motion averaged over 5x5 pixels, without those that stand still."""
    moves = 1 - still
    total = F.avg_pool2d(motion * moves, 5, 1, 2)
    return torch.where(still > 0, motion, total / F.avg_pool2d(moves, 5, 1, 2).clamp_min(1e-6))
