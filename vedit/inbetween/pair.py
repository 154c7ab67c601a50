"""The picture between two pictures: prepared once per pair, then asked for at any time between them."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import PairFlow
from vedit.flow.quality import Quality
from vedit.flow.resize import resize_flow
from vedit.inbetween.picture import Picture
from vedit.inbetween.sharpness import sharpened
from vedit.inbetween.synthesis import Made, Synthesis
from vedit.inbetween.weights import load_refiner

_STILL = 2 / 255
"""A block of 3x3 pixels of which no channel changes by more stands still."""


@dataclass(frozen=True, eq=False)
class Between:
    """A new picture ``(C,H,W)`` in [0, 1], and what it was made of.

    ``flow0`` and ``flow1`` ``(1,2,H,W)`` lead from its pixels to frame0's and frame1's, and ``first`` and ``second``
    ``(1,C,H,W)`` are those two fetched along them.
    """

    pixels: Tensor
    flow0: Tensor
    flow1: Tensor
    first: Tensor
    second: Tensor

    @cached_property
    def confidence(self) -> Tensor:
        """``(1,H,W)`` in [0, 1]: 0 where the two frames tell different stories."""
        apart = (self.first - self.second)[:, :3].abs().mean(1, keepdim=True)
        near = F.avg_pool2d(apart, 9, 1, 4, count_include_pad=False)
        return 1 - ((near - 0.04) / 0.08).clamp(0, 1)[0]


class Pair:
    """Two neighbouring frames and the motion between them; ``at(t)`` as often as wanted.

    Args:
        frame0: the one frame.
        frame1: the next, of the same size, on the same device.
        quality: ``draft`` takes the motion of a fast search, straight, or none; ``normal`` mixes all candidates;
            ``best`` lets the `Refiner` do it, of both pictures as they are and turned round, and takes the mean.
    """

    def __init__(self, frame0: Picture, frame1: Picture, quality: Quality = "normal") -> None:
        self.frame0, self.frame1, self.quality = frame0, frame1, quality
        self._equal = torch.equal(frame0.pixels, frame1.pixels)

    def between(self, before: "Pair | None", after: "Pair | None", lengths: tuple[float, float]) -> None:
        """Let the motion bend as the neighbouring pairs say; without, it is straight and even.

        Args:
            before: the pair that ends with this one's frame0.
            after: the pair that begins with this one's frame1.
            lengths: the time between their frames over that between this one's.
        """
        if self._equal or self.quality == "draft":
            return
        for i, own in enumerate(self._syntheses):
            first = None if before is None else before._syntheses[i]
            last = None if after is None else after._syntheses[i]
            own.between(first, last, lengths)

    @cached_property
    def _syntheses(self) -> list[Synthesis]:
        """Of both frames as they are and, for ``best``, turned round by half a turn."""
        frames = [(self.frame0, self.frame1)]
        if self.quality == "best":
            first, last = (Picture(f.pixels.flip(-1, -2), f.pixels.device) for f in frames[0])
            frames.append((first, last))
        return [Synthesis(*pair, fast=self.quality == "draft") for pair in frames]

    @cached_property
    def flow(self) -> PairFlow:
        """Motion and occlusion between the two frames, on their own grid."""
        if self._equal:
            still = self._nothing
            return PairFlow(still, still, still[:, :1], still[:, :1])
        height, width = self.frame0.whole.shape[-2:]
        upright = self._syntheses[0]
        fw, bw = (self._cut(resize_flow(flow, height, width)) for flow in (upright.flow_fw, upright.flow_bw))
        return PairFlow(fw, bw, occlusion(fw, bw), occlusion(bw, fw))

    @torch.no_grad()
    def at(self, t: float) -> Between:
        """The picture at time t in (0, 1) from frame0 to frame1."""
        before, after = self.frame0.pixels[None], self.frame1.pixels[None]
        if self._equal:
            return Between(before[0], self._nothing, self._nothing, before, after)
        made = self._made(torch.full((1, 1, 1, 1), t, device=before.device))
        picture = self._cut(made.picture)
        if self.quality != "draft":
            picture = sharpened(picture, torch.lerp(self.frame0.detail, self.frame1.detail, t))
        picture += self._level(picture, t)
        picture = self._with_still(picture.clamp_(0, 1), t)
        parts = (self._cut(part) for part in (made.flow0, made.flow1, made.first, made.second))
        return Between(picture[0], *parts)

    def _made(self, t: Tensor) -> Made:
        upright, *turned = self._syntheses
        if self.quality == "draft":
            return upright.drafted(t)
        if self.quality == "normal":
            return upright.mixed(t)
        net = load_refiner(t.device)
        made = upright.refined(net, t)
        for other in turned:
            # Turned back, the padding is on the other side.
            rows, columns = self.frame0.pixels.shape[-2:]
            again = other.refined(net, t).picture[..., :rows, :columns].flip(-1, -2)
            here = made.picture[..., :rows, :columns]
            here.lerp_(again, 0.5)
        return made

    def _level(self, picture: Tensor, t: float) -> Tensor:
        """What makes the picture as bright as its neighbours, if it is a fifth of a level or less: that would flicker.

        What is more has a cause: something came in or went out.
        """
        wanted = torch.lerp(self.frame0.mean, self.frame1.mean, t)
        return (wanted - picture.mean((-1, -2), keepdim=True)).clamp(-0.2 / 255, 0.2 / 255)

    def _with_still(self, picture: Tensor, t: float) -> Tensor:
        """The picture, and where nothing moves (captions, logos) the two frames as they are."""
        if self._still is None:
            return picture
        between = torch.lerp(self.frame0.pixels, self.frame1.pixels, t)
        return torch.where(self._still, between, picture)

    @cached_property
    def _still(self) -> Tensor | None:
        """``(H,W)``, true where nothing moves; None if that is nowhere."""
        same = (self.frame0.pixels - self.frame1.pixels).abs_().amax(0) < _STILL
        blocks = cv2.morphologyEx(
            same.cpu().numpy().astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
        )
        return torch.from_numpy(blocks > 0).to(same.device) if blocks.any() else None

    @cached_property
    def _nothing(self) -> Tensor:
        return torch.zeros_like(self.frame0.pixels[None, :2])

    def _cut(self, field: Tensor) -> Tensor:
        """A field of the padded grid on the frames' own."""
        rows, columns = self.frame0.pixels.shape[-2:]
        return field[..., :rows, :columns]
