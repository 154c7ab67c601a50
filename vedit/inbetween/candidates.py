"""The motions that may be true at t, and how likely each is from how well the two frames agree along it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.inbetween.source import Source, apart

_SURE = 0.05
"""A motion is e times less likely when the frames differ this much more along it, of [0, 1]."""
_LOST = 0.1
"""Where the frames differ this much along every motion, none is sure, and that difference is halved."""
_SURER = 0.04
"""What the first two are where motions from beside a place are among them: less is left then that none explains."""
_BESIDE = 6
"""How far away those are found, in pixels of a grid of half the size."""
_ELSEWHERE = 1.4
"""They are that many powers of e less likely: the four together are as likely as the one found at the place."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Motions at t on one grid, each as a flow to frame0 and one to frame1 ``(N,2,H,W)``.

    The motion that was brought to t (``flow0``, ``flow1``); that of frame0's pixel at the same place (of ``flow_fw``,
    from frame0 to frame1); that of frame1's (of ``flow_bw``); and, last, none at all. ``bends`` is how far the pixels
    of frame0 and of frame1 are from their straight way at t.
    """

    flow0: Tensor
    flow1: Tensor
    flow_fw: Tensor
    flow_bw: Tensor
    bends: tuple[Tensor, Tensor]
    t: Tensor

    def moving(self) -> list[tuple[Tensor, Tensor]]:
        """The three that move."""
        t, fw, bw = self.t, self.flow_fw, self.flow_bw
        bend0, bend1 = self.bends
        return [
            (self.flow0, self.flow1),
            (-t * fw - bend0, (1 - t) * fw - bend0),
            (t * bw - bend1, -(1 - t) * bw - bend1),
        ]

    def beside(self) -> list[tuple[Tensor, Tensor]]:
        """The first, as it is a little above, below, left and right.

        Overlapped block compensation's: motion has edges that no search finds to the pixel, and where it is not sure
        the mean over what is near is closest to the truth.
        """
        around = F.pad(torch.cat([self.flow0, self.flow1], 1), (_BESIDE,) * 4, mode="replicate")
        height, width = self.flow0.shape[-2:]
        moved = [
            around[..., row : row + height, column : column + width]
            for row, column in ((0, _BESIDE), (2 * _BESIDE, _BESIDE), (_BESIDE, 0), (_BESIDE, 2 * _BESIDE))
        ]
        return [(flows[:, :2], flows[:, 2:]) for flows in moved]


def fetched(
    frame0: Source, frame1: Source, motions: list[tuple[Tensor, Tensor]]
) -> list[tuple[Tensor, Tensor]]:
    """Both frames along every motion, last along none."""
    views = [(frame0.along(flow0), frame1.along(flow1)) for flow0, flow1 in motions]
    return [*views, (frame0.picture, frame1.picture)]


def prior_logits(views: list[tuple[Tensor, Tensor]], t: Tensor, *, beside: int = 0) -> Tensor:
    """Logits ``(1, 2 K, H, W)`` of each view's share: its frame's nearness in time, and exp(-d / 0.05).

    d is how much the two frames differ along the motion, a mean over 9x9 pixels: the mean over what may be true, as
    overlapped block compensation takes it, instead of one guess. Where nothing fits, all count more alike.

    Args:
        views: pairs of pictures ``(1,3,H,W)`` of frame0 and frame1.
        t: ``(1, 1, 1, 1)``.
        beside: how many of the pairs before the last are of motions from beside the place.
    """
    near = disagreement(views)
    time = torch.cat([1 - t, t], 1).log()
    least = near.amin(1, keepdim=True)
    sure = _SURER + least if beside else _SURE * (1 + least / _LOST)
    unlike = near / sure
    if beside:
        unlike[:, -1 - beside : -1] += _ELSEWHERE
    return (time[:, None] - unlike[:, :, None]).flatten(1, 2)


def disagreement(views: list[tuple[Tensor, Tensor]]) -> Tensor:
    """How much the two frames of every pair of views differ, a mean over 9x9 pixels: ``(1,K,H,W)`` in [0, 1]."""
    return torch.cat([apart(first, second) for first, second in views], 1)
