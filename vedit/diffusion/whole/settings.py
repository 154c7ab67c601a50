"""What a whole pipeline is asked for, the same for every window."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from torch import Tensor

from vedit.diffusion.prompting import Schedule
from vedit.errors import UsageError


@dataclass(frozen=True, eq=False)
class WholeSettings:
    """How a pipeline paints.

    Attributes:
        prompt: what to show, in words; or words by the film's frames, for windows as `lengths` has them.
        negative_prompt: what not to show; used where ``guidance_scale`` is above 1.
        strength: 1 starts from pure noise, less from the film's own frames with that part of the steps left to do.
        steps: denoising steps of the whole schedule.
        guidance_scale: how closely the prompt is followed; None takes what the model is usually run with.
        conditioning_scale: how closely control maps and known pixels are followed (Wan VACE).
        reference: pictures ``(3,H,W)`` in [0, 1] of the style or the things to show (Wan VACE).
        seed: of all noise, together with each window's absolute first frame.
        first: the film's index of the shot's first frame.
        window: frames made at once; None takes what the model was trained on.
        overlap: frames that a window hands on to the next; None takes a good number.
        rate: the film's frames a second, for models that ask.
        callback_on_step_end: as diffusers calls it, ``(pipe, step, timestep, tensors) -> tensors``.

    Raises:
        UsageError: a number is out of range.
    """

    prompt: str | Schedule = ""
    negative_prompt: str = ""
    strength: float = 1.0
    steps: int = 30
    guidance_scale: float | None = None
    conditioning_scale: float = 1.0
    reference: tuple[Tensor, ...] = ()
    seed: int = 0
    first: int = 0
    window: int | None = None
    overlap: int | None = None
    rate: Fraction | None = None
    callback_on_step_end: Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise UsageError(
                f"strength is {self.strength}",
                "Give a number from 0 (keep the picture) to 1 (start from noise).",
            )
        if self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1; 30 is a good start.")

    @property
    def skipped(self) -> int:
        """Steps left out at the schedule's start; at least one is always done."""
        return self.steps - max(1, round(self.steps * self.strength))
