"""What the denoiser is shown: paintings, broken pictures, and runs of frames with known motion."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.device import mixed_precision
from vedit.diffusion.conditioning import Conditioning
from vedit.diffusion.engine import WEIGHTS
from vedit.diffusion.looks import LOOKS, PHOTO, look_row
from vedit.diffusion.noise import CarriedNoise, carry_noise
from vedit.errors import InputError
from vedit.flow.paths import window_paths
from vedit.latents.bundled import CHANNELS, BundledCodec
from vedit.pictures import read_picture
from vedit.temporal.kinds import Temporal
from vedit.train.data import pictures_in, random_crops
from vedit.train.holes import ghost_fill, random_holes, smooth_fill
from vedit.train.motion import random_path, render
from vedit.train.painters.chance import CELL, Chance
from vedit.train.pairs import chance_seed
from vedit.weight_files import read_weights

SIZE = 32
"""Latents per side of a training crop: 128 pixels."""
GRAIN = 0.015
"""Film grain put over a source now and then, deviation: its flicker must not show in the painting."""


@dataclass(frozen=True, eq=False)
class Painted:
    """A picture and its painting, uint8 ``(3,H,W)``, and the noise ``(8,h,w)`` that the painter read.

    No noise: the painter, a person say, read none, and whatever noise comes means nothing.
    """

    look: int
    source: Tensor
    painting: Tensor
    noise: Tensor | None


@dataclass(frozen=True, eq=False)
class Batch:
    """Clean latents that the net should find ``(N,c,h,w)``, the noise over them, and what it is told."""

    target: Tensor
    noise: Tensor
    cond: Conditioning


def load_pairs(folder: Path) -> list[Painted]:
    """Every painting of a folder written by `make_pairs`, but for those smaller than a training crop.

    Raises:
        InputError: there is none.
    """
    out = []
    for path in sorted(folder.glob("*.png")):
        if path.name.count(".") == 1:
            source = read_picture(path)
            height, width = source.shape[-2:]
            for look in LOOKS if min(height, width) >= SIZE * CELL else ():
                there = path.with_suffix(f".{look}.png")
                if there.exists():
                    noise = Chance.seeded(height, width, chance_seed(there.name)).noise
                    out.append(Painted(look_row(look), source, read_picture(there), torch.from_numpy(noise)))
    if not out:
        raise InputError(
            f"there are no paintings of {SIZE * CELL} pixels a side in {folder}",
            "Make them of larger footage: `vedit train pairs`.",
        )
    return out


def batches_of(data: Path, pairs: Path, device: torch.device) -> "Batches":
    """Batches from footage and what `make_pairs` painted from it, in the latents of the installed codec.

    Raises:
        InputError: there is no footage, or no pairs.
    """
    codec = BundledCodec()
    codec.load_state_dict(read_weights(WEIGHTS / "codec.safetensors"))
    codec.requires_grad_(False)
    return Batches(codec.to(device), load_pairs(pairs), pictures_in(data, side=768, per_film=12), device)


@dataclass(frozen=True, eq=False)
class Batches:
    """Random batches from pairs (which may be none) and pictures, in the latents of a codec."""

    codec: BundledCodec
    pairs: list[Painted]
    pictures: list[Tensor]
    device: torch.device

    def latents(self, frames: Tensor) -> Tensor:
        with torch.no_grad(), mixed_precision(self.device):
            latents: Tensor = self.codec.encode(frames.to(self.device)).float()
        return latents

    def painted(self, count: int, rng: np.random.Generator) -> Batch:
        """Crops of paintings at any pixel, with the cells of noise that lie nearest and how far off they are."""
        side = SIZE * CELL
        sources, paintings, noises, drifts, rows = [], [], [], [], []
        for _ in range(count):
            pair = self.pairs[int(rng.integers(len(self.pairs)))]
            height, width = pair.source.shape[-2:]
            top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
            here = (slice(None), slice(top, top + side), slice(left, left + side))
            sources.append(_grainy(pair.source[here].float()[None] / 255, rng)[0])
            paintings.append(pair.painting[here].float() / 255)
            carried = _noise_at(pair.noise, top, left, rng)
            noises.append(carried.noise)
            drifts.append(carried.remainder)
            rows.append(pair.look)
        latents = self.latents(torch.stack(paintings + sources))
        target, context = latents[:count], latents[count:]
        mask = torch.ones_like(context[:, :1])
        drift = torch.cat(drifts).to(self.device)
        look = torch.tensor(rows, device=self.device)
        return Batch(target, torch.cat(noises).to(self.device), Conditioning(context, mask, drift, look, {}))

    def broken(self, count: int, rng: np.random.Generator) -> Batch:
        """Crops of footage with badly filled holes."""
        frames = random_crops(self.pictures, count, SIZE * CELL, rng)
        holes = random_holes(count, SIZE * CELL, rng)
        filled = smooth_fill(frames, holes) if rng.random() < 0.7 else ghost_fill(frames, holes, rng)
        mask = F.max_pool2d(holes, CELL).to(self.device)
        target = self.latents(frames)
        noise = _white(target, rng)
        look = torch.full((count,), PHOTO, device=self.device)
        cond = Conditioning(self.latents(filled), mask, torch.zeros_like(target[:, :2]), look, {})
        return Batch(target, noise, cond)

    def moving(
        self,
        length: int,
        kind: Temporal,
        grids: list[tuple[int, int]],
        rng: np.random.Generator,
        painted: float = 0.75,
    ) -> Batch:
        """One run of frames along a rendered camera path, its noise carried along the flow.

        ``kind`` of temporal layers sees its paths on ``grids``; it is painted with the probability ``painted``, and
        otherwise has holes.
        """
        side = SIZE * CELL
        pair = self.pairs[int(rng.integers(len(self.pairs)))]
        height, width = pair.source.shape[-2:]
        path = random_path(height, width, side, length, rng)
        source = render(pair.source.float() / 255, path, side)
        flows = path.pairs(side)
        # At the path's first frame the picture is only shifted.
        left, top = path.maps[0][:, 2].tolist()
        if rng.random() < painted:
            target = self.latents(render(pair.painting.float() / 255, path, side))
            context, mask = self.latents(_grainy(source, rng)), torch.ones(length, 1, SIZE, SIZE)
            row = pair.look
            carried = [_noise_at(pair.noise, top, left, rng)]
        else:
            holes = random_holes(length, side, rng)
            if rng.random() < 0.5:
                holes = holes[:1].expand_as(holes)
            target, context = self.latents(source), self.latents(smooth_fill(source, holes))
            mask = F.max_pool2d(holes, CELL)
            row = PHOTO
            carried = [_noise_at(None, top, left, rng)]
        seed = int(rng.integers(1 << 30))
        for i, flow in enumerate(flows, start=1):
            carried.append(carry_noise(carried[-1], flow, seed, i))
        paths = {grid: window_paths(flows, *grid) for grid in grids}
        noise = torch.cat([c.noise for c in carried]).to(self.device)
        drift = torch.cat([c.remainder for c in carried]).to(self.device)
        look = torch.tensor([row], device=self.device)
        cond = Conditioning(context, mask.to(self.device), drift, look, paths, kind)
        return Batch(target, noise, cond)


def _noise_at(noise: Tensor | None, top: float, left: float, rng: np.random.Generator) -> CarriedNoise:
    """The cells of a picture's noise nearest to those of a crop, and how far they are off; or any noise."""
    if noise is None:
        fresh = rng.standard_normal((1, CHANNELS, SIZE, SIZE), dtype=np.float32)
        return CarriedNoise(torch.from_numpy(fresh), torch.zeros(1, 2, SIZE, SIZE))
    row, column = (int(np.floor(x / CELL + 0.5)) for x in (top, left))
    rows, columns = noise.shape[-2:]
    y = torch.arange(row, row + SIZE).clamp(0, rows - 1)
    x = torch.arange(column, column + SIZE).clamp(0, columns - 1)
    off = torch.tensor([column - left / CELL, row - top / CELL]).view(1, 2, 1, 1)
    return CarriedNoise(noise[:, y][:, :, x][None], off.expand(1, 2, SIZE, SIZE).clone())


def _white(like: Tensor, rng: np.random.Generator) -> Tensor:
    return torch.from_numpy(rng.standard_normal(like.shape, dtype=np.float32)).to(like.device)


def _grainy(frames: Tensor, rng: np.random.Generator) -> Tensor:
    """Frames, half of the time with grain that is new in each."""
    if rng.random() < 0.5:
        return frames
    grain = torch.from_numpy(rng.standard_normal(frames.shape, dtype=np.float32))
    return (frames + GRAIN * grain).clamp(0, 1)
