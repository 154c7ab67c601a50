"""The learned part of interpolation: better motion at t, who shows each pixel, and what both frames lack."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp
from vedit.inbetween.candidates import Candidates, fetched, prior_logits
from vedit.inbetween.projection import Projection

_HIDDEN = 8
"""Channels that one level hands to the next, besides motion and logits."""
_VIEWS = 8
"""Views that a pixel can be taken from: two frames along each of four motions."""
_FLOW = 8.0
"""Flow enters the layers in units of this many pixels of its level; corrections leave them in pixels."""
_RESIDUAL = 0.05
"""The residual leaves the layers in units of this, of [0, 1]: it is small, and so is what a step of training does."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """How a new picture is made, on one grid.

    ``flow0`` and ``flow1`` ``(N,2,H,W)`` are the motion at t: they lead from its pixels to frame0's and frame1's.
    ``logits`` ``(N,8,H,W)`` are those of each view's share; ``hidden`` is what the next level gets to know.
    """

    flow0: Tensor
    flow1: Tensor
    logits: Tensor
    hidden: Tensor

    def finer(self, height: int, width: int) -> "Mixture":
        """The same on a finer grid."""
        flow0, flow1 = (resize_flow(flow, height, width) for flow in (self.flow0, self.flow1))
        logits, hidden = (resize(field, height, width) for field in (self.logits, self.hidden))
        return Mixture(flow0, flow1, logits, hidden)


class Block(nn.Module):
    """Residual 3x3 convolutions at half its level's size.

    The last layer is zero at first, so an untrained block changes nothing.
    """

    def __init__(self, channels_in: int, channels: int, pairs: int, channels_out: int) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels_in, channels, 4, stride=2, padding=1)
        self.body = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1),
                nn.LeakyReLU(0.1, inplace=True),
                nn.Conv2d(channels, channels, 3, padding=1),
            )
            for _ in range(pairs)
        )
        self.leave = nn.ConvTranspose2d(channels, channels_out, 4, stride=2, padding=1)
        nn.init.zeros_(self.leave.weight)
        assert self.leave.bias is not None  # noqa: S101 - for the type checker
        nn.init.zeros_(self.leave.bias)

    def forward(self, seen: list[Tensor]) -> Tensor:
        dtype = self.enter.weight.dtype
        x = torch.cat([field.to(dtype) for field in seen], 1).contiguous(memory_format=torch.channels_last)
        x = F.leaky_relu(self.enter(x), 0.1)
        for pair in self.body:
            x = F.leaky_relu(x + pair(x), 0.1)
        leave: Tensor = self.leave(x)
        return leave.float()


class Refiner(nn.Module):
    """From coarse to fine: each level looks at both frames where it takes the motion to be, and corrects it.

    IFNet's way (Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022: flow
    at t corrected over fetched pictures, a mask, a residual), begun from classical flow instead of from nothing, and
    with a choice of eight views of each pixel instead of two (see `Candidates`). Levels work on pictures of a quarter,
    half and the full size.
    """

    def __init__(self) -> None:
        super().__init__()
        # Both frames fetched and as they are, flows, what else arrives at t from each frame and how much, t.
        self.at_quarter = Block(12 + 4 + 4 + 2 + 1, 80, 4, 4 + _HIDDEN)
        # All views, their logits, flows, t, hidden.
        self.at_half = Block(3 * _VIEWS + _VIEWS + 4 + 1 + _HIDDEN, 48, 3, 4 + _VIEWS + _HIDDEN)
        self.at_full = Block(3 * _VIEWS + _VIEWS + 1 + _HIDDEN, 32, 2, 4 + _VIEWS + 3)

    def coarse(self, frames: Tensor, there: Projection, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Motion at t, as flow0 and flow1, and hidden channels, on the grid of a quarter of the size.

        Args:
            frames: ``(N, 6, H/4, W/4)``, frame0 and frame1 averaged down, in [0, 1]; sides even.
            there: the motion of that grid at t.
            t: ``(N, 1, 1, 1)``.
        """
        flow0, flow1 = there.flows(t)
        others = [there.motion0 - there.motion, there.motion1 - there.motion]
        weights = [weight.clamp_max(4) for weight in (there.weight0, there.weight1)]
        fetched0, fetched1 = warp(frames[:, :3], flow0), warp(frames[:, 3:], flow1)
        flows = [flow / _FLOW for flow in (flow0, flow1, *others)]
        at = t.expand_as(there.weight0)
        out = self.at_quarter([fetched0, fetched1, frames, *flows, *weights, at])
        return flow0 + out[:, :2], flow1 + out[:, 2:4], out[:, 4:]

    def finer(self, frames: Tensor, candidates: Candidates, hidden: Tensor, t: Tensor) -> Mixture:
        """The mixture on the half size grid; ``frames`` ``(N, 6, H/2, W/2)``."""
        views = fetched(frames, candidates)
        logits = prior_logits(views, t)
        flows = [candidates.flow0 / _FLOW, candidates.flow1 / _FLOW]
        out = self.at_half([views, logits, *flows, t.expand_as(logits[:, :1]), hidden])
        return Mixture(
            candidates.flow0 + out[:, :2],
            candidates.flow1 + out[:, 2:4],
            logits + out[:, 4 : 4 + _VIEWS],
            out[:, 4 + _VIEWS :],
        )

    def finest(self, views: Tensor, mixture: Mixture, t: Tensor) -> tuple[Mixture, Tensor]:
        """The mixture on the full grid and the residual ``(N,3,H,W)`` to add to its picture.

        Args:
            views: ``(N, 24, H, W)``, all views along the half size grid's motion.
            mixture: of the half size grid, brought to this one.
            t: ``(N, 1, 1, 1)``.
        """
        out = self.at_full([views, mixture.logits, t.expand_as(mixture.logits[:, :1]), mixture.hidden])
        finest = Mixture(
            mixture.flow0 + out[:, :2],
            mixture.flow1 + out[:, 2:4],
            mixture.logits + out[:, 4 : 4 + _VIEWS],
            mixture.hidden,
        )
        return finest, _RESIDUAL * out[:, 4 + _VIEWS :]
