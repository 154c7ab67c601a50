"""Schedulers by name, and which of them a few-step model was trained for."""

import inspect
import re
from dataclasses import dataclass
from typing import Any

SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ddim": ("DDIMScheduler", {}),
    "ddpm": ("DDPMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler-a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "dpm++-sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {}),
    "lcm": ("LCMScheduler", {}),
    "tcd": ("TCDScheduler", {}),
}
"""A scheduler's name: its class in diffusers and the settings that make it that one."""

ANIMATEDIFF = {
    "beta_schedule": "linear",
    "clip_sample": False,
    "timestep_spacing": "linspace",
    "steps_offset": 1,
}
"""The noise that AnimateDiff's adapters were trained with; the checkpoint below them had another."""


@dataclass(frozen=True)
class FewSteps:
    """How a model that was distilled to a few steps wants to be sampled."""

    called: str
    scheduler: str
    settings: dict[str, Any]
    steps: int
    guidance_scale: float


_DISTILLED: tuple[tuple[str, str, str, dict[str, Any], int, float], ...] = (
    ("AnimateLCM", r"animatelcm", "lcm", {}, 6, 2.0),
    ("LCM", r"(?<![a-z])lcm(?![a-z])|latent-consistency", "lcm", {}, 4, 1.5),
    ("Lightning", r"lightning", "euler", {"timestep_spacing": "trailing"}, 4, 1.0),
    ("Hyper-SD", r"hyper[-_ ]?sd.*(?<!\d)1[-_ ]?step", "tcd", {}, 1, 1.0),
    ("Hyper-SD", r"hyper[-_ ]?sd.*cfg", "ddim", {"timestep_spacing": "trailing"}, 8, 5.0),
    ("Hyper-SD", r"hyper[-_ ]?sd", "ddim", {"timestep_spacing": "trailing"}, 4, 1.0),
    ("TCD", r"(?<![a-z])tcd(?![a-z])", "tcd", {}, 4, 1.0),
)


def few_steps(text: str) -> FewSteps | None:
    """What a name, or a file's own description, says about distillation; None for an ordinary model."""
    text = text.lower()
    for called, pattern, scheduler, settings, steps, guidance_scale in _DISTILLED:
        if re.search(pattern, text):
            if told := re.search(r"(?<!\d)(\d{1,2})[-_ ]?steps?(?![a-z])", text):
                steps = int(told[1])
            return FewSteps(called, scheduler, settings, steps, guidance_scale)
    return None


def make_scheduler(own: Any, name: str | None, **settings: Any) -> Any:
    """The scheduler called ``name`` with the noise of the checkpoint's ``own``; None keeps its kind.

    ``settings`` that the kind does not have are left out (Euler, for one, never clips its samples).
    """
    import diffusers

    kind: Any = type(own)
    if name is not None:
        class_name, own_settings = SCHEDULERS[name]
        kind, settings = getattr(diffusers, class_name), settings | own_settings
    takes = inspect.signature(kind.__init__).parameters
    return kind.from_config(own.config, **{key: value for key, value in settings.items() if key in takes})
