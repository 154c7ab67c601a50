"""Temporal attention along flow paths.

Each token attends to itself and to the tokens its own flow path visits in the window's other frames, so that what
moves is compared with itself and not with whatever took its place (Cong et al., "FLATTEN: optical FLow-guided
ATTENtion for consistent text-to-video editing", ICLR 2024). Here the tokens on the path are read between grid
points, occluded ones are masked out, and all tokens are handled at once: memory is tokens times path length.
"""

from typing import cast

import torch
from torch import Tensor, nn

from vedit.flow.paths import Paths
from vedit.flow.warp import warp


class FlowAttention(nn.Module):
    """A residual attention layer over the frames of one window (see `TemporalLayer`).

    softmax(q k_j / sqrt(d) + b_j) over j = the token itself and its path's tokens, with a learned bias b_j per
    distance in time. The output projection starts at zero: a new layer changes nothing.
    """

    def __init__(self, width: int, heads: int = 4, reach: int = 2) -> None:
        super().__init__()
        self.heads = heads
        self.offsets = [d for d in range(-reach, reach + 1) if d != 0]
        inner = width // 2  # reading along the paths is what costs, and costs by channel
        self.norm = nn.GroupNorm(8, width)
        self.query_key_value = nn.Conv2d(width, 3 * inner, 1)
        self.out = nn.Conv2d(inner, width, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(cast(Tensor, self.out.bias))
        self.bias = nn.Parameter(torch.zeros(len(self.offsets) + 1, heads))

    def forward(self, features: Tensor, paths: Paths) -> Tensor:
        # What is read along paths is read channel by channel, in whichever order the features come.
        query, key, value = self.query_key_value(self.norm(features)).contiguous().chunk(3, dim=1)
        count, inner, height, breadth = query.shape

        def split(x: Tensor) -> Tensor:  # (F, heads, d, h, w)
            return x.view(count, self.heads, inner // self.heads, height, breadth)

        query = split(query) * (inner // self.heads) ** -0.5
        bias = self.bias.view(-1, 1, self.heads, 1, 1)
        scores = [(query * split(key)).sum(2) + bias[0]]
        values = [split(value)]
        for j, offset in enumerate(self.offsets, start=1):
            if offset not in paths.flows or abs(offset) >= count:
                continue
            both = torch.roll(torch.cat([key, value], dim=1), -offset, dims=0)
            there_key, there_value = warp(both, paths.flows[offset]).chunk(2, dim=1)
            score = (query * split(there_key)).sum(2) + bias[j]
            scores.append(score.masked_fill(paths.valid[offset] == 0, float("-inf")))
            values.append(split(there_value))
        weight = torch.stack(scores).softmax(dim=0).unsqueeze(3)
        mixed = (weight * torch.stack(values)).sum(0).view(count, inner, height, breadth)
        return cast(Tensor, features + self.out(mixed))
