"""Train the bundled denoiser: looks from paintings, repairs from holes, then steadiness from rendered motion."""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.denoiser import Conditioning
from vedit.diffusion.engine import WEIGHTS
from vedit.diffusion.noise import carry_noise, first_noise
from vedit.diffusion.schedule import bundled_scheduler
from vedit.flow.paths import window_paths
from vedit.latents.bundled import BundledCodec
from vedit.pictures import read_picture
from vedit.train.data import pictures_in, random_crops
from vedit.train.holes import ghost_fill, random_holes, smooth_fill
from vedit.train.motion import random_path, render
from vedit.train.painters import LOOKS

SIZE = 32
"""Latents per side of a training crop: 128 pixels."""
STYLE = 48
"""Latents per side of a style crop."""


@dataclass(frozen=True)
class Painted:
    """A picture and its painting, as uint8 pixels ``(3,H,W)`` and as float16 latents ``(c,h,w)``."""

    look: str
    source: Tensor
    painting: Tensor
    source_latents: Tensor
    painting_latents: Tensor


@torch.no_grad()
def load_pairs(folder: Path, codec: BundledCodec) -> list[Painted]:
    """Every painting of a folder written by `make_pairs`, encoded."""

    def read(path: Path) -> tuple[Tensor, Tensor]:
        pixels = read_picture(path)
        with torch.autocast("cpu", torch.bfloat16):
            latents = codec.encode(pixels[None].float() / 255)
        return pixels, latents[0].half()

    out = []
    for path in sorted(folder.glob("*.png")):
        if path.name.count(".") == 1:
            source = read(path)
            for look in LOOKS:
                painting = path.with_suffix(f".{look}.png")
                if painting.exists():
                    there = read(painting)
                    out.append(Painted(look, source[0], there[0], source[1], there[1]))
    return out


@dataclass
class Trainer:
    """What both stages share: the net, its running average, the schedule of noise."""

    codec: BundledCodec
    net: BundledDenoiser
    average: BundledDenoiser
    pairs: list[Painted]
    pictures: list[Tensor]
    rng: np.random.Generator
    alphas: Tensor

    def latents(self, frames: Tensor) -> Tensor:
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            latents: Tensor = self.codec.encode(frames).float()
        return latents

    def crop(self, latents: list[Tensor], size: int) -> list[Tensor]:
        """The same random crop of several latents of one picture."""
        height, width = latents[0].shape[-2:]
        top, left = (int(self.rng.integers(n - size + 1)) for n in (height, width))
        return [x[:, top : top + size, left : left + size].float() for x in latents]

    def style(self, look: str) -> Tensor:
        """A style crop ``(c,STYLE,STYLE)`` of some other painting in a look."""
        of_look = [p for p in self.pairs if p.look == look]
        chosen = of_look[int(self.rng.integers(len(of_look)))]
        return self.crop([chosen.painting_latents], STYLE)[0]

    def painted_batch(self, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Targets, contexts, masks and looks of ``count`` painted crops."""
        chosen = [self.pairs[int(self.rng.integers(len(self.pairs)))] for _ in range(count)]
        crops = [self.crop([p.painting_latents, p.source_latents], SIZE) for p in chosen]
        target, context = (torch.stack(x) for x in zip(*crops, strict=True))
        look = self.net.look(torch.stack([self.style(p.look) for p in chosen]))
        return target, context, torch.ones(count, 1, SIZE, SIZE), look

    def broken_batch(self, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Targets, contexts, masks and the look of footage for ``count`` crops with badly filled holes."""
        frames = random_crops(self.pictures, count, SIZE * 4, self.rng)
        holes = random_holes(count, SIZE * 4, self.rng)
        filled = (
            smooth_fill(frames, holes) if self.rng.random() < 0.7 else ghost_fill(frames, holes, self.rng)
        )
        mask = torch.nn.functional.max_pool2d(holes, 4)
        return self.latents(frames), self.latents(filled), mask, self.net.photo.expand(count, -1)

    def velocity_loss(self, target: Tensor, noise: Tensor, cond: Conditioning, timestep: Tensor) -> Tensor:
        """Mean squared error of the velocity v = sqrt(a) noise - sqrt(1-a) x0 where the picture is to be made."""
        a = self.alphas[timestep].view(-1, 1, 1, 1)
        noisy = a.sqrt() * target + (1 - a).sqrt() * noise
        known = a.sqrt() * cond.context + (1 - a).sqrt() * noise
        noisy = torch.where(cond.mask > 0, noisy, known)
        with torch.autocast("cpu", torch.bfloat16):
            predicted = self.net(noisy, timestep, cond).float()
        wanted = a.sqrt() * noise - (1 - a).sqrt() * target
        weight = cond.mask / cond.mask.mean().clamp_min(0.05)
        loss: Tensor = ((predicted - wanted).square() * weight).mean()
        return loss

    def image_loss(self, painted: int, broken: int) -> Tensor:
        parts = zip(self.painted_batch(painted), self.broken_batch(broken), strict=True)
        target, context, mask, look = (torch.cat(p) for p in parts)
        timestep = torch.randint(0, 1000, (len(target),))
        return self.velocity_loss(
            target, torch.randn_like(target), Conditioning(context, mask, look, {}), timestep
        )

    def motion_loss(self, length: int) -> Tensor:
        """One rendered run, painted or with holes, its noise carried along the known flow."""
        size = SIZE * 4
        pair = self.pairs[int(self.rng.integers(len(self.pairs)))]
        height, width = pair.source.shape[-2:]
        path = random_path(height, width, size, length, self.rng)
        source = render(pair.source.float() / 255, path, size)
        flows = path.pairs(size)
        if self.rng.random() < 0.65:
            target = self.latents(render(pair.painting.float() / 255, path, size))
            context, mask = self.latents(source), torch.ones(length, 1, SIZE, SIZE)
            look = self.net.look(self.style(pair.look)[None])
        else:
            holes = random_holes(length, size, self.rng)
            if self.rng.random() < 0.5:
                holes = holes[:1].expand_as(holes)
            target, context = self.latents(source), self.latents(smooth_fill(source, holes))
            mask = torch.nn.functional.max_pool2d(holes, 4)
            look = self.net.photo
        seed = int(self.rng.integers(1 << 30))
        carried = [first_noise(target.shape[1], SIZE, SIZE, seed, 0)]
        for i, flow in enumerate(flows, start=1):
            carried.append(carry_noise(carried[-1], flow, seed, i))
        paths = {grid: window_paths(flows, *grid) for grid in self.net.grids(SIZE, SIZE)}
        timestep = torch.randint(0, 1000, (1,)).expand(length)
        noise = torch.cat([c.noise for c in carried])
        return self.velocity_loss(target, noise, Conditioning(context, mask, look, paths), timestep)


def train_denoiser(
    data: Path,
    pairs: Path,
    out: Path,
    *,
    minutes: float,
    motion_from: float = 0.7,
    rate: float = 1e-3,
    start: Path | None = None,
    seed: int = 0,
    log: Callable[[str], None] = print,
) -> BundledDenoiser:
    """Train for a wall-clock time; float16 weights go to ``out`` (.safetensors) every three minutes.

    The first ``motion_from`` of the time goes to single frames, the rest to short runs with rendered motion, which
    is where the temporal layers learn. ``rate``: the highest learning rate.
    ``start``: weights to go on from. ``data`` and ``pairs``: the folder of
    footage and what `make_pairs` painted from it.
    """
    torch.manual_seed(seed)
    net = BundledDenoiser()
    if start is not None:
        net.load_state_dict(load_file(start))
    pictures = pictures_in(data, side=768, per_film=12)
    alphas = bundled_scheduler().alphas_cumprod  # type: ignore[attr-defined]
    codec = BundledCodec()
    codec.load_state_dict(load_file(WEIGHTS / "codec.safetensors"))
    codec.requires_grad_(False)
    painted = load_pairs(pairs, codec)
    trainer = Trainer(codec, net, copy.deepcopy(net), painted, pictures, np.random.default_rng(seed), alphas)
    log(f"{len(painted)} paintings, {len(pictures)} pictures")
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=1e-3)
    began = saved = time.monotonic()
    step, recent = 0, 1.0
    while (done := (time.monotonic() - began) / (60 * minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = (
                1e-3 * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
            )
        if done < motion_from:
            loss = trainer.image_loss(painted=9, broken=3)
        else:
            loss = trainer.image_loss(painted=4, broken=1) + trainer.motion_loss(length=6)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        decay = min(0.999, step / (step + 50))
        with torch.no_grad():
            for mean, new in zip(trainer.average.parameters(), net.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
        recent += 0.02 * (loss.item() - recent)
        if step % 100 == 0:
            log(f"step {step}  {(time.monotonic() - began) / 60:.1f} min  loss {recent:.4f}")
        if time.monotonic() - saved > 180:
            save_denoiser(trainer.average, out)
            saved = time.monotonic()
    save_denoiser(trainer.average, out)
    return trainer.average


def save_denoiser(net: BundledDenoiser, out: Path) -> None:
    """Write the weights in float16."""
    save_file({k: v.half().contiguous() for k, v in net.state_dict().items()}, out)
