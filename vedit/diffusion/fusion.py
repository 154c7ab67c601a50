"""Clean estimates held together along the flow while the picture is still noise."""

from collections.abc import Sequence

import torch
from torch import Tensor

from vedit.flow.pairs import PairFlow
from vedit.flow.warp import warp

SHARE = 0.5
"""Of the estimate before, where it is seen: what is drawn apart settles in between, and detail still comes in."""


def settled(x0: Tensor, before: Tensor | None, pairs: Sequence[PairFlow | None]) -> Tensor:
    """Each frame's clean latents drawn to those of the frame before it, moved along the flow where nothing hides it.

    The shape-aware fusion of Yang et al., "Rerender A Video" (SIGGRAPH Asia 2023), from frame to frame.

    Args:
        x0: ``(F,c,h,w)`` clean estimates.
        before: ``(1,c,h,w)``, of the frame before the first; None where there is none.
        pairs: the motion into each frame, on the latent grid.
    """
    out = []
    for i, pair in enumerate(pairs):
        now = x0[i : i + 1]
        if before is not None and pair is not None:
            open_ = 1 - pair.occlusion_bw.to(now)
            now = torch.lerp(now, warp(before, pair.flow_bw.to(now)), SHARE * open_)
        before = now
        out.append(now)
    return torch.cat(out)
