"""Blocks of frames on their way through the steps, and the one step that moves a block on.

A shot is cut into blocks of ``stride`` frames on a fixed grid from its first frame. Window j is block j and the first
``overlap`` frames of block j + 1. Where two windows predict the same frame, their predictions are averaged and the
frame is stepped once, so windows join without re-encoding and every frame runs the same schedule (the fusion of
Bar-Tal et al., "MultiDiffusion", ICML 2023, along time). So block j's step k needs windows j - 1 and j at step k, and
window j needs blocks j and j + 1 at step k: `vedit.diffusion.denoise` sends them through like a wave,
`vedit.diffusion.video_to_video` all together.
"""

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.denoiser import Denoiser, Step, Window, joined
from vedit.diffusion.fusion import settled
from vedit.diffusion.prior import Prior
from vedit.diffusion.schedule import Scheduler, Timetable, taken
from vedit.flow.pairs import shrink
from vedit.latents.codec import Codec


@dataclass(frozen=True, eq=False)
class Models:
    """What a run works with.

    ``timetable`` makes the steps for a number of steps and a strength. ``anchors``: every window also sees the run's
    first frame and the last one before the window. ``fusion``: at the noisy half of the steps each clean estimate is
    drawn to the one before it, moved along the flow.
    """

    codec: Codec
    denoiser: Denoiser
    timetable: Callable[[int, float], Timetable]
    device: torch.device
    anchors: bool = False
    fusion: bool = False


@dataclass(eq=False)
class Run:
    """What all blocks of a run share; ``first`` holds the run's first frame at every step's level, for anchors."""

    models: Models
    timetable: Timetable
    steps: int
    window: int
    overlap: int
    seed: int
    generator: torch.Generator | None = None
    first: dict[int, Window] = field(default_factory=dict)


@dataclass(eq=False)
class Block:
    """``stride`` frames at some step (the last block of a shot may be shorter); their pixels are let go.

    ``size`` and ``home``: their height and width, and the device they came from.
    ``held`` ``(F,)``: the step up to which each frame stays with its source (strengths may differ).
    """

    now: Window
    known: Tensor
    noise: Tensor
    held: Tensor
    scheduler: Scheduler
    size: tuple[int, int]
    home: torch.device
    memo: dict[str, Any] = field(default_factory=dict)
    handed_over: Tensor | None = None
    """What the previous window predicted for this block's first frames at the step now due."""
    behind: Window | None = None
    """The block before this one, as it was at the step now due."""
    settled: Tensor | None = None
    """The clean estimate of the last frame before this block at the step now due."""

    def __len__(self) -> int:
        return len(self.now)


def start_block(frames: Sequence[Prior], noise: Tensor, drift: Tensor, run: Run) -> Block:
    """Encode frames and noise them to the first step's level.

    Args:
        frames: the block's, all of one size.
        noise: ``(F,c,h,w)``, white.
        drift: ``(F,2,h,w)``, see `Window`.
        run: the run they belong to.
    """
    models, timetable = run.models, run.timetable
    codec = models.codec
    if all(frame.latents is not None for frame in frames):
        known = torch.cat([frame.latents for frame in frames if frame.latents is not None]).to(models.device)
    else:
        known = codec.encode(torch.stack([frame.pixels for frame in frames]).to(models.device)).float()
    grid = (known.shape[-2], known.shape[-1])
    masks = [
        torch.ones(1, 1, *grid) if frame.mask is None else latent_mask(frame.mask, codec.scale)
        for frame in frames
    ]
    mask, noise, drift = (t.to(known) for t in (torch.cat(masks), noise, drift))
    context = _blanked(frames, codec, models.device) if models.denoiser.hides else known
    pairs = tuple(None if f.pair is None else shrink(f.pair, *grid) for f in frames)
    level = timetable.levels[0]
    latents = level.signal * known + level.noise * noise
    held = torch.tensor([_held(frame.strength, run) for frame in frames])
    pixels = frames[0].pixels
    told = tuple(replace(frame, pixels=frame.pixels.new_empty(3, 0, 0)) for frame in frames)
    now = Window(told, latents, context, mask, drift, pairs)
    # Solvers count their steps: each block needs its own.
    scheduler = copy.deepcopy(timetable.scheduler)
    size = (pixels.shape[-2], pixels.shape[-1])
    return Block(now, known, noise, held.to(models.device), scheduler, size, pixels.device)


def step_block(block: Block, following: Block | None, number: int, run: Run) -> None:
    """Predict one window, fuse with what the previous window said, and step the block once."""
    timetable, count = run.timetable, len(block)
    ahead = [] if following is None else [following.now[: run.overlap]]
    if number not in run.first:
        run.first[number] = block.now[:1]
    if block.handed_over is not None and len(block.handed_over) == count and not ahead:
        own = block.handed_over  # the previous window saw the whole of it
        block.scheduler.scale_model_input(block.now.latents, timetable.timesteps[number])  # some insist on it
    else:
        before = [] if ahead else _filling(block, run)
        window = joined([*before, block.now, *ahead])
        predicted = _predict(window, block, number, run, anchors=_anchors(block, number, run, before))
        own = predicted[sum(map(len, before)) :]
        if following is not None:
            following.handed_over = own[count:]
        own = own[:count]
        if block.handed_over is not None:
            own = _cross_faded(block.handed_over, own)
    block.handed_over = None
    level = timetable.levels[number]
    if run.models.fusion and number < len(timetable) / 2:
        clean = level.x0(own, block.now.latents, timetable.prediction)
        clean = settled(clean, block.settled, block.now.pairs)
        own = level.output(clean, block.now.latents, timetable.prediction)
        if following is not None:
            following.settled = clean[-1:]
    if following is not None:
        following.behind = block.now
    stepped = _stepped(block, own, number, run)
    after = timetable.levels[number + 1]
    kept = after.signal * block.known + after.noise * block.noise
    free = (block.now.mask > 0) & (number + 1 > block.held).view(-1, 1, 1, 1)
    block.now = block.now.at(torch.where(free, stepped, kept))


def _held(strength: float | None, run: Run) -> int:
    """How many of a run's steps a frame of this strength stays with its source."""
    if strength is None:
        return 0
    timetable, own = run.timetable, taken(run.steps, strength)
    if not own:
        return len(timetable)
    scheduler = timetable.scheduler
    passed = len(scheduler.timesteps) - len(timetable)  # of all, by the run itself
    return max(0, (run.steps - own) * int(getattr(scheduler, "order", 1)) - passed)


def latent_mask(mask: Tensor, scale: int) -> Tensor:
    """A pixel mask ``(1,H,W)`` on the latent grid: 1 where any pixel of the cell is to be made."""
    height, width = mask.shape[-2:]
    padded = F.pad(mask[None], (0, -width % scale, 0, -height % scale))
    return F.max_pool2d((padded > 0).float(), scale)


def _predict(window: Window, block: Block, number: int, run: Run, anchors: Window | None) -> Tensor:
    timestep = run.timetable.timesteps[number]
    scaled = block.scheduler.scale_model_input(window.latents, timestep)
    if anchors is not None:
        anchors = anchors.at(block.scheduler.scale_model_input(anchors.latents, timestep))
    step = Step(number, len(run.timetable), anchors, block.memo)
    return run.models.denoiser(scaled, timestep, window, step)


def _filling(block: Block, run: Run) -> list[Window]:
    """Frames before a short last block that make its window a whole one."""
    room = min(run.window - len(block), 0 if block.behind is None else len(block.behind))
    if not run.models.denoiser.full_windows or room <= 0 or block.behind is None:
        return []
    return [block.behind[len(block.behind) - room :]]


def _anchors(block: Block, number: int, run: Run, before: list[Window]) -> Window | None:
    if not run.models.anchors:
        return None
    first = run.first[number]
    if block.behind is None or before:
        return first
    return joined([first, block.behind[-1:]])


def _cross_faded(said: Tensor, own: Tensor) -> Tensor:
    """From the previous window's prediction over to this one's, along the frames that both saw."""
    ramp = torch.arange(1, len(said) + 1, device=said.device).view(-1, 1, 1, 1) / (len(said) + 1)
    return torch.cat([said * (1 - ramp) + own[: len(said)] * ramp, own[len(said) :]])


def _stepped(block: Block, output: Tensor, number: int, run: Run) -> Tensor:
    """One step of the block's own scheduler, with noise, if it draws any, that belongs to this block and step."""
    timestep = run.timetable.timesteps[number]
    extra: dict[str, Any] = {}
    if "generator" in inspect.signature(block.scheduler.step).parameters:
        extra["generator"] = run.generator or _step_noise(run.seed, block.now.frames[0].index, number)

    def as_video(x: Tensor) -> Tensor:  # (F,c,h,w) to (1,c,F,h,w): the shape that diffusers draws noise in
        return x.transpose(0, 1)[None]

    after = block.scheduler.step(as_video(output), timestep, as_video(block.now.latents), **extra).prev_sample
    stepped: Tensor = after[0].transpose(0, 1)
    return stepped


def _step_noise(seed: int, index: int, number: int) -> torch.Generator:
    return torch.Generator().manual_seed((seed * 1_000_003 + index * 7919 + (number + 1) * 104_729) % 2**63)


def _blanked(frames: Sequence[Prior], codec: Codec, device: torch.device) -> Tensor:
    """Latents of the frames with what is to be made greyed out (diffusers' inpainting: ``masked_image``)."""
    hidden = [
        torch.full_like(f.pixels, 0.5) if f.mask is None else torch.where(f.mask > 0, 0.5, f.pixels)
        for f in frames
    ]
    return codec.encode(torch.stack(hidden).to(device)).float()
