"""Train the bundled denoiser: looks from paintings, repairs from holes, steadiness from rendered motion."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from vedit.device import mixed_precision, pick_device
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.schedule import bundled_scheduler
from vedit.temporal.kinds import KINDS, Temporal
from vedit.train.batches import Batch, batches_of
from vedit.train.loop import begin_from, train
from vedit.train.samples import look_sheet

PURE = 0.3
"""The share of steps trained at pure noise: where every film of full strength starts, and where the noise is read."""
MOVING = 0.4
"""The last part of the time, in which every step also sees a run of frames."""


def velocity_loss(net: BundledDenoiser, batch: Batch, timestep: Tensor, alphas: Tensor) -> Tensor:
    """Mean squared error of the velocity v = sqrt(a) noise - sqrt(1 - a) x0 where the picture is to be made.

    Salimans & Ho, "Progressive Distillation", ICLR 2022. ``timestep`` ``(N,)``; ``alphas``: the scheduler's cumulative
    products. Known places carry the context's latents at the same noise, as they do in sampling.
    """
    a = alphas[timestep].view(-1, 1, 1, 1)
    cond = batch.cond
    known = torch.where(cond.mask > 0, batch.target, cond.context)
    noisy = a.sqrt() * known + (1 - a).sqrt() * batch.noise
    with mixed_precision(noisy.device):
        predicted = net(noisy, timestep, cond).float()
    wanted = a.sqrt() * batch.noise - (1 - a).sqrt() * batch.target
    weight = cond.mask / cond.mask.mean().clamp_min(0.05)
    loss: Tensor = ((predicted - wanted).square() * weight).mean()
    return loss


def train_denoiser(
    data: Path,
    pairs: Path,
    out: Path,
    *,
    minutes: float,
    temporal_only: bool = False,
    rate: float = 1e-3,
    start: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> BundledDenoiser:
    """Train for a wall-clock time; every three minutes float16 weights go to ``out``, and samples to ``OUT.png``.

    The first part of the time goes to single pictures, the rest also to short runs with rendered motion, which is
    where the temporal layers learn: each run meets one kind of them, in turn.

    Args:
        data: footage and photographs.
        pairs: what `make_pairs` painted from them.
        out: the weights, .safetensors; ``OUT.state`` beside it lets an interrupted training go on.
        minutes: of training.
        temporal_only: leave all but the temporal layers as they are.
        rate: the highest learning rate.
        start: weights to begin from.
        seed: of every random choice.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: there is no footage, or no pairs, or the state or ``start`` is of another net.
    """
    torch.manual_seed(seed)
    on = pick_device(device)
    net = BundledDenoiser()
    if start is not None:
        begin_from(net, start)
    if temporal_only:
        net.requires_grad_(False)
        for layers in (net.time_low, net.time_mid):
            layers.requires_grad_(True)
    batches = batches_of(data, pairs, on)
    log(f"{len(batches.pairs)} paintings, {len(batches.pictures)} pictures")
    alphas = bundled_scheduler().alphas_cumprod.to(on)
    grids = net.grids(32, 32)

    def loss(net: BundledDenoiser, step: int, done: float) -> Tensor:
        rng = np.random.default_rng((seed, step))

        def timesteps(count: int) -> Tensor:
            drawn = np.where(rng.random(count) < PURE, 999, rng.integers(0, 1000, count))
            return torch.from_numpy(drawn).to(on)

        def single(painted: int, broken: int) -> Tensor:
            parts = [batches.painted(painted, rng), batches.broken(broken, rng)]
            losses = [velocity_loss(net, b, timesteps(len(b.target)), alphas) for b in parts]
            return (losses[0] * painted + losses[1] * broken) / (painted + broken)

        def run(kind: Temporal) -> Tensor:
            moving = batches.moving(6, kind, grids, rng)
            return velocity_loss(net, moving, timesteps(1).expand(6), alphas)

        if temporal_only:
            return run(KINDS[step % 3]) + run(KINDS[step % 3])
        if done < 1 - MOVING:
            return single(painted=10, broken=2)
        return single(painted=5, broken=1) + run(KINDS[step % 4])

    def save(average: BundledDenoiser) -> None:
        save_denoiser(average, out)
        look_sheet(average, batches.codec, batches.pictures, out.with_suffix(".png"))

    return train(
        net.to(on),
        loss,
        out,
        minutes=minutes,
        rate=rate,
        save=save,
        resume=resume,
        log=log,
    )


def save_denoiser(net: BundledDenoiser, out: Path) -> None:
    """Write the weights in float16."""
    save_file({k: v.half().contiguous().cpu() for k, v in net.state_dict().items()}, out)
