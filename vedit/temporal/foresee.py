"""The frames that come after the last ones of a shot, as pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.pairs import pair_flow
from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp
from vedit.latents.bundled import BundledCodec
from vedit.temporal.extrapolate import Extrapolation, extrapolate
from vedit.temporal.predict import PAST, Ahead, Change, Past, Predictor, held, times
from vedit.temporal.rhythm import SEEN, rhythm, without_repeats

MIRRORED = 128
"""Pixels beyond the picture's edge that are made up."""


@dataclass(frozen=True, eq=False)
class Foreseen:
    """A predicted frame; what is asked of it is worked out then.

    ``last`` ``(1, C, H, W)`` is the last frame that is known, ``flow`` ``(1, 2, H, W)`` the motion carried forward from
    it, and ``change`` what the net makes of that.
    """

    last: Tensor
    flow: Tensor
    change: Change
    codec: BundledCodec

    @property
    def carried(self) -> Tensor:
        """The last frame along the motion carried forward ``(C, H, W)``, without the net."""
        return warp(self.last, self.flow)[0]

    @cached_property
    def _mean(self) -> Tensor:
        return self.change.fetch(self.last, self.flow)

    @property
    def latents(self) -> Tensor:
        """The predicted latents ``(1, 8, h, w)``."""
        return self.codec.encode(self._mean[:, :3]) + self.change.latents

    @property
    def decoded(self) -> Tensor:
        """The predicted latents as a picture ``(3, H, W)`` in [0, 1]: what the codec cannot hold is gone."""
        return self.codec.decode(self.latents, *self.last.shape[-2:])[0]

    @property
    def mean(self) -> Tensor:
        """The mean of what may come ``(C, H, W)``, nearest to the truth: real pixels, and the decoded change."""
        return self._changed(self._mean)

    @property
    def sharp(self) -> Tensor:
        """What may come ``(C, H, W)``, along one way: nothing shines through something else."""
        way = self.change.way(self.flow)
        # What comes in at the picture's edge is its mirror image.
        reach = min(MIRRORED, int(way.abs().max()) + 2, *(side - 1 for side in way.shape[-2:]))
        mirrored = F.pad(self.last, (reach,) * 4, mode="reflect")
        return self._changed(warp(mirrored, way + reach, "bicubic"))

    def _changed(self, picture: Tensor) -> Tensor:
        height, width = picture.shape[-2:]
        latents = self.codec.encode(picture[:, :3])
        change = self.codec.rebuild(latents + self.change.latents) - self.codec.rebuild(latents)
        rgb = picture[0, :3] + change[0, :, :height, :width]
        return torch.cat([rgb, picture[0, 3:]]).clamp(0, 1)


@torch.no_grad()
def foresee(frames: Sequence[Tensor], net: Predictor, codec: BundledCodec) -> Iterator[Foreseen]:
    """The frames after those of a run, one after the other, for as long as they are asked for.

    Where the last frames repeat in a rhythm (see `vedit.temporal.rhythm`), so do those to come.

    Args:
        frames: the last of a shot, two or more, of which `SEEN` are looked at; ``(C, H, W)`` in [0, 1], C = 3 or 4, on
            the net's device.
        net: the predictor.
        codec: of the latents that it knows.
    """
    frames = frames[-SEEN:]
    new = rhythm([frame[:3] for frame in frames])
    run = [frame[None] for frame in without_repeats(frames, new)[-PAST:]]
    latents = [codec.encode(frame[:, :3]).float() for frame in run]
    grid = latents[-1].shape[-2:]
    pairs = [pair_flow(a[0, :3], b[0, :3]) for a, b in pairwise(run)]
    past = Past(
        latents,
        [resize_flow(pair.flow_bw, *grid) for pair in pairs],
        [resize(1 - pair.occlusion_bw, *grid) for pair in pairs],
    )
    motion = extrapolate(run[-2][0, :3], run[-1][0, :3], pairs[-1])
    ways: list[Tensor] = []
    changes = net(past, _ahead(motion, grid, ways))
    seen = Foreseen(run[-1], torch.zeros_like(run[-1][:, :2]), held(latents[-1]), codec)
    for moves in cycle(new):
        if moves:
            change = next(changes)
            seen = Foreseen(run[-1], ways.pop(), change, codec)
        yield seen


def _ahead(motion: Extrapolation, grid: torch.Size, ways: list[Tensor]) -> Iterator[Ahead]:
    """The motion carried forward, on the grid of latents; what it is in pixels is left in ``ways``."""
    for time, step in times():
        flow, landed = motion.back(time)
        ways.append(flow)
        yield Ahead(resize_flow(flow, *grid), resize(landed, *grid), time, step)
