"""Train the bundled codec: pictures in, pictures back, through noisy latents."""

import copy
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vedit.latents.bundled import CHANNELS, COLOURS, DETAIL_STD, BundledCodec
from vedit.train.data import pictures_in, random_crops

NOISE = torch.tensor([0.06] * COLOURS + [0.2] * (CHANNELS - COLOURS)).view(1, -1, 1, 1)
"""The most noise a channel gets in training, in its own standard deviations."""


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
    seed: int = 0,
    batch: int = 8,
    crop: int = 128,
    log: Callable[[str], None] = print,
) -> BundledCodec:
    """Train for a wall-clock time and save float16 weights to ``out`` (a .safetensors file) every three minutes.

    Half of every batch is decoded from latents with up to `NOISE` on them, so that latents a denoiser got slightly
    wrong still decode cleanly. The weights saved are a moving average. ``extra`` is a second
    folder of pictures (paintings, drawings), ``start`` weights to go on from.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    pictures = pictures_in(data, side=768, per_film=24)
    if extra is not None:
        pictures += pictures_in(extra, side=768, per_film=24)
    log(f"{len(pictures)} pictures")
    codec = BundledCodec()
    if start is not None:
        codec.load_state_dict(load_file(start))
    average = copy.deepcopy(codec)
    optimiser = torch.optim.AdamW(codec.parameters(), lr=2e-3, betas=(0.9, 0.98), weight_decay=1e-4)
    began, saved, step = time.monotonic(), time.monotonic(), 0
    while (done := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * min(1, step / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        frames = random_crops(pictures, batch, crop, rng)
        with torch.autocast("cpu", torch.bfloat16):
            latents = codec.encode(frames)
        latents = latents.float()
        level = torch.rand(batch, 1, 1, 1) * (torch.arange(batch) % 2).view(-1, 1, 1, 1)
        spread = latents.detach().std(dim=(0, 2, 3), keepdim=True)
        noisy = latents + level * NOISE * spread * torch.randn_like(latents)
        with torch.autocast("cpu", torch.bfloat16):
            result = codec.rebuild(noisy).float()
        loss = _loss(result, frames)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(codec.parameters(), 1.0)
        optimiser.step()
        decay = min(0.998, step / (step + 50))
        with torch.no_grad():
            for mean, new in zip(average.parameters(), codec.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
        step += 1
        if step % 200 == 0:
            log(f"step {step}  {(time.monotonic() - began) / 60:.1f} min  loss {loss.item():.4f}")
        if time.monotonic() - saved > 180:
            save_codec(average, pictures, out)
            saved = time.monotonic()
    save_codec(average, pictures, out)
    return average


@torch.no_grad()
def save_codec(codec: BundledCodec, pictures: list[Tensor], out: Path) -> None:
    """Measure the latents' mean and deviation over the pictures, then write the weights in float16."""
    measured = copy.deepcopy(codec)
    measured.mean.zero_()
    measured.std.fill_(1)
    some = pictures[:: max(1, len(pictures) // 64)]
    rows = [measured.encode(p[None].float() / 255).flatten(2)[0] for p in some]
    values = torch.cat(rows, dim=1)
    codec.mean.copy_(values.mean(1).view(1, -1, 1, 1))
    scale = torch.tensor([1.0] * COLOURS + [DETAIL_STD] * (CHANNELS - COLOURS))
    codec.std.copy_((values.std(1) / scale).view(1, -1, 1, 1))
    save_file({k: v.half().contiguous() for k, v in codec.state_dict().items()}, out)
