"""Features kept between steps measured: the time they save, and how far the result strays."""

import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.bench.rows import Row
from vedit.device import torch_threads
from vedit.diffusion.feature_cache import Part, cached
from vedit.errors import UsageError
from vedit.torchvision_ops import tolerate_torchvision

WAYS: tuple[tuple[Part, int], ...] = (
    ("deep", 1),
    ("attention", 2),
    ("attention", 3),
    ("deep", 2),
    ("deep", 3),
    ("deep", 5),
)
"""What is left out, and at which steps it runs: at every one, every other one, and so on."""
WIDTHS = (1, 2, 4, 4)
"""Channels of Stable Diffusion 1.5's levels, in multiples of its first level's 320."""
TEXT = 768


@dataclass(frozen=True)
class CacheRow(Row):
    """One way through all steps: its ``seconds`` of one thread, its ``time_ratio`` to the whole way.

    ``psnr``: of the clean latents it ends at, against those of the whole way, their spread being the peak; None for
    the whole way itself. ``memory``: MB that each window keeps from step to step.
    """

    seconds: float
    time_ratio: float
    psnr: float | None
    memory: float


@dataclass(frozen=True)
class Trial:
    """What is denoised by what.

    A window of ``frames`` whose latents are ``height`` x ``width``, in ``steps`` steps, by a U-Net of Stable
    Diffusion 1.5's layout whose levels have ``channels`` and its multiples (its own: 320).

    Raises:
        UsageError: a number is too small to mean anything.
    """

    frames: int = 4
    height: int = 32
    width: int = 32
    steps: int = 20
    channels: int = 64

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 8 or self.frames < 1 or self.steps < 2:
            raise UsageError(
                f"{self.frames} frames of {self.height}x{self.width} in {self.steps} steps show nothing",
                "Take at least one frame, 8x8 and 2 steps.",
            )
        if self.channels < 32 or self.channels % 32:
            raise UsageError(f"{self.channels} channels do not fit", "Take a multiple of 32.")


def protocol(trial: Trial) -> dict[str, str]:
    """How the rows are found."""
    return {
        "model": f"Stable Diffusion 1.5's U-Net with {trial.channels} channels for 320, random weights, float32",
        "schedule": f"{trial.steps} steps of DDIM from noise; {trial.frames} x {trial.height}x{trial.width} latents",
        "PSNR": "of the latents at the end against all layers at all steps; peak: their spread of four deviations",
        "time": "CPU seconds of one thread, one run",
        "machine": f"{platform.machine()}, torch {version('torch')}, diffusers {version('diffusers')}",
    }


def bench_cache(trial: Trial) -> Iterator[CacheRow]:
    """The whole way, then ever less of it."""
    unet = random_unet(trial)
    with torch_threads(1), torch.inference_mode():
        way(unet, trial, "deep", 1, steps=2)  # what is set up once is nobody's time
        whole: Tensor | None = None
        plain = 0.0
        for part, every in WAYS:
            began = time.process_time()
            latents, memory = way(unet, trial, part, every, trial.steps)
            seconds = time.process_time() - began
            if whole is None:
                whole, plain = latents, seconds
            yield CacheRow(
                clip=f"{trial.steps} steps",
                method="all at all steps" if every == 1 else f"{part} at 1 of {every} steps",
                frames=trial.frames,
                seconds=seconds,
                time_ratio=seconds / plain,
                psnr=None if every == 1 else latent_psnr(latents, whole),
                memory=memory,
            )


def way(unet: Any, trial: Trial, part: Part, every: int, steps: int) -> tuple[Tensor, float]:
    """The latents at the end of all steps, in float32, and how many MB were kept between them."""
    from diffusers import DDIMScheduler

    # A net that knows nothing predicts no noise; as the picture itself, what it says is what is compared.
    make: Any = DDIMScheduler
    scheduler = make(prediction_type="sample", clip_sample=False)
    scheduler.set_timesteps(steps)
    dice = torch.Generator().manual_seed(1)
    latents = torch.randn(trial.frames, 4, trial.height, trial.width, generator=dice)
    text = torch.randn(1, 77, TEXT, generator=dice).expand(trial.frames, -1, -1).to(unet.dtype)
    memo: dict[str, Any] = {}
    for number, timestep in enumerate(scheduler.timesteps):
        batch = latents.to(unet.dtype)
        with cached(unet, batch, memo, number, every, part):
            predicted = unet(batch, timestep, encoder_hidden_states=text).sample.float()
        latents = scheduler.step(predicted, timestep, latents).prev_sample
    kept = [tensor for _, tensors in memo.values() for tensor in tensors.values()]
    held = sum(tensor.numel() * tensor.element_size() for tensor in kept)
    return latents, held / 1e6


def latent_psnr(latents: Tensor, whole: Tensor) -> float:
    """Of latents against others in dB; the peak is four deviations of those."""
    peak = 4 * whole.std()
    return float(10 * (peak.square() / F.mse_loss(latents, whole)).log10())


def random_unet(trial: Trial) -> Any:
    """A U-Net of Stable Diffusion 1.5's layout with random weights, always the same, in float32."""
    tolerate_torchvision()
    from diffusers import UNet2DConditionModel

    torch.manual_seed(0)
    make: Any = UNet2DConditionModel
    return make(
        block_out_channels=tuple(trial.channels * width for width in WIDTHS),
        cross_attention_dim=TEXT,
    ).eval()
