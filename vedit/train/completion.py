"""Train the completion net: first on single pictures with holes, then also on runs with the evidence about theirs."""

from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from vedit.completion.carry import carry
from vedit.completion.evidence import FACTS
from vedit.completion.net import CompletionNet, assembled, mixed
from vedit.device import mixed_precision, pick_device
from vedit.flow.complete import harmonic
from vedit.train.data import film_runs, pictures_in
from vedit.train.holes import marks
from vedit.train.loop import begin_from, train
from vedit.train.scenes import CELL, HEIGHT, LENGTH, WIDTH, Scene, SceneMakers

SIDE = 256
"""Pixels of a single picture's crop."""
STEPS = 4
"""Frames of a run that follow each other in a step."""
GOOD = 3e-4
"""Mean squared error of a hole (35 dB) from which on it is little use to get nearer."""
STEADY = 0.25
"""Weight of the error in how a hole changes from frame to frame."""
DRAWN = 1024
"""Holes for single pictures that are kept, new ones for old."""
PHOTOS = 64
"""Pictures that scenes pan over."""
FEW, MANY = 24, 256
"""Scenes that have to be there before runs are learned from; and that are kept, new ones for old."""


def completion_loss(
    net: CompletionNet, scenes: list[tuple[Tensor, Tensor, Tensor, Tensor]], device: torch.device
) -> Tensor:
    """Error of completed runs, each frame seeing the one before as the net completed it.

    Of each hole the logarithm of its mean squared error, which is its PSNR: every hole counts alike, the simple one and
    the one that nobody can guess.

    ``scenes``: for each frame of the run truth ``(N, 3, H, W)``, mask, found ``(N, 14, H, W)``, and motion back.
    """
    total = torch.zeros((), device=device)
    before: Tensor | None = None
    error_before: Tensor | None = None
    for truth, mask, found, back in scenes:
        picture = harmonic(truth * (1 - mask), mask)
        half = 3 + FACTS
        ahead, behind = (
            torch.cat([torch.where(f[:, 3:4] > 0, f[:, :3], picture), f[:, 3:]], 1)
            for f in (found[:, :half], found[:, half:])
        )
        if before is None:
            carried = torch.zeros_like(truth[:, :1]).expand(-1, 4, -1, -1)
        else:
            carried = torch.cat(carry(before, back, CELL), 1)
        seen = assembled(picture, mask, ahead, behind, carried)
        with mixed_precision(device):
            answer = net(seen)
        out = mixed(seen, answer)[0]
        error = (out - truth) * mask
        total = total + _measured(error, mask)
        if error_before is not None:
            total = total + STEADY * _measured((error - error_before) * mask, mask)
        error_before = error.detach()
        before = torch.where(mask > 0, out.detach().clamp(0, 1), truth)
    return total / len(scenes)


def _measured(error: Tensor, mask: Tensor) -> Tensor:
    """The logarithm of the mean squared error under each mask, 0 without error, in the mean."""
    squares = error.square().sum((1, 2, 3)) / (3 * mask.sum((1, 2, 3)).clamp_min(1))
    return torch.log1p(squares / GOOD).mean()


def single_pictures(pictures: list[Tensor], count: int, rng: np.random.Generator) -> Iterator[Tensor]:
    """Random crops ``(3, SIDE, SIDE)`` in [0, 1]: any place, scale, direction, light and order of colours."""
    for _ in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        height, width = picture.shape[-2:]
        side = int(min(height, width, SIDE * rng.uniform(0.75, 2)))
        top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
        crop = picture[:, top : top + side, left : left + side].float()[None] / 255
        crop = F.interpolate(crop, size=(SIDE, SIDE), mode="area" if side > SIDE else "bilinear")[0]
        if rng.random() < 0.5:
            crop = crop.flip(-1)
        if rng.random() < 0.2:
            crop = crop.transpose(-1, -2)
        if rng.random() < 0.3:
            crop = crop[torch.from_numpy(rng.permutation(3)).to(crop.device)]
        yield (crop * float(rng.uniform(0.7, 1.1))).clamp(0, 1) ** float(rng.uniform(0.8, 1.25))


def train_completion(
    data: Path,
    out: Path,
    *,
    minutes: float,
    batch: int = 48,
    workers: int = 2,
    start: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> CompletionNet:
    """Train for a wall-clock time; every three minutes float16 weights go to ``out``.

    Args:
        data: footage and photographs.
        out: the weights, .safetensors; ``OUT.state`` beside it lets an interrupted training go on.
        minutes: of training.
        batch: pictures in a step.
        workers: processes that make scenes all the while.
        start: weights to begin from.
        seed: of every random choice. Which scenes are there in time for a step is left to chance.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: there is no footage, or the state or ``start`` is of another net.
    """
    pictures, films = pictures_in(data, side=960, per_film=40), list(film_runs(data, side=640, count=100))
    return train_on(
        pictures,
        films,
        out,
        minutes=minutes,
        batch=batch,
        workers=workers,
        start=start,
        seed=seed,
        device=device,
        resume=resume,
        log=log,
    )


def train_on(
    pictures: list[Tensor],
    films: list[Tensor],
    out: Path,
    *,
    minutes: float,
    batch: int,
    workers: int,
    start: Path | None,
    seed: int,
    device: str,
    resume: bool,
    log: Callable[[str], None],
) -> CompletionNet:
    """`train_completion` on footage that is already read: pictures ``(3, H, W)``, films ``(F, 3, H, W)``, uint8."""
    torch.manual_seed(seed)
    on = pick_device(device)
    net = CompletionNet()
    if start is not None:
        begin_from(net, start)
    net.to(on, memory_format=torch.channels_last)  # type: ignore[call-overload]
    there = [p.to(on) for p in pictures]
    log(f"{len(pictures)} pictures, {len(films)} runs of film")
    scenes: list[Scene] = []
    drawn: deque[Tensor] = deque(maxlen=DRAWN)

    def run(rng: np.random.Generator) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        chosen = [scenes[int(i)] for i in rng.integers(len(scenes), size=max(1, batch // 3))]
        first = [int(i) for i in rng.integers(LENGTH - STEPS + 1, size=len(chosen))]
        frames = []
        for k in range(STEPS):
            parts = [
                torch.stack([getattr(s, name)[i + k] for s, i in zip(chosen, first, strict=True)]).to(on)
                for name in ("truth", "mask", "found", "back")
            ]
            truth, mask, found, back = (p.float() for p in parts)
            frames.append((truth / 255, mask, found / 255, back))
        return frames

    def loss(net: CompletionNet, step: int, done: float) -> Tensor:
        rng = np.random.default_rng((seed, step))
        if (new := makers.new()) is not None:
            if len(scenes) < MANY:
                scenes.append(new)
            else:
                scenes[int(rng.integers(MANY))] = new
        if len(scenes) >= FEW and rng.random() < 0.5:
            return completion_loss(net, run(rng), on)
        truth = torch.stack(list(single_pictures(there, batch, rng)))
        for _ in range(max(1, batch // 4)):  # drawing takes longer than learning: most are met several times
            drawn.append(marks(SIDE, SIDE, rng).to(on))
        chosen = [drawn[int(i)] for i in rng.integers(len(drawn), size=batch)]
        mask = torch.stack([m.flip(-1) if rng.random() < 0.5 else m for m in chosen])
        found = truth.new_zeros(batch, 2 * (3 + FACTS), SIDE, SIDE)
        return completion_loss(net, [(truth, mask, found, found[:, :3])], on)

    def save(average: CompletionNet) -> None:
        save_file({k: v.half().contiguous().cpu() for k, v in average.state_dict().items()}, out)

    films = [f for f in films if len(f) >= LENGTH and f.shape[-2] >= HEIGHT and f.shape[-1] >= WIDTH]
    with SceneMakers(films, pictures[:PHOTOS], workers, seed) as makers:
        return train(
            net,
            loss,
            out,
            minutes=minutes,
            rate=6e-4 if start is None else 2e-4,  # good weights are not to be thrown away at the start
            save=save,
            resume=resume,
            log=log,
        )
