"""Prediction of the frames that come next, in the latents of the bundled codec.

The motion between the last two frames is carried forward (`vedit.temporal.extrapolate`), and a small net says what is
to be corrected: how much of that motion is still to be believed, by how much it leads astray, and how the latents
differ from what it fetches. The net has looked at the frames before, and then reads its own predictions; it remembers
in one of three ways (`vedit.temporal.memories`). All corrections start at nothing, so an untrained net is the motion
carried forward. Pictures are made of real pixels, fetched along the corrected motion, and of the decoded correction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from pathlib import Path
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.errors import InputError, UsageError
from vedit.flow.warp import warp
from vedit.latents.bundled import CHANNELS, SCALE
from vedit.temporal.kinds import FORESIGHTS, Foresight
from vedit.temporal.memories import memory
from vedit.weight_files import read_weights, unreadable

WEIGHTS = Path(__file__).parents[1] / "weights" / "temporal.safetensors"
PAST = 4
"""Frames that are looked at before the first prediction."""
HORIZON = 8
"""Frames ahead that the nets have learned; further ahead all comes to rest."""
WIDTH = 32
REST = 3.0
"""Frames' worth of motion that is left after the horizon, however far ahead."""
WAYS = 3
"""Places of the last frame that are fetched for a pixel."""
GAINS = (1.0, 0.5, 0.0)
"""What an untrained net takes of the motion carried forward: all, half, and nothing, which holds the last frame."""
FIRST, LATER = 0.92, 0.08
"""The weight of the first of these in its mean, one frame ahead, and what it loses with each more; the rest is shared
by the others. The further ahead, the less is known, and a mean of what may come is nearer to it than a guess."""
MOST_GAIN = 1.5
"""How many times the motion carried forward a net may take."""
MOST_OFFSET = 2.0
"""Cells by which it may lead elsewhere."""
MOST_CHANGE = 0.5
"""Deviations by which a latent may be changed."""


@dataclass(frozen=True, eq=False)
class Past:
    """The last frames of a shot, T of them, at most `PAST` (the net reads no more).

    ``latents`` T of ``(N, 8, h, w)``; ``flows`` T - 1 of ``(N, 2, h, w)``, in cells, on the grid of each but the first
    and leading to the one before; ``seen`` T - 1 of ``(N, 1, h, w)``: 0 where the one before does not show it.
    """

    latents: Sequence[Tensor]
    flows: Sequence[Tensor]
    seen: Sequence[Tensor]


@dataclass(frozen=True, eq=False)
class Ahead:
    """The motion carried forward to the grid of a frame to come.

    ``flow`` ``(N, 2, h, w)`` in cells, leading back to the last frame; ``landed`` ``(N, 1, h, w)`` as of
    `Extrapolation.back`; ``time`` and ``step``: frames of motion since the last frame, and since the one predicted
    before, see `times`.
    """

    flow: Tensor
    landed: Tensor
    time: float
    step: float


@dataclass(frozen=True, eq=False)
class Change:
    """What is made of the motion carried forward, on the grid of latents.

    A frame to come is a mean of `WAYS` fetches from the last one: ``gains`` ``(N, 3, h, w)`` in [0, 1.5] times the
    motion, ``offsets`` ``(N, 6, h, w)`` cells beside it, with the weights ``(N, 3, h, w)``, which add up to 1; where it
    is not known which way something goes, several have weight. ``latents`` ``(N, 8, h, w)`` are added to that.
    """

    gains: Tensor
    offsets: Tensor
    weights: Tensor
    latents: Tensor

    def fetch(self, last: Tensor, flow: Tensor) -> Tensor:
        """The mean of fetches: of the last frame ``(N, C, H, W)``, or of its latents.

        ``flow`` ``(N, 2, H, W)`` is the motion carried forward, on that grid and in its pixels.
        """
        total = torch.zeros_like(last)
        for way, weight in self._ways(flow):
            total = total + weight * warp(last, way)
        return total

    def way(self, flow: Tensor) -> Tensor:
        """One way ``(N, 2, H, W)``, near the likeliest: what is fetched along it is as sharp as the last frame.

        It is the mean of the ways by the fourth powers of their weights: the likeliest alone would tear things apart
        where another becomes it.
        """
        total, sums = torch.zeros_like(flow), torch.zeros_like(flow[:, :1])
        for way, weight in self._ways(flow):
            total, sums = total + weight**4 * way, sums + weight**4
        return total / sums

    def _ways(self, flow: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Each way back to the last frame, and its weight."""
        height, width = flow.shape[-2:]
        scale = 1 if flow.shape[-2:] == self.gains.shape[-2:] else SCALE
        both = torch.cat([self.gains, scale * self.offsets, self.weights], dim=1)
        if scale > 1:
            both = F.interpolate(both, scale_factor=scale, mode="bilinear", align_corners=False)
            both = both[..., :height, :width]
        for j in range(WAYS):
            offset = both[:, WAYS + 2 * j : WAYS + 2 * j + 2]
            yield both[:, j : j + 1] * flow + offset, both[:, 3 * WAYS + j : 3 * WAYS + j + 1]


def held(latents: Tensor) -> Change:
    """Nothing is made of any motion: the last frame, whose latents ``(N, 8, h, w)`` these are, again."""
    count, _, height, width = latents.shape
    nothing = latents.new_zeros(count, 2 * WAYS, height, width)
    return Change(nothing[:, :WAYS], nothing, nothing[:, :WAYS] + 1 / WAYS, torch.zeros_like(latents))


class Predictor(nn.Module):
    """A net that corrects the motion carried forward, frame after frame; under 0.1 million parameters."""

    def __init__(self, kind: Foresight) -> None:
        super().__init__()
        self.enter = nn.Conv2d(2 * CHANNELS + 6, WIDTH, 3, padding=1)
        self.memory = memory(kind, WIDTH)
        self.join = nn.Conv2d(2 * WIDTH, WIDTH, 1)
        self.out = nn.Conv2d(WIDTH, 4 * WAYS + CHANNELS, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        first = [log((g + 0.02) / (MOST_GAIN - g)) for g in GAINS] + [0.0] * 2 * WAYS
        first += [0.0] * (WAYS + CHANNELS)
        self.out.bias = nn.Parameter(torch.tensor(first))

    def forward(self, past: Past, ahead: Iterable[Ahead]) -> Iterator[Change]:
        """The corrections of every frame to come, one after the other."""
        last = past.latents[-1]
        state: Tensor | None = None
        bend = torch.zeros_like(last[:, :2])  # how the motion changed of late: what is steady goes on longer
        for i in range(max(0, len(past.flows) - PAST + 1), len(past.flows)):
            now, flow, seen = past.latents[i + 1], past.flows[i], past.seen[i]
            if i > 0:
                bend = (flow - warp(past.flows[i - 1], flow)) * seen
            surprise = (now - warp(past.latents[i], flow)) * seen
            _, state = self.memory(self._read(now, surprise, flow, bend, seen, 0), state, flow, seen)
        before, change = last, None
        for place, there in enumerate(ahead, start=1):
            if (
                change is not None and place > 2 * HORIZON
            ):  # all but at rest: nor do the corrections stir any more
                yield change
                continue
            flow = there.flow * (there.step / there.time)
            moved, bend = warp(before, flow), warp(bend, flow)
            fade = min(1.0, max(0.0, 2 - place / HORIZON))
            features = self._read(moved, moved - last, flow, bend, there.landed, min(1, place / HORIZON))
            read, state = self.memory(features, state, flow, there.landed)
            out = self.out(F.silu(self.join(torch.cat([features, read], dim=1))))
            gains, offsets, weights, latents = out.split((WAYS, 2 * WAYS, WAYS, CHANNELS), dim=1)
            change = Change(
                MOST_GAIN * torch.sigmoid(gains),
                fade * MOST_OFFSET * torch.tanh(offsets),
                (weights + weights.new_tensor(_prior(place)).log().view(1, -1, 1, 1)).softmax(1),
                fade * MOST_CHANGE * torch.tanh(latents),
            )
            before = change.fetch(last, there.flow) + change.latents
            yield change

    def _read(
        self, latents: Tensor, change: Tensor, flow: Tensor, bend: Tensor, seen: Tensor, horizon: float
    ) -> Tensor:
        ahead = torch.full_like(seen, horizon)
        motion = [flow.clamp(-16, 16) / 4, bend.clamp(-4, 4)]
        return F.silu(cast(Tensor, self.enter(torch.cat([latents, change, *motion, seen, ahead], dim=1))))


def _prior(place: int) -> tuple[float, ...]:
    """The weights of an untrained net so many frames ahead."""
    first = FIRST - LATER * (min(place, HORIZON) - 1)
    return (first, *[(1 - first) / (WAYS - 1)] * (WAYS - 1))


def times() -> Iterator[tuple[float, float]]:
    """How many frames of motion lie between the last frame and each to come, and how many more than one before.

    1, 2, ... 8, and then ever less: t(k) = 8 + r (1 - exp(-(k - 8) / r)) with r = 3. What goes on for long comes to
    rest, and no motion adds up to more than that of 11 frames.
    """
    before, place = 0.0, 0
    while True:
        place += 1
        time = float(place) if place <= HORIZON else HORIZON + REST * (1 - exp(-(place - HORIZON) / REST))
        yield time, time - before
        before = time


def load_predictor(name: str, device: torch.device) -> Predictor:
    """The predictor of a kind that ships with vedit ("rnn", "lstm", "transformer"), or one of a file.

    Raises:
        UsageError: there is no such kind, nor such a file.
        EngineError: the bundled weights cannot be read.
        InputError: the file holds no predictor.
    """
    path = WEIGHTS if name in FORESIGHTS else Path(name)
    if not path.is_file():
        raise UsageError(
            f"kind is {name!r}",
            f"Use one of {', '.join(FORESIGHTS)}, or a .safetensors file that `vedit train temporal` wrote.",
        )
    return _predictor(name, path, path.stat().st_mtime_ns, device)


@lru_cache(maxsize=4)
def _predictor(name: str, path: Path, written: int, device: torch.device) -> Predictor:
    """``written`` tells a file from another in its place."""
    try:
        weights = read_weights(path)
        kinds = [kind for kind in FORESIGHTS if name == kind] or FORESIGHTS
        kind = next((kind for kind in kinds if f"{kind}.out.weight" in weights), kinds[0])
        net = Predictor(kind)
        net.load_state_dict(
            {k.removeprefix(f"{kind}."): v for k, v in weights.items() if k.startswith(f"{kind}.")}
        )
    except Exception as error:
        if path == WEIGHTS:
            raise unreadable(path, error) from error
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(
            f"{path} holds no predictor ({reason})",
            "Give a .safetensors file that this version's `vedit train temporal` wrote.",
        ) from error
    return net.to(device).eval().requires_grad_(False)
