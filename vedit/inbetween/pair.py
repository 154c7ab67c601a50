"""The picture between two pictures: prepared once per pair, then asked for at any time between them."""

from fractions import Fraction
from functools import cached_property, reduce
from threading import Lock

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import PairFlow
from vedit.flow.quality import Quality
from vedit.flow.resize import resize, resize_flow
from vedit.inbetween.picture import Picture
from vedit.inbetween.sharpness import sharpen
from vedit.inbetween.synthesis import Synthesis
from vedit.inbetween.trial import Trial, dissolve_share, tried

_DETAIL: dict[Quality, tuple[float, float]] = {"draft": (0.97, 1), "normal": (0.97, 0.5), "best": (0.98, 0.5)}
"""What part of its neighbours' detail a new picture is given, and how strongly it is sharpened for that at most."""
_STILL = 2 / 255
"""A block of 3x3 pixels of which no channel changes by more stands still."""
_SUDDEN = 0.5
"""What is this far from a frame of one colour, of [0, 1], did not fade in from it."""
_UNEVEN = 0.3 / 255
"""A new picture's mean that is this far from its neighbours' is an error, of [0, 1].

What is more has a cause: something came in or went out. Up to one level in place of 0.3 is no closer to the mean of the
true pictures, and would change a pan.
"""
_MOST = 1 / 255
"""No pixel is made lighter or darker by more."""

Lengths = tuple[float | Fraction, float | Fraction]


class Pair:
    """Two neighbouring frames and the motion between them; ``at(t)`` as often as wanted.

    Args:
        frame0: the one frame.
        frame1: the next, of the same size, on the same device.
        quality: ``draft`` takes the motion of a fast search, straight, or none; ``normal`` mixes all candidates, and,
            where its two frames made again of their neighbours come out worse than a dissolve, a part of one;
            ``best`` searches at full size, in both pictures as they are and turned round, mixes more candidates, and
            takes the mean.

    What comes all at once out of a frame of one colour, or goes into one, is not shown half there.

    Several threads may ask one pair, and pairs beside each other, at once.
    """

    def __init__(self, frame0: Picture, frame1: Picture, quality: Quality = "normal") -> None:
        self.frame0, self.frame1, self.quality = frame0, frame1, quality
        self._equal = torch.equal(frame0.pixels, frame1.pixels)
        self._lock = Lock()
        self._found: list[Synthesis] | None = None if self._equal else self._searched()
        self._late: Trial | None = None  # of frame1
        self._dissolve: Tensor | None = None  # the share of a dissolve, (1,1,H,W)

    def between(self, before: "Pair | None", after: "Pair | None", lengths: Lengths) -> None:
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
            own.between(first, last, (float(lengths[0]), float(lengths[1])))
        trials = []
        if before is not None:
            trials.append(before._tried(self, lengths[0] / (lengths[0] + 1)))
        if after is not None:
            trials.append(self._tried(after, 1 / (1 + lengths[1])))
        if trials:
            upright = self._syntheses[0]
            share = dissolve_share(trials, (upright.flow_fw - upright.flow_bw) / 2)
            self._dissolve = self._cut(resize(share, *self.frame0.whole.shape[-2:]))

    @torch.no_grad()
    def _tried(self, after: "Pair", t: float | Fraction) -> Trial:
        """The frame between this pair and the next, at t of their time, made again of those beside it, once."""
        with self._lock:
            if self._late is None:
                fine = self.quality == "best"
                self._late = tried(self.frame0, self.frame1, after.frame1, float(t), fine=fine)
            return self._late

    @property
    def _syntheses(self) -> list[Synthesis]:
        with self._lock:
            if self._found is None:
                self._found = self._searched()
            return self._found

    def _searched(self) -> list[Synthesis]:
        """Of both frames as they are and, for ``best``, turned round by half a turn."""
        frames = [(self.frame0, self.frame1)]
        if self.quality == "best":
            first, last = (Picture(f.pixels.flip(-1, -2), f.pixels.device) for f in frames[0])
            frames.append((first, last))
        return [Synthesis(*pair, quality=self.quality) for pair in frames]

    @cached_property
    def flow(self) -> PairFlow:
        """Motion and occlusion between the two frames, on their own grid."""
        if self._equal:
            still = torch.zeros_like(self.frame0.pixels[None, :2])
            return PairFlow(still, still, still[:, :1], still[:, :1])
        height, width = self.frame0.whole.shape[-2:]
        upright = self._syntheses[0]
        fw, bw = (self._cut(resize_flow(flow, height, width)) for flow in (upright.flow_fw, upright.flow_bw))
        return PairFlow(fw, bw, occlusion(fw, bw), occlusion(bw, fw))

    @torch.no_grad()
    def at(self, t: float) -> Tensor:
        """The picture ``(C,H,W)`` in [0, 1] at time t in (0, 1) from frame0 to frame1."""
        if self._equal:
            return self.frame0.pixels
        if self._sudden:
            return (self.frame0 if t <= 0.5 else self.frame1).pixels
        picture = self._made(torch.full((1, 1, 1, 1), t, device=self.frame0.pixels.device))
        share, most = _DETAIL[self.quality]
        sharpen(picture, share * torch.lerp(self.frame0.detail, self.frame1.detail, t), most)
        return self._levelled(self._with_still(picture.clamp_(0, 1), t), t)[0]

    @torch.no_grad()
    def doubt(self, t: float) -> Tensor:
        """How far the picture at time t is a guess, ``(1,H,W)`` in [0, 1]; 0 where nothing moves.

        It is how much the two frames differ along the motion on which they agree best: what one of them hides, and what
        no motion explains.
        """
        if self._equal:
            return torch.zeros_like(self.frame0.pixels[:1])
        doubt = self._cut(
            self._syntheses[0].doubt(torch.full((1, 1, 1, 1), t, device=self.frame0.pixels.device))
        )
        return doubt[0] if self._still is None else doubt[0] * (1 - self._still)

    @cached_property
    def _sudden(self) -> bool:
        """Whether one frame is of one colour and something in the other is far from it: no motion joins the two."""
        if self.frame0.plain == self.frame1.plain:
            return False
        return float((self.frame0.pixels[:3] - self.frame1.pixels[:3]).abs().max()) > _SUDDEN

    def _made(self, t: Tensor) -> Tensor:
        upright, *turned = self._syntheses
        if self.quality == "draft":
            return self._cut(upright.drafted(t))
        picture = self._cut(upright.mixed(t))
        for other in turned:
            picture = torch.lerp(picture, self._cut(other.mixed(t)).flip(-1, -2), 0.5)
        if self._dissolve is not None:
            dissolved = torch.lerp(self.frame0.pixels, self.frame1.pixels, t)
            picture = torch.lerp(picture, dissolved, self._dissolve)
        return picture

    def _levelled(self, picture: Tensor, t: float) -> Tensor:
        """The picture as bright as its neighbours, if little is missing: else it would flicker.

        What stands still stays as it is, so what moves makes up for all of it.
        """
        wanted = torch.lerp(self.frame0.mean, self.frame1.mean, t)
        missing = (wanted - picture.mean((-1, -2), keepdim=True)).clamp(-_UNEVEN, _UNEVEN)
        if self._still is None:
            return picture.add_(missing).clamp_(0, 1)
        moves = 1 - self._still
        missing = (missing / moves.mean().clamp_min(1e-6)).clamp(-_MOST, _MOST)
        return picture.addcmul_(missing, moves).clamp_(0, 1)

    def _with_still(self, picture: Tensor, t: float) -> Tensor:
        """The picture, and where nothing moves (captions, logos) the two frames as they are."""
        if self._still is None:
            return picture
        # In levels: halves are exact there and round up and down alike, of [0, 1] they would round up.
        between = torch.lerp(self.frame0.levels, self.frame1.levels, t).div_(255)
        return picture.lerp_(between, self._still)

    @cached_property
    def _still(self) -> Tensor | None:
        """``(H,W)``, 1 where nothing moves, else 0; None if that is nowhere."""
        change = (self.frame0.pixels - self.frame1.pixels).abs_()
        same = reduce(torch.maximum, change) < _STILL  # many times as fast as amax(0)
        blocks = cv2.morphologyEx(
            same.cpu().numpy().astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
        )
        return torch.from_numpy(blocks.astype(np.float32)).to(same.device) if blocks.any() else None

    def _cut(self, field: Tensor) -> Tensor:
        """A field of the padded grid on the frames' own."""
        rows, columns = self.frame0.pixels.shape[-2:]
        return field[..., :rows, :columns]
