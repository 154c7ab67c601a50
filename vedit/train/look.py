"""Teach the bundled denoiser one more look, from as many painted pictures as there are."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vedit.device import pick_device
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.engine import WEIGHTS
from vedit.diffusion.looks import FITTED
from vedit.diffusion.schedule import bundled_scheduler
from vedit.errors import InputError
from vedit.latents.bundled import BundledCodec
from vedit.pictures import read_picture
from vedit.temporal.kinds import KINDS
from vedit.train.batches import SIZE, Batches, Painted
from vedit.train.data import PHOTOS
from vedit.train.denoiser import PURE, save_denoiser, velocity_loss
from vedit.train.loop import train
from vedit.train.painters.chance import CELL
from vedit.train.samples import look_sheet
from vedit.weight_files import read_weights


def look_pairs(frames: Path, paintings: Path) -> list[Painted]:
    """Pictures of two folders that have the same name but for the ending, each with its painting.

    Raises:
        InputError: no two have, a pair's sizes differ, or a picture is smaller than a training crop.
    """
    painted = {p.stem: p for p in paintings.glob("*") if p.suffix.lower() in PHOTOS}
    out = []
    for path in sorted(p for p in frames.glob("*") if p.suffix.lower() in PHOTOS and p.stem in painted):
        source, painting = read_picture(path), read_picture(painted[path.stem])
        size = f"{path} is {source.shape[2]}x{source.shape[1]}"
        if source.shape != painting.shape:
            raise InputError(
                f"{size}, its painting {painting.shape[2]}x{painting.shape[1]}", "Give both at the same size."
            )
        if min(source.shape[-2:]) < SIZE * CELL:
            raise InputError(size, f"Give at least {SIZE * CELL} pixels a side.")
        out.append(Painted(FITTED, source, painting, None))
    if not out:
        raise InputError(
            f"no picture of {frames} has a painting in {paintings}",
            "Give both the same name, such as 01.png.",
        )
    return out


def train_look(
    frames: Path,
    paintings: Path,
    out: Path,
    *,
    minutes: float,
    rate: float = 5e-4,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> BundledDenoiser:
    """Train for a wall-clock time, from the bundled weights; ``out`` is then a look for `Restyle`.

    Args:
        frames: pictures as a camera shows them.
        paintings: the same ones painted, by the same names.
        out: the look, .safetensors; ``OUT.png`` shows it, ``OUT.state`` lets an interrupted training go on.
        minutes: of training.
        rate: the highest learning rate.
        seed: of every random choice.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: see `look_pairs`.
    """
    torch.manual_seed(seed)
    on = pick_device(device)
    codec, net = BundledCodec(), BundledDenoiser()
    codec.load_state_dict(read_weights(WEIGHTS / "codec.safetensors"))
    net.load_state_dict(read_weights(WEIGHTS / "denoiser.safetensors"))
    batches = Batches(codec.requires_grad_(False).to(on), look_pairs(frames, paintings), [], on)
    log(f"{len(batches.pairs)} pairs")
    alphas = bundled_scheduler().alphas_cumprod.to(on)
    grids = net.grids(SIZE, SIZE)

    def loss(net: BundledDenoiser, step: int, done: float) -> Tensor:
        rng = np.random.default_rng((seed, step))
        single, run = batches.painted(5, rng), batches.moving(6, KINDS[step % 4], grids, rng, painted=1.0)
        drawn = np.where(rng.random(6) < PURE, 999, rng.integers(0, 1000, 6))
        timestep = torch.from_numpy(drawn).to(on)
        still = velocity_loss(net, single, timestep[:5], alphas)
        return still + velocity_loss(net, run, timestep[5:].expand(6), alphas)

    def save(average: BundledDenoiser) -> None:
        save_denoiser(average, out)
        pictures = [p.source for p in batches.pairs]
        look_sheet(average, batches.codec, pictures, out.with_suffix(".png"), {out.stem: FITTED})

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
