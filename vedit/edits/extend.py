"""A film that goes on after its last frame: what comes next is predicted."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from vedit.edits.edit import apply_to_clip
from vedit.edits.pretrained import check_guidance
from vedit.errors import UsageError
from vedit.frame import Frame, Shot, Timing
from vedit.pace import Even
from vedit.pretrained.spec import read_engine
from vedit.temporal.kinds import FORESIGHTS

if TYPE_CHECKING:
    from torch import Tensor

    from vedit.clip import Clip

SEEN = 13
"""Frames that are looked at for the bundled nets; see `vedit.temporal.rhythm`."""
FILMED = 9
"""Frames that a pretrained engine is shown at most."""


@dataclass(frozen=True)
class Extend:
    """Go on after the film's last frame, for a while, as its last shot moves.

    Bundled: the motion of the last frames is carried forward, corrected by a net that was trained to (see
    `vedit.temporal.predict`). It is good for a few frames; after eight, all slows down and comes to rest, so the
    longer it is the more it is a still. A pretrained engine that films (Wan VACE, LTX, Stable Diffusion with a motion
    adapter) is shown the last frames and films on from there after a prompt, for as long as you like.

    The source's frames stay as they are, and the sound ends where it ended.

    Args:
        seconds: how much longer the film is to be, exact: 0.5, Fraction or "1/2"; in whole frames, the nearest number
            of them, at least one.
        kind: how the bundled net remembers: "rnn", "lstm" or "transformer"; or a file that ``vedit train temporal``
            wrote.
        engine: "bundled", or a pretrained one (see `vedit.pretrained.spec`).
        seed: of a pretrained engine's noise; the bundled nets need none.
        prompt: what is to be seen (pretrained).
        negative_prompt: what is not (pretrained).
        steps: denoising steps (pretrained); None is 25, or what the engine was distilled for.
        guidance_scale: how closely the prompt is followed (pretrained); None is what suits the engine.
        size: the longer side that new frames of larger films are made at, in pixels (pretrained).
        window: frames a pretrained engine makes at once; None takes what suits it.

    Raises:
        UsageError: a setting is out of range, or goes with the other kind of engine only.
    """

    seconds: Fraction | float | str
    kind: str | Path = "transformer"
    engine: str = "bundled"
    seed: int = 0
    prompt: str | None = None
    negative_prompt: str | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    size: int = 768
    window: int | None = None

    def __post_init__(self) -> None:
        try:
            seconds = Fraction(str(self.seconds))  # by its digits: 0.1 is 1/10
        except (ValueError, ZeroDivisionError) as error:
            raise UsageError(
                f"seconds is {self.seconds!r}", 'Give a number above 0, such as 0.5 or "1/2".'
            ) from error
        if seconds <= 0:
            raise UsageError(f"seconds is {self.seconds}", 'Give a number above 0, such as 0.5 or "1/2".')
        object.__setattr__(self, "seconds", seconds)
        if self.kind not in FORESIGHTS:
            object.__setattr__(self, "kind", str(self.kind))
            if not os.path.isfile(self.kind):
                raise UsageError(
                    f"kind is {self.kind!r}",
                    f"Use one of {', '.join(FORESIGHTS)}, or a file that `vedit train temporal` wrote.",
                )
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1.")
        check_guidance(self.guidance_scale)
        if self.size < 64:
            raise UsageError(f"size is {self.size}", "Give at least 64 pixels; 768 is a good start.")
        if read_engine(self.engine) is None:
            for name in ("prompt", "negative_prompt", "steps", "guidance_scale", "window"):
                if getattr(self, name) is not None:
                    raise UsageError(
                        f"{name} is for pretrained engines",
                        f"Leave {name} out, or give engine= (see `vedit engines`).",
                    )
        elif not self.prompt:
            raise UsageError(
                f"{self.engine} was not told what comes next",
                'Say what is to be seen: prompt="the boat sails on".',
            )

    @property
    def memoryless(self) -> bool:
        """What comes next can only be told from the frames before."""
        return False

    def timing(self, timing: Timing) -> Timing:
        """The same clock with a later end; time itself stays as it is."""
        return replace(timing, end=self._end(timing, self._count(timing)), pace=Even(Fraction(1)))

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        """Yield the shot's frames, and after those of the last shot the new ones.

        A few source frames are held.

        Raises:
            EngineError: the engine is not here, or films nothing.
        """
        go_on = self._engine(shot)
        past: deque[Frame] = deque(maxlen=SEEN if self.engine == "bundled" else FILMED)
        for frame in frames:
            past.append(frame)
            yield frame
        if shot.trial:
            shot.notes.warn("the time that the new frames take is not counted")
            return
        if past[-1].end < shot.timing.end:
            return
        last = past[-1]
        count, pts = self._count(shot.timing), shot.timing.end
        longer = float((self._end(shot.timing, count) - pts) * shot.timing.time_base)
        shot.notes.warn(
            f"{longer:.3f} s were added after the last frame; sound, if there is any, ends where it ended"
        )
        indices = range(last.index + 1, last.index + 1 + count)
        pictures = go_on([frame.pixels for frame in past], indices)
        for number in range(1, count + 1):
            end = self._end(shot.timing, number)
            yield Frame(pts, end - pts, next(pictures), index=last.index + number)
            pts = end

    def apply(self, clip: "Clip") -> "Clip":
        return apply_to_clip(self, clip)

    def _count(self, timing: Timing) -> int:
        """How many new frames there are.

        Raises:
            UsageError: the film has no rate.
        """
        if timing.rate is None:
            raise UsageError(
                "the film's rate varies, so it is not known at which it should go on",
                "Make it even first: `vedit interpolate --fps 30`, or Interpolate(fps=30) before Extend.",
            )
        return max(1, round(Fraction(self.seconds) * timing.rate))

    def _end(self, timing: Timing, number: int) -> int:
        """The tick at which a new frame goes; the first is number 1."""
        assert timing.rate is not None  # noqa: S101 - else nothing is counted
        return timing.end + round(number / (timing.rate * timing.time_base))

    def _engine(self, shot: Shot) -> "Callable[[list[Tensor], range], Iterator[Tensor]]":
        """What makes the pictures of indices from the last ones ``(C,H,W)``."""
        if self.engine == "bundled":
            return lambda past, _: self._predicted(past, shot)
        from vedit.edits.film_on import film_on

        return film_on(self, shot)

    def _predicted(self, past: "list[Tensor]", shot: Shot) -> "Iterator[Tensor]":
        """What comes next, endlessly; the one frame of a shot that has no other stays."""
        from vedit.diffusion.engine import load_engine
        from vedit.latents.bundled import BundledCodec
        from vedit.temporal.foresee import foresee
        from vedit.temporal.predict import load_predictor

        if len(past) == 1:
            shot.notes.warn("the last shot has one frame, which shows no motion: it stays")
            while True:
                yield past[0]
        codec = load_engine("bundled", shot.device).codec
        assert isinstance(codec, BundledCodec)  # noqa: S101 - the bundled engine's
        net = load_predictor(str(self.kind), shot.device)
        for seen in foresee([frame.to(shot.device) for frame in past], net, codec):
            yield seen.sharp.cpu()
