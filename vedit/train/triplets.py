"""What the refiner learns from: two frames, a true one between them, and the classical flow of the two."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vedit.errors import InputError
from vedit.flow.estimate import coarse_flows
from vedit.train.data import film_runs, photographs
from vedit.train.layers import moving_layers

SIZE = 256
"""Pixels per side of a training crop."""
_RUN = 9
"""Frames per run of a film: the widest gap is one less."""
_GAPS = (2, 2, 2, 3, 4, 4, 6, 8)
_SCALES = (1.0, 1.0, 1.0, 0.75, 0.5)
_CUT = 0.15
"""Neighbours that differ more than this along their motion are not of one shot, or nothing can be learned of them."""


@dataclass(frozen=True, eq=False)
class Triplet:
    """``frames`` ``(3, 3, SIZE, SIZE)`` uint8: frame0, the frame at ``t``, frame1; flows ``(2, SIZE/2, SIZE/2)``."""

    frames: Tensor
    flow_fw: Tensor
    flow_bw: Tensor
    t: float


def film_triplets(folder: Path, runs: int, seed: int = 0) -> Iterator[Triplet]:
    """Triplets of every film below a folder: ``runs`` places of each, two of each place, gaps of 2 to 8 frames.

    Of four random crops the one with the most left to do is taken: where the flow leads to other pixels.
    """
    rng = np.random.default_rng((seed, 1))
    for run in film_runs(folder, side=720, runs=runs, length=_RUN):
        for _ in range(2):
            gap = min(int(rng.choice(_GAPS)), len(run) - 1)
            start = int(rng.integers(len(run) - gap))
            middle = start + int(rng.integers(1, gap))
            frames = run[[start, middle, start + gap]].float() / 255
            triplet = _triplet(_scaled(frames, float(rng.choice(_SCALES))), (middle - start) / gap, rng)
            if triplet is not None:
                yield triplet


def rendered_triplets(folder: Path, count: int, seed: int = 0) -> Iterator[Triplet]:
    """Triplets of photographs below a folder that move in layers, so that the true middle is known exactly."""
    rng = np.random.default_rng((seed, 2))
    pictures = [p for p in photographs(folder, side=1100) if min(p.shape[-2:]) >= 200]
    if not pictures:
        return
    for _ in range(count):
        t = float(rng.choice([0.5, 0.5, 0.25, 0.75, 1 / 3, 2 / 3]))
        frames = moving_layers(pictures, t, 352, rng)
        triplet = _triplet(frames, t, rng)
        if triplet is not None:
            yield triplet


def triplets_in(folder: Path, runs: int, rendered: int, seed: int = 0) -> list[Triplet]:
    """All of them.

    Raises:
        InputError: the folder has neither films nor photographs.
    """
    triplets = [*film_triplets(folder, runs, seed), *rendered_triplets(folder, rendered, seed)]
    if not triplets:
        raise InputError(
            f"there is nothing that moves in {folder}", "Give a folder of films and photographs."
        )
    return triplets


def _scaled(frames: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return frames
    return torch.nn.functional.interpolate(frames, scale_factor=scale, mode="area")


def _triplet(frames: Tensor, t: float, rng: np.random.Generator) -> Triplet | None:
    height, width = (s // 2 * 2 for s in frames.shape[-2:])
    frames = frames[..., :height, :width]
    flow_fw, flow_bw = coarse_flows(frames[0], frames[2])
    error = _left_to_do(frames, flow_fw)
    if error.mean() > _CUT or (float(flow_fw.abs().mean()) < 0.1 and rng.random() < 0.8):
        return None
    best, place = -1.0, (0, 0)
    for _ in range(4):
        top = 2 * int(rng.integers(0, max(0, height - SIZE) // 2 + 1))
        left = 2 * int(rng.integers(0, max(0, width - SIZE) // 2 + 1))
        here = float(error[top // 2 : (top + SIZE) // 2, left // 2 : (left + SIZE) // 2].mean())
        if here > best:
            best, place = here, (top, left)
    top, left = place
    crop = frames[..., top : top + SIZE, left : left + SIZE]
    halves = [f[:, top // 2 : (top + SIZE) // 2, left // 2 : (left + SIZE) // 2] for f in (flow_fw, flow_bw)]
    below, right = SIZE - crop.shape[-2], SIZE - crop.shape[-1]
    if below or right:
        crop = torch.nn.functional.pad(crop, (0, right, 0, below), mode="replicate")
        halves = [
            torch.nn.functional.pad(f[None], (0, right // 2, 0, below // 2), mode="replicate")[0]
            for f in halves
        ]
    pixels = (crop * 255).round().clamp(0, 255).to(torch.uint8)
    return Triplet(pixels.contiguous(), halves[0].half().contiguous(), halves[1].half().contiguous(), t)


def _left_to_do(frames: Tensor, flow_fw: Tensor) -> Tensor:
    """How much frame0 and frame1 differ along the flow ``(H/2, W/2)``."""
    from vedit.flow.warp import warp

    small = torch.nn.functional.avg_pool2d(frames, 2)
    return (warp(small[2:], flow_fw[None]) - small[:1]).abs().mean(1)[0]
