"""Frames that never travel without their times."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from operator import index

import numpy as np
import torch
from torch import Tensor

from vedit.errors import UsageError
from vedit.frame import Frame


@dataclass(frozen=True, repr=False, eq=False)
class Clip:
    """A short run of pictures with exact times: what edits work on in memory.

    Args:
        frames: ``(F, C, H, W)`` float32 RGB in [0, 1]; C is 3, or 4 with alpha.
        pts: F strictly rising ticks.
        time_base: seconds per tick.

    Raises:
        UsageError: shapes, types or times do not fit together.
    """

    frames: Tensor
    pts: tuple[int, ...]
    time_base: Fraction

    def __post_init__(self) -> None:
        if not isinstance(self.frames, Tensor):
            raise UsageError(
                f"a clip's frames are of type {type(self.frames).__name__}",
                "Give a torch tensor; torch.from_numpy makes one of an array.",
            )
        shape = tuple(self.frames.shape)
        if len(shape) != 4 or shape[1] not in (3, 4) or 0 in shape:
            raise UsageError(
                f"a clip's frames have shape {shape}", "Give (F, 3 or 4, H, W) with no empty axis."
            )
        if self.frames.dtype != torch.float32:
            raise UsageError(
                f"a clip's frames are {self.frames.dtype}", "Give float32 in [0, 1]: x.float() / 255."
            )
        try:
            object.__setattr__(self, "pts", tuple(index(tick) for tick in self.pts))
        except TypeError:
            raise UsageError(
                f"a clip's pts are {_short(self.pts)}", "Give integer ticks, such as (0, 1, 2)."
            ) from None
        if len(self.pts) != shape[0]:
            raise UsageError(
                f"a clip has {shape[0]} frames but {len(self.pts)} pts", "Give one pts per frame."
            )
        if any(b <= a for a, b in zip(self.pts, self.pts[1:], strict=False)):
            raise UsageError("a clip's pts do not rise", "Give strictly rising integer ticks.")
        if not isinstance(self.time_base, Fraction | int) or self.time_base <= 0:
            raise UsageError(
                f"a clip's time base is {self.time_base!r}", "Give seconds per tick, such as Fraction(1, 25)."
            )

    @classmethod
    def at_rate(cls, frames: Tensor, rate: Fraction | int) -> "Clip":
        """A clip of constant rate, in frames per second, from ``(F, C, H, W)`` frames.

        Raises:
            UsageError: see `Clip`; or the rate is no whole number or Fraction above 0.
        """
        if not isinstance(rate, Fraction | int) or rate <= 0:
            raise UsageError(
                f"a clip's rate is {_short(rate)}",
                "Give frames per second, such as 25 or Fraction(24000, 1001).",
            )
        count = len(frames) if isinstance(frames, Tensor) and frames.ndim else 0
        return cls(frames, tuple(range(count)), 1 / Fraction(rate))

    def __repr__(self) -> str:
        f, c, h, w = self.frames.shape
        first, last = (float(p * self.time_base) for p in (self.pts[0], self.pts[-1]))
        return f"Clip({f} frames, {c}x{h}x{w}, {first:.3f}..{last:.3f} s, time base {self.time_base})"

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, frames: slice) -> "Clip":
        if not isinstance(frames, slice) or (frames.step or 1) < 1:
            raise UsageError(
                f"a clip was asked for [{frames}]", "Give a part of it in order, such as clip[10:20]."
            )
        return Clip(self.frames[frames], self.pts[frames], self.time_base)

    @property
    def rate(self) -> Fraction | None:
        """Frames per second when the pts are evenly spaced, else None."""
        steps = {b - a for a, b in zip(self.pts, self.pts[1:], strict=False)}
        return 1 / (steps.pop() * self.time_base) if len(steps) == 1 else None

    @property
    def durations(self) -> list[int]:
        """Ticks that each frame lasts; the last one lasts as long as the one before it, a single one a tick."""
        steps = [b - a for a, b in zip(self.pts, self.pts[1:], strict=False)]
        return [*steps, steps[-1] if steps else 1]

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest value of its frames."""
        # In the order in which they lie in memory: otherwise this takes ten times as long.
        order = sorted(range(4), key=self.frames.stride, reverse=True)
        low, high = self.frames.permute(order).aminmax()
        return float(low), float(high)

    def stream(self) -> Iterator[Frame]:
        """The clip as the frames that edits stream."""
        for i, (pts, duration) in enumerate(zip(self.pts, self.durations, strict=True)):
            pixels = torch.empty(self.frames.shape[1:], device=self.frames.device)
            _copy(self.frames[i], pixels)  # side by side in memory, once for all that looks at them
            yield Frame(pts, duration, pixels, index=i, cut=i == 0)

    @classmethod
    def collect(cls, frames: "Iterator[Frame]", time_base: Fraction, likely: int) -> "Clip":
        """A clip from streamed frames, about as many as are ``likely``; each is copied to its place as it comes."""
        pts: list[int] = []
        pixels = torch.empty(0)
        for frame in frames:
            if not pts:
                pixels = frame.pixels.new_empty(likely, *frame.pixels.shape)
            elif len(pts) == len(pixels):
                pixels = torch.cat([pixels, torch.empty_like(pixels)])
            _copy(frame.pixels, pixels[len(pts)])
            pts.append(frame.pts)
        if len(pts) < len(pixels):
            pixels = pixels[: len(pts)].clone()  # not a view of more
        return cls(pixels, tuple(pts), time_base)


def _copy(pixels: Tensor, to: Tensor) -> None:
    """By one core: with all of them torch would disturb what is computed meanwhile, and be no faster."""
    if pixels.device.type == to.device.type == "cpu":
        np.copyto(to.numpy(), pixels.detach().numpy())
    else:
        to.copy_(pixels)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
