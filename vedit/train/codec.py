"""Train the bundled codec: pictures in, pictures back, through noisy latents."""

import copy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from vedit.device import mixed_precision, pick_device
from vedit.latents.bundled import CHANNELS, COLOURS, DETAIL_STD, BundledCodec
from vedit.train.data import pictures_in, random_crops
from vedit.train.loop import begin_from, train
from vedit.train.samples import codec_sheet

NOISE = torch.tensor([0.06] * COLOURS + [0.2] * (CHANNELS - COLOURS)).view(1, -1, 1, 1)
"""The most noise a channel gets in training, in its own standard deviations."""
BATCH = 8
CROP = 128
"""Pixels per side of a training crop."""


def _loss(out: Tensor, target: Tensor) -> Tensor:
    """L1 on pixels and on their differences: the second keeps edges crisp."""
    error = out - target
    dx, dy = error.diff(dim=-1), error.diff(dim=-2)
    return error.abs().mean() + 0.5 * (dx.abs().mean() + dy.abs().mean())


def train_codec(
    data: Path,
    out: Path,
    *,
    minutes: float,
    extra: Path | None = None,
    start: Path | None = None,
    decoder_only: bool = False,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> BundledCodec:
    """Train for a wall-clock time and save float16 weights to ``out`` (a .safetensors file) every three minutes.

    Half of every batch is decoded from latents with up to `NOISE` on them, so that latents a denoiser got slightly
    wrong still decode cleanly. The weights saved are a moving average.

    Args:
        data: footage and photographs.
        out: the weights; ``OUT.state`` beside it lets an interrupted training go on.
        minutes: of training.
        extra: a second folder of pictures (paintings, drawings).
        start: weights to begin from.
        decoder_only: leave encoder and normalisation as they are, so that denoisers of these latents stay good.
        seed: of every random choice.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: there is no footage, or the state or ``start`` is of another net.
    """
    torch.manual_seed(seed)
    on = pick_device(device)
    codec = BundledCodec()
    if start is not None:
        begin_from(codec, start)
    codec.encoder.requires_grad_(not decoder_only)
    pictures = pictures_in(data, side=768, per_film=24)
    if extra is not None:
        pictures += pictures_in(extra, side=768, per_film=24)
    log(f"{len(pictures)} pictures")

    def loss(codec: BundledCodec, step: int, done: float) -> Tensor:
        rng = np.random.default_rng((seed, step))
        frames = random_crops(pictures, BATCH, CROP, rng).to(on)
        with mixed_precision(on):
            latents = codec.encode(frames)
        latents = latents.float()
        level = rng.random((BATCH, 1, 1, 1)) * (np.arange(BATCH) % 2).reshape(-1, 1, 1, 1)
        noise = torch.from_numpy(level * rng.standard_normal(latents.shape)).float().to(on)
        spread = latents.detach().std(dim=(0, 2, 3), keepdim=True)
        with mixed_precision(on):
            result = codec.rebuild(latents + noise * NOISE.to(on) * spread).float()
        return _loss(result, frames)

    def save(average: BundledCodec) -> None:
        saved = copy.deepcopy(average).cpu() if decoder_only else normalised(average, pictures)
        save_file({k: v.half().contiguous() for k, v in saved.state_dict().items()}, out)
        codec_sheet(saved, pictures, out.with_suffix(".png"))

    return train(
        codec.to(on),
        loss,
        out,
        minutes=minutes,
        rate=2e-3 if start is None else 4e-4,  # good weights are not to be thrown away at the start
        save=save,
        resume=resume,
        log=log,
    )


@torch.no_grad()
def normalised(codec: BundledCodec, pictures: list[Tensor]) -> BundledCodec:
    """A copy that gives latents of known mean and deviation, measured over the pictures."""
    codec = copy.deepcopy(codec).cpu()
    measured = copy.deepcopy(codec)
    measured.mean.zero_()
    measured.std.fill_(1)
    some = pictures[:: max(1, len(pictures) // 64)]
    rows = [measured.encode(p[None].float() / 255).flatten(2)[0] for p in some]
    values = torch.cat(rows, dim=1)
    codec.mean.copy_(values.mean(1).view(1, -1, 1, 1))
    scale = torch.tensor([1.0] * COLOURS + [DETAIL_STD] * (CHANNELS - COLOURS))
    codec.std.copy_((values.std(1) / scale).view(1, -1, 1, 1))
    return codec
