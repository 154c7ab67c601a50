"""The sampling loop: frames to latents, partial noise, windows denoised and fused, latents to frames.

A shot is cut into blocks of ``stride`` frames on a fixed grid from its first frame. Window j is block j and the first
``overlap`` frames of block j + 1. Where two windows predict the same frame, their predictions are averaged and the
frame is stepped once, so windows join without re-encoding and every frame runs the same schedule (the fusion of
Bar-Tal et al., "MultiDiffusion", ICML 2023, along time). Blocks move through the steps like a wave:

    block arrives     n      n+1    n+2         window j at step k needs blocks j and j + 1 at step k;
    step 0            n-1    n      n+1         block j's step k needs windows j - 1 and j.
    step 1            n-2    n-1    n           So only steps + 1 blocks are ever alive, however long the shot.

A block's last step has seen ``steps`` blocks before it and no more: an interrupted run that goes on needs only those,
and the noise, which is carried from the run's first frame.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.denoiser import Conditioning
from vedit.diffusion.engine import Engine
from vedit.diffusion.looks import PHOTO
from vedit.diffusion.noise import CarriedNoise, carry_noise, first_noise
from vedit.diffusion.prior import Prior
from vedit.diffusion.schedule import Scheduler, partial_timesteps
from vedit.errors import UsageError
from vedit.flow.pairs import PairFlow, shrink
from vedit.flow.paths import Paths, window_paths
from vedit.temporal.kinds import Temporal

SURROUNDINGS = 16
"""Latents around what is to be made that the denoiser is shown; further away it looks at nothing."""


@dataclass(frozen=True)
class _Setup:
    """What stays the same for all windows of a run."""

    engine: Engine
    look: Tensor
    temporal: Temporal
    overlap: int


@dataclass(eq=False)
class _Block:
    """``stride`` frames on their way through the steps (the last block of a shot may be shorter)."""

    pixels: list[Tensor]
    known: Tensor
    mask: Tensor
    noise: Tensor
    drift: Tensor
    pairs: list[PairFlow | None]
    scheduler: Scheduler
    latents: Tensor
    paths: dict[tuple[int, int], Paths] = field(default_factory=dict)
    handed_over: Tensor | None = None
    """What the previous window predicted for this block's first frames at the step now due."""


@torch.no_grad()
def denoise(
    priors: Iterator[Prior],
    engine: Engine,
    *,
    strength: float,
    seed: int,
    look: int = PHOTO,
    temporal: Temporal = "attention",
    steps: int = 4,
    window: int = 10,
    overlap: int = 2,
    wanted: int = 0,
) -> Iterator[Tensor]:
    """Send a run of frames through the latent path; yields one picture ``(3,H,W)`` in [0, 1] per prior, in order.

    Args:
        priors: the frames, lazily; about (steps + 2) * (window - overlap) of them are held as latents.
        engine: the models.
        strength: 0 keeps the picture as it is, 1 starts from pure noise.
        seed: with a frame's absolute index, the source of its noise.
        look: row of the look table (see `vedit.diffusion.looks`).
        temporal: how the frames of a window see each other.
        steps: denoising steps.
        window: frames the temporal layers see at once.
        overlap: frames a window shares with the next.
        wanted: index of the first frame whose picture matters; those long before it come back as they went in.

    Where a prior's mask is 0 the latents are held to the source's at every step. Compositing in pixels is the
    caller's: out * mask + pixels * (1 - mask).

    Raises:
        UsageError: a setting is out of range.
    """
    if not 0 <= strength <= 1:
        raise UsageError(
            f"strength is {strength}", "Give a number from 0 (keep the picture) to 1 (start from noise)."
        )
    if steps < 1:
        raise UsageError(f"steps is {steps}", "Give at least 1; 4 is a good start.")
    timesteps = partial_timesteps(steps, strength)
    if not timesteps:
        yield from (prior.pixels for prior in priors)
        return
    setup = _Setup(engine, torch.tensor([look], device=engine.device), temporal, overlap)
    waiting: list[_Block] = []  # waiting[-1] came last and has done no step, waiting[-2] one, and so on
    first = wanted - len(timesteps) * (window - overlap)
    for block in _blocks(priors, engine, timesteps, seed, window - overlap, first):
        if isinstance(block, list):
            yield from block
            continue
        waiting.append(block)
        yield from _advance(waiting, timesteps, setup, ended=0)
    for ended in range(1, len(timesteps) + 1):
        yield from _advance(waiting, timesteps, setup, ended)


def _blocks(
    priors: Iterator[Prior], engine: Engine, timesteps: list[int], seed: int, stride: int, first: int
) -> Iterator[_Block | list[Tensor]]:
    """Encode and noise the frames, ``stride`` at a time; of a block that ends before ``first``, just the pictures."""
    scale = engine.codec.scale
    carried: CarriedNoise | None = None
    skipped: list[Tensor] = []
    batch: list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor, PairFlow | None]] = []
    for prior in priors:
        height, width = prior.pixels.shape[-2:]
        grid = (-(-height // scale), -(-width // scale))
        if carried is None or prior.pair is None:
            carried = first_noise(engine.codec.channels, *grid, seed, prior.index)
        else:
            carried = carry_noise(carried, prior.pair, seed, prior.index)
        if skipped or (not batch and prior.index + stride <= first):
            skipped.append(prior.pixels)
            if len(skipped) == stride:
                yield skipped
                skipped = []
            continue
        latents = engine.codec.encode(prior.pixels[None].to(engine.device))
        mask = torch.ones(1, 1, *grid) if prior.mask is None else _latent_mask(prior.mask, scale)
        pair = None if prior.pair is None else shrink(prior.pair, *grid)
        mask, noise, drift = (t.to(latents) for t in (mask, carried.noise, carried.remainder))
        batch.append((prior.pixels, latents, mask, noise, drift, pair))
        if len(batch) == stride:
            yield _start(batch, engine, timesteps)
            batch = []
    if skipped:
        yield skipped
    if batch:
        yield _start(batch, engine, timesteps)


def _start(
    batch: list[tuple[Tensor, Tensor, Tensor, Tensor, Tensor, PairFlow | None]],
    engine: Engine,
    timesteps: list[int],
) -> _Block:
    scheduler = copy.deepcopy(engine.scheduler)  # solvers count their steps: each block needs its own
    scheduler.set_timesteps(timesteps=timesteps, device=engine.device)
    pixels, latents, masks, noises, drifts, pairs = zip(*batch, strict=True)
    known, noise = torch.cat(latents), torch.cat(noises)
    start = scheduler.timesteps[:1].expand(len(batch))
    noisy = scheduler.add_noise(known, noise, start)
    return _Block(
        list(pixels), known, torch.cat(masks), noise, torch.cat(drifts), list(pairs), scheduler, noisy
    )


def _advance(waiting: list[_Block], timesteps: list[int], setup: _Setup, ended: int) -> Iterator[Tensor]:
    """Move every block that can one step on; ``ended`` counts the rounds since the last block came.

    Yields the pictures of the block that has then done its last step.
    """
    newest = len(waiting) - 1 + ended  # the block that would be newest if blocks went on coming
    for step in range(len(timesteps)):
        current = newest - 1 - step
        if 0 <= current < len(waiting):
            following = waiting[current + 1] if current + 1 < len(waiting) else None
            _step(waiting[current], following, step, setup)
    if newest - len(timesteps) >= 0 and waiting:
        block = waiting.pop(0)
        height, width = block.pixels[0].shape[-2:]
        for pixels, latents in zip(block.pixels, block.latents, strict=True):
            yield setup.engine.codec.decode(latents[None], height, width)[0].to(pixels.device)


def _step(block: _Block, following: _Block | None, step: int, setup: _Setup) -> None:
    """Predict one window, fuse with what the previous window said, and step the block once."""
    engine, overlap = setup.engine, setup.overlap
    timestep = block.scheduler.timesteps[step]
    count = len(block.latents)
    shared = [] if following is None else [following]
    mask = torch.cat([block.mask, *(f.mask[:overlap] for f in shared)])
    sample = torch.cat([block.latents, *(f.latents[:overlap] for f in shared)])
    predicted = torch.zeros_like(sample)  # where nothing is to be made the clamp below keeps every latent
    box = _box(mask)
    if box is not None:
        if not block.paths:
            pairs = block.pairs[1:] + [p for f in shared for p in f.pairs[:overlap]]
            block.paths = _paths(pairs, box, engine)
        known = torch.cat([block.known, *(f.known[:overlap] for f in shared)])
        drift = torch.cat([block.drift, *(f.drift[:overlap] for f in shared)])
        context, where, off = (t[box].to(engine.dtype) for t in (known, mask, drift))
        cond = Conditioning(context, where, off, setup.look, block.paths, setup.temporal)
        scaled = block.scheduler.scale_model_input(sample, timestep)[box]
        predicted[box] = engine.denoiser(scaled.to(engine.dtype), timestep, cond).to(sample.dtype)
    own = predicted[:count]
    if block.handed_over is not None:
        said = block.handed_over
        ramp = torch.arange(1, len(said) + 1, device=said.device).view(-1, 1, 1, 1) / (len(said) + 1)
        own = torch.cat([said * (1 - ramp) + own[: len(said)] * ramp, own[len(said) :]])
    block.handed_over = None
    if following is not None:
        following.handed_over = predicted[count:] if len(predicted) > count else None
    stepped: Tensor = block.scheduler.step(own, timestep, block.latents).prev_sample
    if step + 1 < len(block.scheduler.timesteps):
        at = block.scheduler.timesteps[step + 1 : step + 2].expand(count)
        held = block.scheduler.add_noise(block.known, block.noise, at)
    else:
        held = block.known
    block.latents = torch.where(block.mask > 0, stepped, held)


def _latent_mask(mask: Tensor, scale: int) -> Tensor:
    """A pixel mask ``(1,H,W)`` on the latent grid: 1 where any pixel of the cell is to be made."""
    height, width = mask.shape[-2:]
    padded = F.pad(mask[None], (0, -width % scale, 0, -height % scale))
    return F.max_pool2d((padded > 0).float(), scale)


def _box(mask: Tensor) -> tuple[slice, ...] | None:
    """The part of a window's latents ``(F,1,h,w)`` worth working on: what is to be made, and what lies around it."""
    rows, columns = (mask.amax((0, 1, other)).nonzero().flatten().tolist() for other in (3, 2))
    if not rows:
        return None
    height, width = mask.shape[-2:]

    def widened(places: list[int], size: int) -> slice:
        return slice(max(0, places[0] - SURROUNDINGS), min(size, places[-1] + 1 + SURROUNDINGS))

    return slice(None), slice(None), widened(rows, height), widened(columns, width)


def _paths(
    pairs: list[PairFlow | None], box: tuple[slice, ...], engine: Engine
) -> dict[tuple[int, int], Paths]:
    """The window's paths at every grid the denoiser asks for; none where a pair is missing."""
    whole = [] if None in pairs else [p for p in pairs if p is not None]
    cut = [
        PairFlow(*(t[box].to(engine.device) for t in (p.flow_fw, p.flow_bw, p.occlusion_fw, p.occlusion_bw)))
        for p in whole
    ]
    height, width = (d.stop - d.start for d in box[2:])
    return {grid: window_paths(cut, *grid) for grid in engine.denoiser.grids(height, width)}
