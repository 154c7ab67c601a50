"""Painted key frames carried along the flow: the painter's own pixels, wherever the flow can be trusted.

Where in the key a pixel comes from is chained from frame to frame as coordinates, and the key is sampled once, with a
sharp kernel (Gao et al., "Flow-edge Guided Video Completion", ECCV 2020): nothing blurs on the way, however long.
Every fetch is checked against the film itself: where the frame does not look like what the key's frame showed there,
the flow has lost its way and the fetched paint is not believed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp

UNLIKE = 0.06
"""A difference between a frame and what the key's frame shows there, in [0, 1], at which it is hardly believed."""
TORN = 1.0
"""A change of the trail from one cell to the next, in cells, at which paint would be drawn out to streaks."""
SOFT = 13
"""Pixels over which belief comes and goes, so that no edge shows."""


@dataclass(frozen=True, eq=False)
class Key:
    """A painted frame: its index in the film, the film's frame and the painting, both ``(3,H,W)`` in [0, 1]."""

    index: int
    frame: Tensor
    painting: Tensor


@dataclass(frozen=True, eq=False)
class Trail:
    """For each cell of a frame's grid: how far away the key's point is ``(1,2,h,w)``, and trust ``(1,1,h,w)``."""

    flow: Tensor
    trust: Tensor


def at_key(height: int, width: int) -> Trail:
    """The trail of the key's own frame."""
    return Trail(torch.zeros(1, 2, height, width), torch.ones(1, 1, height, width))


def follow(trail: Trail, flow: Tensor, doubt: Tensor) -> Trail:
    """The trail of the frame next to it; ``flow`` leads from that frame to the trail's, where ``doubt`` is 0.

    A chain is as good as its weakest link; what slips a little in every link, `fetch` sees.
    """
    return Trail(flow + warp(trail.flow, flow), warp(trail.trust, flow).minimum(1 - doubt))


def fetch(key: Key, trail: Trail, frame: Tensor) -> tuple[Tensor, Tensor]:
    """The key's paint for a frame ``(3,H,W)``, and how far it can be believed ``(1,H,W)``."""
    height, width = frame.shape[-2:]
    flow = resize_flow(trail.flow, height, width)
    shown = warp(key.frame[None], flow)
    off = F.avg_pool2d((shown - frame[None]).square().mean(1, keepdim=True), 9, 1, 4, count_include_pad=False)
    sound = trail.trust * torch.exp(-_stretch(trail.flow) / TORN**2)
    belief = resize(sound, height, width) * torch.exp(-off / UNLIKE**2)
    belief = F.avg_pool2d(belief, SOFT, 1, SOFT // 2, count_include_pad=False)
    belief = ((belief - 0.4) / 0.5).clamp(0, 1)  # half believed is a blur of two paintings: decide
    return warp(key.painting[None], flow, mode="bicubic")[0].clamp(0, 1), belief[0]


def _stretch(flow: Tensor) -> Tensor:
    """Squared change of a flow around each cell ``(1,1,h,w)``: 0 where it only shifts."""
    padded = F.pad(flow, (0, 1, 0, 1), mode="replicate")
    across, down = padded[..., :-1, 1:] - flow, padded[..., 1:, :-1] - flow
    change = (across.square() + down.square()).sum(1, keepdim=True)
    return F.avg_pool2d(change, 5, 1, 2, count_include_pad=False)


def merged(fetched: Sequence[tuple[Tensor, Tensor, float]]) -> tuple[Tensor, Tensor]:
    """One picture and its belief from what several keys give, each with its nearness in [0, 1].

    The nearer and better believed key takes nearly all: strokes of two keys do not lie on each other, and their mean
    would be mud.
    """
    weights = torch.stack([(belief * nearness).clamp_min(1e-4) ** 4 for _, belief, nearness in fetched])
    weights = weights / weights.sum(0)
    picture = (weights * torch.stack([p for p, _, _ in fetched])).sum(0)
    belief = (weights * torch.stack([b for _, b, _ in fetched])).sum(0)
    return picture, belief


def painted(
    trails: Sequence[tuple[Key, Trail]], frame: Tensor, index: int, reach: int
) -> tuple[Tensor, Tensor]:
    """What the keys have painted of a frame ``(3,H,W)`` with this index, and how far it can be believed ``(1,H,W)``.

    ``reach`` is how many frames away a key says nothing any more.
    """
    nearness = [max(0.0, 1 - abs(key.index - index) / reach) for key, _ in trails]
    return merged(
        [(*fetch(key, trail, frame), near) for (key, trail), near in zip(trails, nearness, strict=True)]
    )
