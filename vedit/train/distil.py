"""Distil the bundled denoiser: teach it to reach in one or two steps what took it four."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.device import mixed_precision, pick_device
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.engine import WEIGHTS
from vedit.diffusion.schedule import bundled_scheduler, partial_timesteps
from vedit.temporal.kinds import KINDS
from vedit.train.batches import Batch, batches_of
from vedit.train.denoiser import save_denoiser
from vedit.train.loop import begin_from, train
from vedit.train.samples import look_sheet

TEACHER_STEPS = 4
WHOLE = 0.75
"""The share of batches that start from pure noise; the others start from a part of it, over the source."""


@dataclass(frozen=True, eq=False)
class Course:
    """A batch's way from noise to a picture: DDIM, eta 0 (Song et al., "Denoising Diffusion Implicit Models", 2021).

    In these terms it is what Euler's method of the bundled scheduler does. ``alphas`` are its cumulative products;
    ``strength`` is how much of the noise the way starts from.
    """

    batch: Batch
    alphas: Tensor
    strength: float

    def start(self) -> Tensor:
        return self._noised(partial_timesteps(1, self.strength)[0])

    def clean(self, net: BundledDenoiser, latents: Tensor, timestep: int) -> Tensor:
        """What the net takes the picture to be, float32."""
        a = self.alphas[timestep]
        each = torch.full((len(latents),), timestep, device=latents.device)
        with mixed_precision(latents.device):
            velocity = net(latents, each, self.batch.cond).float()
        clean: Tensor = a.sqrt() * latents - (1 - a).sqrt() * velocity
        return clean

    def onward(self, latents: Tensor, clean: Tensor, timestep: int, following: int) -> Tensor:
        """The latents at the next timestep, given what the picture is taken to be; known places stay known."""
        a, b = self.alphas[timestep], self.alphas[following]
        noise = (latents - a.sqrt() * clean) / (1 - a).sqrt()
        moved = b.sqrt() * clean + (1 - b).sqrt() * noise
        return torch.where(self.batch.cond.mask > 0, moved, self._noised(following))

    def walked(self, net: BundledDenoiser, steps: int) -> Tensor:
        """The picture that the net comes to in so many steps."""
        timesteps = partial_timesteps(steps, self.strength)
        latents = self.start()
        for timestep, following in pairwise(timesteps):
            latents = self.onward(latents, self.clean(net, latents, timestep), timestep, following)
        return self.clean(net, latents, timesteps[-1])

    def _noised(self, timestep: int) -> Tensor:
        a = self.alphas[timestep]
        return a.sqrt() * self.batch.cond.context + (1 - a).sqrt() * self.batch.noise


def distillation_loss(net: BundledDenoiser, teacher: BundledDenoiser, course: Course) -> Tensor:
    """How far both of the net's two steps are from where the teacher's four end.

    The end of the teacher's way is fixed by the noise it starts from, so there is one right answer (Luhman & Luhman,
    "Knowledge Distillation in Iterative Generative Models", 2021), and both steps learn it, as in consistency models
    (Song et al., 2023): the first one alone is a result, and the second corrects what the first one really did.
    Absolute differences, of values and of neighbours' differences: their square would blur.
    """
    with torch.no_grad():
        wanted = course.walked(teacher, TEACHER_STEPS)
    mask = course.batch.cond.mask
    weight = mask / mask.mean().clamp_min(0.05)
    first, second = partial_timesteps(2, course.strength)
    latents = course.start()
    clean = course.clean(net, latents, first)
    again = course.clean(net, course.onward(latents, clean.detach(), first, second), second)
    return 0.5 * _apart(clean, wanted, weight) + _apart(again, wanted, weight)


def _apart(clean: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    apart = clean - wanted
    value = F.smooth_l1_loss(apart, torch.zeros_like(apart), beta=0.05, reduction="none") * weight
    across, down = apart.diff(dim=-1).abs() * weight[..., 1:], apart.diff(dim=-2).abs() * weight[..., 1:, :]
    total: Tensor = value.mean() + 0.5 * (across.mean() + down.mean())
    return total


def train_distilled(
    data: Path,
    pairs: Path,
    out: Path,
    *,
    minutes: float,
    rate: float = 3e-4,
    start: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> BundledDenoiser:
    """Train for a wall-clock time; every three minutes float16 weights go to ``out``.

    At the end ``OUT.png`` shows every look in two steps.

    Args:
        data: footage and photographs.
        pairs: what `make_pairs` painted from them; only the sources are looked at, and the noise.
        out: the weights, .safetensors; ``OUT.state`` beside it lets an interrupted training go on.
        minutes: of training.
        rate: the highest learning rate.
        start: the teacher's weights, with which the pupil begins; the installed ones unless given.
        seed: of every random choice.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: there is no footage, or no pairs, or the state or ``start`` is of another net.
    """
    torch.manual_seed(seed)
    on = pick_device(device)
    teacher = BundledDenoiser()
    begin_from(teacher, start or WEIGHTS / "denoiser.safetensors")
    net = copy.deepcopy(teacher).to(on)
    teacher = teacher.to(on).eval().requires_grad_(False)
    batches = batches_of(data, pairs, on)
    log(f"{len(batches.pairs)} sources, {len(batches.pictures)} pictures")
    alphas = bundled_scheduler().alphas_cumprod.to(on)
    grids = net.grids(32, 32)

    def loss(net: BundledDenoiser, step: int, done: float) -> Tensor:
        rng = np.random.default_rng((seed, step))
        drawn = [
            batches.painted(5, rng),
            batches.moving(6, KINDS[step % 4], grids, rng),
            *([batches.broken(2, rng)] if step % 4 == 0 else []),
        ]
        losses = []
        for batch in drawn:
            strength = 1.0 if rng.random() < WHOLE else float(rng.uniform(0.3, 1))
            losses.append(distillation_loss(net, teacher, Course(batch, alphas, strength)))
        return torch.stack(losses).mean()

    average = train(
        net,
        loss,
        out,
        minutes=minutes,
        rate=rate,
        save=lambda average: save_denoiser(average, out),
        resume=resume,
        log=log,
    )
    look_sheet(average, batches.codec, batches.pictures, out.with_suffix(".png"), steps=2)
    return average
