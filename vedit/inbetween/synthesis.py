"""One new picture of two: the motion at t found, both frames fetched along all that may be true, and mixed."""

import torch
from torch import Tensor

from vedit.flow.estimate import coarse_flows
from vedit.flow.quality import Quality
from vedit.flow.resize import resize, resize_flow
from vedit.inbetween.candidates import Candidates, disagreement, fetched, prior_logits
from vedit.inbetween.curvature import Bend, acceleration, bend
from vedit.inbetween.picture import Picture
from vedit.inbetween.projection import Projection, project
from vedit.inbetween.source import mixed


class Synthesis:
    """Two pictures and the flow between them; what is found out is kept for the next t.

    Args:
        frame0: the one picture.
        frame1: the other, of the same size, on the same device.
        quality: of the flow, see `coarse_flows`; for ``best`` motions from beside each place are candidates too.
    """

    def __init__(self, frame0: Picture, frame1: Picture, *, quality: Quality) -> None:
        self.frame0, self.frame1 = frame0, frame1
        self._many = quality == "best"
        self._bend: Bend | None = None
        fw, bw = coarse_flows(frame0.work[0], frame1.work[0], quality=quality)
        self.flow_fw, self.flow_bw = fw[None], bw[None]
        height, width = frame0.quarter.shape[-2:]
        self._quarter_flows = tuple(resize_flow(flow, height, width) for flow in (self.flow_fw, self.flow_bw))

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

    def _bends(self, t: Tensor) -> tuple[Tensor, Tensor]:
        fw, bw = self._quarter_flows
        return (torch.zeros_like(fw), torch.zeros_like(bw)) if self._bend is None else self._bend.at(t)

    def _projected(self, t: Tensor) -> Projection:
        fw, bw = self._quarter_flows
        return project(self.frame0.quarter, self.frame1.quarter, fw, bw, self._bends(t), t)

    def drafted(self, t: Tensor) -> Tensor:
        """The new picture ``(1,C,H,W)`` on the padded grid, of a fast search.

        Of the motion found at the place itself (Super SloMo's) and no motion at all, what the frames agree on.
        """
        fw, bw = self._quarter_flows
        motion = (1 - t) * fw - t * bw
        views = fetched(self.frame0.from_quarter, self.frame1.from_quarter, [(-t * motion, (1 - t) * motion)])
        moving = prior_logits(views, t).softmax(1)[:, :2].sum(1, keepdim=True)
        motion = resize_flow(motion, *self.frame0.whole.shape[-2:])  # once for both
        whole = fetched(self.frame0.from_whole, self.frame1.from_whole, [(-t * motion, (1 - t) * motion)])
        return mixed([torch.lerp(*pair, float(t)) for pair in whole], torch.cat([moving, 1 - moving], 1))

    def mixed(self, t: Tensor) -> Tensor:
        """The new picture ``(1,C,H,W)`` on the padded grid: of all candidates, what the frames agree on."""
        candidates = self._candidates(t)
        beside = candidates.beside() if self._many else []
        motions = candidates.moving() + beside
        half = fetched(self.frame0.from_half, self.frame1.from_half, motions)
        shares = prior_logits(half, t, beside=len(beside)).softmax(1)
        whole = fetched(self.frame0.from_whole, self.frame1.from_whole, motions)
        return mixed([view for pair in whole for view in pair], shares)

    def doubt(self, t: Tensor) -> Tensor:
        """How much the frames differ along the motion at t on which they agree best, ``(1,1,H,W)`` padded."""
        motions = self._candidates(t).moving()
        views = fetched(self.frame0.from_half, self.frame1.from_half, motions)
        least = disagreement(views).amin(1, keepdim=True)
        return resize(least, *self.frame0.whole.shape[-2:])

    def _candidates(self, t: Tensor) -> Candidates:
        """What may be true at t, on the half grid."""
        height, width = self.frame0.half.shape[-2:]
        flow0, flow1, bend0, bend1 = (
            resize_flow(flow, height, width) for flow in (*self._projected(t).flows(t), *self._bends(t))
        )
        return Candidates(flow0, flow1, self.flow_fw, self.flow_bw, (bend0, bend1), t)
