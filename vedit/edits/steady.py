"""Hold a painting still on what it paints: each picture averaged with its neighbours along the flow.

What a denoiser paints differently from frame to frame on the same surface is flicker. A mean over five frames takes
most of it away (independent flicker falls to a fifth in power, its change from frame to frame to a 35th) and, because
the neighbours are fetched along the flow, moves nothing. Only a fixed number of frames is looked at, so a render that
goes on gives the same pictures as one that was never interrupted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.neighbours import windows
from vedit.flow.pairs import PairFlow, pair_flow, shrink
from vedit.flow.quality import Quality
from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp

REACH = 2
"""Frames looked at on either side."""
WEIGHTS = {0: 1.0, 1: 0.9, 2: 0.6}
"""Of a frame so far away."""
DOUBT = 0.06
"""A difference between a frame and what the flow fetches for it, in [0, 1], at which the flow is hardly believed."""
NOTHING = 0.012
"""A difference that is no more than grain."""


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture ``(3,H,W)`` and the motion since the one before it, on a small grid; None at a shot's start.

    The link's occlusion is doubt, in [0, 1].
    """

    picture: Tensor
    link: PairFlow | None


def trusted_link(frame0: Tensor, frame1: Tensor, height: int, width: int, quality: Quality) -> PairFlow:
    """The motion between two frames ``(3,H,W)`` on a grid ``height x width``, in that grid's pixels.

    Occlusion becomes doubt: where the two frames look different along the flow it is not to be followed, even if there
    and back agree; where they look the same it may be.
    """
    pair = shrink(pair_flow(frame0, frame1, quality), height, width)
    small0, small1 = (resize(f[None], height, width) for f in (frame0, frame1))

    def doubt(hidden: Tensor, here: Tensor, there: Tensor, flow: Tensor) -> Tensor:
        off = (warp(there, flow) - here).square().mean(1, keepdim=True)
        off = F.avg_pool2d(off, 3, 1, 1, count_include_pad=False)
        # Where nothing is to be seen, as in a clear sky, there and back never agree; nor does it matter.
        return (1 - torch.exp(-off / DOUBT**2)).maximum(hidden * (1 - torch.exp(-off / NOTHING**2)))

    return PairFlow(
        pair.flow_fw,
        pair.flow_bw,
        doubt(pair.occlusion_fw, small0, small1, pair.flow_fw),
        doubt(pair.occlusion_bw, small1, small0, pair.flow_bw),
    )


def steady(pictures: Iterator[Painted]) -> Iterator[Tensor]:
    """Yield each picture ``(3,H,W)`` averaged with up to two before and two after it, where the flow is believed."""
    for held, centre in windows(pictures, REACH):
        yield _averaged(held, centre)


def _averaged(held: Sequence[Painted], centre: int) -> Tensor:
    picture = held[centre].picture[None]
    height, width = picture.shape[-2:]
    total, weight = picture * WEIGHTS[0], torch.full_like(picture[:, :1], WEIGHTS[0])
    for sign in (-1, 1):
        path: Tensor | None = None
        for distance in range(1, REACH + 1):
            at = centre + sign * distance
            link = held[max(at, at - sign)].link if 0 <= at < len(held) else None
            if link is None:
                break
            flow, doubt = (link.flow_fw, link.occlusion_fw) if sign > 0 else (link.flow_bw, link.occlusion_bw)
            if path is None:
                path, trust = flow, 1 - doubt
            else:
                path, trust = path + warp(flow, path), trust * (1 - warp(doubt, path))
            share = resize(trust, height, width) * WEIGHTS[distance]
            total = (
                total + warp(held[at].picture[None], resize_flow(path, height, width), mode="bicubic") * share
            )
            weight = weight + share
    return (total / weight)[0].clamp(0, 1)
