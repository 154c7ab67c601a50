"""The sampling loop for films: frames to latents, partial noise, windows denoised and fused, latents to frames.

Blocks (see `vedit.diffusion.blocks`) move through the steps like a wave:

    block arrives     n      n+1    n+2         window j at step k needs blocks j and j + 1 at step k;
    step 0            n-1    n      n+1         block j's step k needs windows j - 1 and j.
    step 1            n-2    n-1    n           So only steps + 1 blocks are ever alive, however long the shot.

Of models whose windows know nothing of what came before, a block's last step has seen ``steps`` blocks before it and
no more: an interrupted run that goes on needs only those, and the noise, which is carried from the run's first frame.
With anchors or fusion it needs all of them.
"""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from vedit.diffusion.blocks import Block, Models, Run, start_block, step_block
from vedit.diffusion.engine import Engine
from vedit.diffusion.looks import PHOTO
from vedit.diffusion.noise import CarriedNoise, carry_noise, first_noise
from vedit.diffusion.painter import Painter
from vedit.diffusion.prior import Prior
from vedit.diffusion.schedule import even_timetable
from vedit.errors import EngineError, UsageError
from vedit.temporal.kinds import Temporal

Noise = Literal["carried", "independent"]
"""Noise that follows the flow from frame to frame, or is drawn anew for each."""


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
    """Send a run of frames through the bundled engine; yields one picture ``(3,H,W)`` in [0, 1] per prior, in order.

    Args:
        priors: the frames, lazily.
        engine: the models.
        strength: 0 keeps the picture as it is, 1 starts from pure noise.
        seed: with a frame's absolute index, the source of its noise.
        look: row of the look table (see `vedit.diffusion.looks`).
        temporal: how the frames of a window see each other.
        steps: denoising steps.
        window: frames the temporal layers see at once.
        overlap: frames a window shares with the next.
        wanted: index of the first frame whose picture matters; see `sample`.

    Raises:
        UsageError: a setting is out of range.
    """
    rows = torch.tensor([look], device=engine.device)
    models = Models(
        engine.codec,
        Painter(engine.denoiser, rows, temporal, engine.dtype),
        partial(even_timetable, engine.scheduler, device=engine.device),
        engine.device,
    )
    return sample(
        priors,
        models,
        strength=strength,
        seed=seed,
        steps=steps,
        window=window,
        overlap=overlap,
        wanted=wanted,
    )


@torch.no_grad()
def sample(
    priors: Iterator[Prior],
    models: Models,
    *,
    strength: float,
    seed: int,
    steps: int,
    window: int,
    overlap: int,
    wanted: int = 0,
    noise: Noise = "carried",
) -> Iterator[Tensor]:
    """Send a run of frames through the latent path; yields one picture ``(3,H,W)`` in [0, 1] per prior, in order.

    Args:
        priors: the frames, lazily; about (steps + 2) * (window - overlap) of them are held as latents.
        models: codec, denoiser and schedule.
        strength: 0 keeps the picture as it is, 1 starts from pure noise.
        seed: with a frame's absolute index, the source of its noise.
        steps: denoising steps.
        window: frames the denoiser sees at once.
        overlap: frames a window shares with the next.
        wanted: index of the first frame whose picture matters; those long before it come back as they went in.
        noise: whether noise follows the flow.

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
    timetable = models.timetable(steps, strength)
    if not len(timetable):
        yield from (prior.pixels for prior in priors)
        return
    run = Run(models, timetable, steps, window, overlap, seed)
    remembers = models.anchors or models.fusion
    first = 0 if remembers else wanted - len(timetable) * (window - overlap)
    waiting: list[Block] = []  # waiting[-1] came last and has done no step, waiting[-2] one, and so on
    for block in _blocks(priors, run, noise, first):
        if isinstance(block, list):
            yield from block
            continue
        waiting.append(block)
        yield from _advance(waiting, run, ended=0)
    for ended in range(1, len(timetable) + 1):
        yield from _advance(waiting, run, ended)


def _blocks(priors: Iterator[Prior], run: Run, noise: Noise, first: int) -> Iterator[Block | list[Tensor]]:
    """Encode and noise the frames, ``stride`` at a time; of a block that ends before ``first``, just the pictures."""
    codec, stride = run.models.codec, run.window - run.overlap
    carried: CarriedNoise | None = None
    skipped: list[Tensor] = []
    batch: list[tuple[Prior, CarriedNoise]] = []
    for prior in priors:
        height, width = prior.pixels.shape[-2:]
        grid = (-(-height // codec.scale), -(-width // codec.scale))
        if carried is None or prior.pair is None or noise == "independent":
            carried = first_noise(codec.channels, *grid, run.seed, prior.index)
        else:
            carried = carry_noise(carried, prior.pair, run.seed, prior.index)
        if skipped or (not batch and prior.index + stride <= first):
            skipped.append(prior.pixels)
            if len(skipped) == stride:
                yield skipped
                skipped = []
            continue
        batch.append((prior, carried))
        if len(batch) == stride:
            yield _start(batch, run)
            batch = []
    if skipped:
        yield skipped
    if batch:
        yield _start(batch, run)


def _start(batch: list[tuple[Prior, CarriedNoise]], run: Run) -> Block:
    frames = [prior for prior, _ in batch]
    noise = [carried.noise if prior.noise is None else prior.noise for prior, carried in batch]
    return start_block(frames, torch.cat(noise), torch.cat([c.remainder for _, c in batch]), run)


def _advance(waiting: list[Block], run: Run, ended: int) -> Iterator[Tensor]:
    """Move every block that can one step on; ``ended`` counts the rounds since the last block came.

    Yields the pictures of the block that has then done its last step.
    """
    count = len(run.timetable)
    newest = len(waiting) - 1 + ended  # the block that would be newest if blocks went on coming
    for number in range(count):
        current = newest - 1 - number
        if 0 <= current < len(waiting):
            following = waiting[current + 1] if current + 1 < len(waiting) else None
            step_block(waiting[current], following, number, run)
    if newest - count >= 0 and waiting:
        yield from pictures_of(waiting.pop(0), run.models)


def pictures_of(block: Block, models: Models) -> Iterator[Tensor]:
    """Decode a block that has done its last step: pictures ``(3,H,W)`` on their frames' own device.

    Raises:
        EngineError: numbers overflowed on the way.
    """
    for frame, picture in zip(
        block.now.frames, models.codec.decode(block.now.latents, *block.size), strict=True
    ):
        made = picture.to(block.home)
        if not bool(made.isfinite().all()):
            raise EngineError(
                f"frame {frame.index} came out as no picture, because numbers overflowed",
                "Give less guidance, a LoRA less weight, or a pretrained engine + weights=fp32.",
            )
        yield made
