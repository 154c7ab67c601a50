"""Everything two neighbouring frames know about each other's motion, worked out once and shared."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vedit.flow.estimate import Quality, dis_flow
from vedit.flow.occlusion import occlusion
from vedit.flow.resize import resize, resize_flow


@dataclass(frozen=True, eq=False)
class PairFlow:
    """The motion between frame0 and frame1, both ways.

    ``flow_fw`` ``(1,2,H,W)`` is on frame0's grid and leads to frame1, ``flow_bw`` the other way round, in
    pixels, dx first. ``occlusion_fw`` ``(1,1,H,W)`` is 1 where frame0's pixel is not seen in frame1,
    ``occlusion_bw`` where frame1's pixel is not seen in frame0.
    """

    flow_fw: Tensor
    flow_bw: Tensor
    occlusion_fw: Tensor
    occlusion_bw: Tensor


def both_ways(frame0: Tensor, frame1: Tensor, quality: Quality = "normal") -> tuple[Tensor, Tensor]:
    """Flow ``(1,2,H,W)`` of two ``(3 or 4, H, W)`` RGB frames in [0, 1], there and back, on frame0's device.

    Two equal frames have no motion; they are not matched at all.
    """
    if torch.equal(frame0, frame1):
        still = torch.zeros(1, 2, *frame0.shape[-2:], device=frame0.device)
        return still, still
    fw = dis_flow(frame0, frame1, quality=quality)[None]
    return fw, dis_flow(frame1, frame0, quality=quality)[None]


def pair_flow(frame0: Tensor, frame1: Tensor, quality: Quality = "normal") -> PairFlow:
    """Flow of two frames and what is hidden, both ways; see `both_ways`. Two equal frames hide nothing."""
    fw, bw = both_ways(frame0, frame1, quality)
    if fw is bw:
        return PairFlow(fw, bw, fw[:, :1], bw[:, :1])
    return PairFlow(fw, bw, occlusion(fw, bw), occlusion(bw, fw))


def shrink(pair: PairFlow, height: int, width: int) -> PairFlow:
    """The same motion averaged onto a smaller grid, in that grid's pixels; occlusion becomes the part hidden."""
    return PairFlow(
        resize_flow(pair.flow_fw, height, width),
        resize_flow(pair.flow_bw, height, width),
        resize(pair.occlusion_fw, height, width),
        resize(pair.occlusion_bw, height, width),
    )
