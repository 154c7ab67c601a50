"""Where each point of a frame lies in the window's other frames: the paths that temporal layers and noise follow."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.pairs import PairFlow
from vedit.flow.resize import resize_flow
from vedit.flow.warp import warp


@dataclass(frozen=True)
class Paths:
    """For a window of F frames on a grid ``h x w``: the flow from each frame to its neighbours ``offset`` away.

    ``flows[offset]`` is ``(F,2,h,w)`` in grid pixels, ``valid[offset]`` ``(F,1,h,w)`` in {0, 1}: 0 where the path
    is occluded, leaves the picture, or the neighbour lies outside the window.
    """

    flows: dict[int, Tensor]
    valid: dict[int, Tensor]


def window_paths(pairs: Sequence[PairFlow], height: int, width: int, reach: int = 2) -> Paths:
    """Paths of a window from its F-1 consecutive pairs, chained up to ``reach`` frames either way on a small grid.

    Chaining: the path two frames on is the path to the next frame plus the next frame's own path, read where the
    first one arrives. A window of one frame (no pairs) has no paths.
    """
    if not pairs:
        return Paths({}, {})
    fw = resize_flow(torch.cat([p.flow_fw for p in pairs]), height, width)
    bw = resize_flow(torch.cat([p.flow_bw for p in pairs]), height, width)
    open_fw = 1 - F.interpolate(torch.cat([p.occlusion_fw for p in pairs]), size=(height, width), mode="area")
    open_bw = 1 - F.interpolate(torch.cat([p.occlusion_bw for p in pairs]), size=(height, width), mode="area")
    nothing, closed = torch.zeros_like(fw[:1]), torch.zeros_like(open_fw[:1])
    # Frame i of the window: step 1 leads to i + 1 (nothing after the last frame), step -1 to i - 1.
    one = {1: torch.cat([fw, nothing]), -1: torch.cat([nothing, bw])}
    clear = {1: torch.cat([open_fw, closed]), -1: torch.cat([closed, open_bw])}
    flows, valid = dict(one), dict(clear)
    for sign in (1, -1):
        for distance in range(2, reach + 1):
            path, ok = flows[sign * (distance - 1)], valid[sign * (distance - 1)]
            # The frame that the path so far arrives in is `distance - 1` away: its own step continues the path.
            rolled = torch.roll(one[sign], -sign * (distance - 1), dims=0)
            rolled_ok = torch.roll(clear[sign], -sign * (distance - 1), dims=0)
            flows[sign * distance] = path + warp(rolled, path)
            valid[sign * distance] = ok * warp(rolled_ok, path)
    x = torch.arange(width, device=fw.device, dtype=fw.dtype).view(1, 1, 1, -1)
    y = torch.arange(height, device=fw.device, dtype=fw.dtype).view(1, 1, -1, 1)
    for offset, path in flows.items():
        at_x, at_y = x + path[:, :1], y + path[:, 1:]
        inside = (at_x >= -0.5) & (at_x <= width - 0.5) & (at_y >= -0.5) & (at_y <= height - 0.5)
        valid[offset] = ((valid[offset] > 0.5) & inside).to(fw.dtype)
        count = len(path)
        # torch.roll wraps around: a neighbour outside the window is no neighbour.
        edge = slice(count - offset, count) if offset > 0 else slice(0, -offset)
        valid[offset][edge] = 0
    return Paths(flows, valid)
