"""Partial noise: the part of a scheduler's timesteps that a strength asks for, and how noisy each of them is."""

import copy
import math
from dataclasses import dataclass
from typing import Any, Protocol, cast

import torch
from torch import Tensor

from vedit.errors import UsageError


class Scheduler(Protocol):
    """The part of a diffusers scheduler that sampling uses."""

    timesteps: Tensor
    alphas_cumprod: Tensor
    config: Any

    def set_timesteps(self, *args: Any, **kwargs: Any) -> None: ...

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor: ...

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor: ...

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor, **kwargs: Any) -> Any: ...


@dataclass(frozen=True)
class Level:
    """How noisy a sample is: sample = signal * x0 + noise * eps."""

    signal: float
    noise: float

    def x0(self, output: Tensor, sample: Tensor, prediction: str) -> Tensor:
        """The clean estimate that a model's output means; ``prediction`` is the scheduler's ``prediction_type``."""
        if prediction == "sample":
            return output
        if prediction == "epsilon":
            return (sample - self.noise * output) / self.signal
        size = math.hypot(self.signal, self.noise)  # 1, but for schedulers whose sample grows with the noise
        return self.signal / size * (sample / size) - self.noise / size * output

    def output(self, x0: Tensor, sample: Tensor, prediction: str) -> Tensor:
        """The model output that means this clean estimate."""
        if prediction == "sample":
            return x0
        if prediction == "epsilon":
            return (sample - self.signal * x0) / self.noise
        size = math.hypot(self.signal, self.noise)
        return (self.signal / size * (sample / size) - x0) * size / self.noise


@dataclass(frozen=True, eq=False)
class Timetable:
    """A scheduler set to the steps of a run; ``levels`` has one more than there are steps: the clean end."""

    scheduler: Scheduler
    timesteps: Tensor
    levels: tuple[Level, ...]

    def __len__(self) -> int:
        return len(self.timesteps)

    @property
    def prediction(self) -> str:
        """What the model's output means."""
        return str(self.scheduler.config.prediction_type)


def bundled_scheduler() -> Scheduler:
    """Euler's method on the probability-flow ODE, cosine schedule, velocity prediction, pure noise at the top.

    Karras et al., "Elucidating the Design Space", NeurIPS 2022 (sampler); Lin et al., "Common Diffusion Noise
    Schedules and Sample Steps are Flawed", WACV 2024 (zero terminal signal).
    """
    from vedit.torchvision_ops import tolerate_torchvision

    tolerate_torchvision()
    from diffusers import EulerDiscreteScheduler

    scheduler: Any = EulerDiscreteScheduler(  # type: ignore[no-untyped-call]
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )
    return cast(Scheduler, scheduler)


def even_timetable(scheduler: Scheduler, steps: int, strength: float, device: torch.device) -> Timetable:
    """``steps`` steps from ``strength`` of the noise down, however low: for schedulers that take ``timesteps=``."""
    scheduler = copy.deepcopy(scheduler)
    timesteps = partial_timesteps(steps, strength)
    if not timesteps:
        return Timetable(scheduler, torch.empty(0), (Level(1, 0),))
    scheduler.set_timesteps(timesteps=timesteps, device=device)
    return Timetable(scheduler, scheduler.timesteps, _levels(scheduler, scheduler.timesteps))


def last_steps_timetable(
    scheduler: Scheduler, steps: int, strength: float, device: torch.device
) -> Timetable:
    """The last ``strength`` of ``steps`` steps, as diffusers' image-to-image and video-to-video pipelines take them.

    Unlike theirs the share is not at the mercy of binary fractions: 0.29 of 100 steps is 29, not 28.

    Raises:
        UsageError: the scheduler cannot take so many steps, or the strength's share is not one step.
    """
    scheduler = copy.deepcopy(scheduler)
    try:
        scheduler.set_timesteps(steps, device=device)
    except ValueError as error:
        raise UsageError(
            f"{type(scheduler).__name__} cannot take {steps} steps ({error})".rstrip(". "),
            "Give fewer steps.",
        ) from error
    count, order = taken(steps, strength), int(getattr(scheduler, "order", 1))
    if strength > 0 and not count:
        raise UsageError(
            f"strength {strength:g} of {steps} steps is less than one step",
            f"Give at least {math.ceil(1 / strength)} steps, or more strength.",
        )
    skipped = (steps - count) * order
    timesteps = scheduler.timesteps[skipped:]
    levels = _levels(scheduler, timesteps)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(skipped)
    return Timetable(scheduler, timesteps, levels)


def taken(steps: int, strength: float) -> int:
    """How many of ``steps`` steps a strength takes."""
    return min(steps, int(steps * strength + 1e-6))


def partial_timesteps(steps: int, strength: float) -> list[int]:
    """``steps`` evenly spaced timesteps from ``strength`` of the noise down, none of them repeated.

    strength 1 starts from pure noise (999); a low strength with many steps gives fewer of them.
    """
    top = round(strength * 1000) - 1
    spaced = (top - round(i * (top + 1) / steps) for i in range(steps))
    return sorted({t for t in spaced if t >= 0}, reverse=True)


def _levels(scheduler: Scheduler, timesteps: Tensor) -> tuple[Level, ...]:
    """Each timestep's level, found by noising a one and a zero: schedulers keep their tables in different shapes."""
    fresh: Any = copy.deepcopy(scheduler)
    one, nothing = torch.ones(1, device=timesteps.device), torch.zeros(1, device=timesteps.device)
    found = []
    for timestep in timesteps:
        if hasattr(fresh, "scale_noise"):  # flow matching
            signal, noise = (
                fresh.scale_noise(x, timestep[None], n) for x, n in ((one, nothing), (nothing, one))
            )
        else:
            signal, noise = (
                fresh.add_noise(x, n, timestep[None]) for x, n in ((one, nothing), (nothing, one))
            )
        found.append(Level(float(signal), float(noise)))
    return (*found, Level(1, 0))
