"""Partial noise: the part of a scheduler's timesteps that a strength asks for."""

from typing import Any, Protocol, cast

from torch import Tensor


class Scheduler(Protocol):
    """The part of a diffusers scheduler that sampling uses."""

    timesteps: Tensor
    alphas_cumprod: Tensor

    def set_timesteps(self, *args: Any, **kwargs: Any) -> None: ...

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor: ...

    def add_noise(self, original_samples: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor: ...

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor, **kwargs: Any) -> Any: ...


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


def partial_timesteps(steps: int, strength: float) -> list[int]:
    """``steps`` evenly spaced timesteps from ``strength`` of the noise down, none of them repeated.

    strength 1 starts from pure noise (999); a low strength with many steps gives fewer of them.
    """
    top = round(strength * 1000) - 1
    spaced = (top - round(i * (top + 1) / steps) for i in range(steps))
    return sorted({t for t in spaced if t >= 0}, reverse=True)
