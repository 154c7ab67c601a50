"""Motion brought to where things are at t: each frame's pixels carry their flow along it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vedit.flow.splat import splat
from vedit.flow.warp import warp

_DOUBT = 20.0
"""Importance falls by e when the two frames differ by a twentieth along the flow (SoftSplat's factor)."""
_FLOOR = 0.01
"""The weight of the motion found at the place itself, which counts where nothing arrives."""


@dataclass(frozen=True, eq=False)
class Projection:
    """Motion at t, as flow from frame0 to frame1 ``(N,2,h,w)``, and how far what moves is from its straight way."""

    motion: Tensor
    bend: Tensor

    def flows(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """From the picture at t to frame0 and to frame1."""
        return -t * self.motion - self.bend, (1 - t) * self.motion - self.bend


def project(
    frame0: Tensor, frame1: Tensor, flow_fw: Tensor, flow_bw: Tensor, bends: tuple[Tensor, Tensor], t: Tensor
) -> Projection:
    """Splat both flows to time t, where pixels meet by how well the frames agree along them.

    Softmax splatting (Niklaus and Liu, CVPR 2020) of the flow instead of colours. A thing that moves further than it is
    wide is covered at t by neither of its ends, so flow read at the place itself is the background's.

    Args:
        frame0: ``(N, 3, h, w)`` in [0, 1].
        frame1: the same shape.
        flow_fw: ``(N, 2, h, w)`` pixels, from frame0 to frame1.
        flow_bw: the same, from frame1 to frame0.
        bends: how far the pixels of frame0 and of frame1 are from their straight way at t, the same shape.
        t: ``(N, 1, 1, 1)`` in (0, 1).
    """
    unlike0 = (frame0 - warp(frame1, flow_fw)).abs().mean(1, keepdim=True)
    unlike1 = (frame1 - warp(frame0, flow_bw)).abs().mean(1, keepdim=True)
    bend0, bend1 = bends
    from0, weight0 = splat(torch.cat([flow_fw, bend0], 1), t * flow_fw + bend0, torch.exp(-_DOUBT * unlike0))
    from1, weight1 = splat(
        torch.cat([-flow_bw, bend1], 1), (1 - t) * flow_bw + bend1, torch.exp(-_DOUBT * unlike1)
    )
    # Super SloMo's F_t1 - F_t0, of even motion: (1-t) F01 - t F10.
    here = torch.cat([(1 - t) * flow_fw - t * flow_bw, (1 - t) * bend0 + t * bend1], 1)
    total = (from0 * weight0 + from1 * weight1 + _FLOOR * here) / (weight0 + weight1 + _FLOOR)
    return Projection(total[:, :2], total[:, 2:])
