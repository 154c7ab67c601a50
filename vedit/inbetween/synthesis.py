"""One new picture of two: the motion at t found, both frames fetched along all that may be true, and mixed."""

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.estimate import coarse_flows
from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp
from vedit.inbetween.candidates import Candidates, fetched, prior_logits
from vedit.inbetween.curvature import Bend, acceleration, bend
from vedit.inbetween.picture import Picture
from vedit.inbetween.projection import Projection, project
from vedit.inbetween.refiner import Refiner


@dataclass(frozen=True, eq=False)
class Made:
    """A new picture ``(1,C,H,W)`` on the padded grid of its two.

    ``flow0`` and ``flow1`` ``(1,2,H,W)`` lead from its pixels to frame0's and frame1's, and ``first`` and ``second``
    ``(1,C,H,W)`` are those two fetched along them.
    """

    picture: Tensor
    flow0: Tensor
    flow1: Tensor
    first: Tensor
    second: Tensor


class Synthesis:
    """Two pictures and the flow between them; what is found out is kept for the next t.

    Args:
        frame0: the one picture.
        frame1: the other, of the same size, on the same device.
        fast: take the flow of a fast search.
    """

    def __init__(self, frame0: Picture, frame1: Picture, *, fast: bool) -> None:
        self.frame0, self.frame1 = frame0, frame1
        self._bend: Bend | None = None
        fw, bw = coarse_flows(frame0.work[0], frame1.work[0], fast=fast)
        self.flow_fw, self.flow_bw = fw[None], bw[None]

    def between(
        self, before: "Synthesis | None", after: "Synthesis | None", lengths: tuple[float, float]
    ) -> None:
        """Let the motion bend as the pairs before and after this one say, whose gaps are ``lengths`` times as long."""
        fw, bw = self._quarter_flows
        early = late = None
        if before is not None:
            _, outside = before._quarter_flows
            early = acceleration(self.frame0.quarter, before.frame0.quarter, fw, outside, lengths[0])
        if after is not None:
            outside, _ = after._quarter_flows
            late = acceleration(self.frame1.quarter, after.frame1.quarter, bw, outside, lengths[1])
        self._bend = bend(fw, bw, early, late)

    @cached_property
    def _quarter_flows(self) -> tuple[Tensor, Tensor]:
        height, width = self.frame0.quarter.shape[-2:]
        fw, bw = (resize_flow(flow, height, width) for flow in (self.flow_fw, self.flow_bw))
        return fw, bw

    def _bends(self, t: Tensor) -> tuple[Tensor, Tensor]:
        fw, bw = self._quarter_flows
        return (torch.zeros_like(fw), torch.zeros_like(bw)) if self._bend is None else self._bend.at(t)

    @cached_property
    def _quarter(self) -> Tensor:
        return torch.cat([self.frame0.quarter, self.frame1.quarter], 1)

    @cached_property
    def _half(self) -> Tensor:
        return torch.cat([self.frame0.half, self.frame1.half], 1)

    def _projected(self, t: Tensor) -> Projection:
        fw, bw = self._quarter_flows
        return project(self.frame0.quarter, self.frame1.quarter, fw, bw, self._bends(t), t)

    def drafted(self, t: Tensor) -> Made:
        """Of the motion found at the place itself (Super SloMo's) and no motion at all, what the frames agree on."""
        fw, bw = self._quarter_flows
        motion = (1 - t) * fw - t * bw
        flow0, flow1 = -t * motion, (1 - t) * motion
        views = torch.cat(
            [warp(self.frame0.quarter, flow0), warp(self.frame1.quarter, flow1), self._quarter], 1
        )
        moving = prior_logits(views, t).softmax(1)[:, :2].sum(1, keepdim=True)
        height, width = self.frame0.whole.shape[-2:]
        flow0, flow1 = (resize_flow(flow, height, width) for flow in (flow0, flow1))
        first, second = self.frame0.fetch(flow0), self.frame1.fetch(flow1)
        still = torch.lerp(self.frame0.whole, self.frame1.whole, t)
        picture = torch.lerp(still, torch.lerp(first, second, t), resize(moving, height, width))
        return Made(picture, flow0, flow1, first, second)

    def mixed(self, t: Tensor) -> Made:
        """Of all candidates, what the frames agree on."""
        candidates = self._candidates(*self._projected(t).flows(t), t)
        shares = prior_logits(fetched(self._half, candidates), t).softmax(1)
        views = self._views(candidates)
        height, width = self.frame0.whole.shape[-2:]
        flow0, flow1 = (resize_flow(flow, height, width) for flow in (candidates.flow0, candidates.flow1))
        return Made(_mixed(views, resize(shares, height, width)), flow0, flow1, views[0], views[1])

    def refined(self, net: Refiner, t: Tensor) -> Made:
        """What the refiner makes of them."""
        height, width = self._half.shape[-2:]
        flow0, flow1, hidden = net.coarse(self._quarter, self._projected(t), t)
        candidates = self._candidates(flow0, flow1, t)
        mixture = net.finer(self._half, candidates, resize(hidden, height, width), t)

        mixture = mixture.finer(*self.frame0.work.shape[-2:])
        views = self._views(candidates.along(mixture.flow0, mixture.flow1))
        scale = self.frame0.scale
        seen = torch.cat([view[:, :3] for view in views], 1)
        mixture, residual = net.finest(seen if scale == 1 else F.avg_pool2d(seen, scale), mixture, t)

        height, width = self.frame0.whole.shape[-2:]
        flow0, flow1 = (resize_flow(flow, height, width) for flow in (mixture.flow0, mixture.flow1))
        views[:2] = self.frame0.fetch(flow0), self.frame1.fetch(flow1)
        picture = _mixed(views, resize(mixture.logits.softmax(1), height, width))
        picture[:, :3] += resize(residual, height, width)
        return Made(picture, flow0, flow1, views[0], views[1])

    def _candidates(self, flow0: Tensor, flow1: Tensor, t: Tensor) -> Candidates:
        """With a motion at t of the quarter grid, on the half one."""
        height, width = self._half.shape[-2:]
        flow0, flow1, bend0, bend1 = (
            resize_flow(flow, height, width) for flow in (flow0, flow1, *self._bends(t))
        )
        return Candidates(flow0, flow1, self.flow_fw, self.flow_bw, (bend0, bend1), t)

    def _views(self, candidates: Candidates) -> list[Tensor]:
        """Both whole pictures along every candidate."""
        height, width = self.frame0.whole.shape[-2:]
        views = []
        for flow0, flow1 in candidates.moving():
            views += [
                self.frame0.fetch(resize_flow(flow0, height, width)),
                self.frame1.fetch(resize_flow(flow1, height, width)),
            ]
        return [*views, self.frame0.whole, self.frame1.whole]


def _mixed(views: list[Tensor], shares: Tensor) -> Tensor:
    """The sum of pictures ``(1,C,H,W)``, each times its share, a channel of ``(1,K,H,W)``."""
    picture = views[0] * shares[:, :1]
    for k, view in enumerate(views[1:], 1):
        picture.addcmul_(view, shares[:, k : k + 1])
    return picture
