"""Train interpolation's refiner: the flow of a classical search in, the true picture between out."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from vedit.device import pick_device
from vedit.flow.resize import resize, resize_flow
from vedit.flow.warp import warp
from vedit.inbetween.candidates import Candidates, fetched
from vedit.inbetween.projection import project
from vedit.inbetween.refiner import Refiner
from vedit.train.loop import train
from vedit.train.triplets import SIZE, Triplet, triplets_in

BATCH = 8
CROP = 192
"""Pixels per side of what is seen of a triplet in one step."""
DECIBELS = 0.05
"""The weight of each picture's log mean squared error, which is what PSNR counts."""
LAPLACIAN = 0.5
"""The weight of the Laplacian pyramid's L1; it and the census loss keep the picture sharp."""
CENSUS = 0.005
"""The weight of the census loss."""
MOTION = 0.1
"""The weight of what the motion of the two coarser levels fetches."""


def train_refiner(
    data: Path,
    out: Path,
    *,
    minutes: float,
    runs: int = 90,
    scenes: int = 2200,
    start: Path | None = None,
    seed: int = 0,
    device: str = "cpu",
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> Refiner:
    """Train for a wall-clock time and save float16 weights to ``out`` (a .safetensors file) every three minutes.

    Args:
        data: films, of which every run of frames gives a true picture between two others, and photographs, which are
            made to move.
        out: the weights, a moving average; ``OUT.state`` beside it lets an interrupted training go on.
        minutes: of training.
        runs: places of each film, of which two triplets each are taken.
        scenes: triplets made of photographs.
        start: weights to begin from; without, the net begins as the classical result.
        seed: of every random choice.
        device: see `pick_device`.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress.

    Raises:
        InputError: there is no footage, or the state is of another net.
    """
    triplets = triplets_in(data, runs, scenes, seed)
    log(f"{len(triplets)} triplets")
    return fit_refiner(
        triplets, out, minutes=minutes, start=start, seed=seed, device=device, resume=resume, log=log
    )


def fit_refiner(
    triplets: Sequence[Triplet],
    out: Path,
    *,
    minutes: float,
    start: Path | None,
    seed: int,
    device: str,
    resume: bool,
    log: Callable[[str], None],
) -> Refiner:
    """`train_refiner` on triplets that are there already."""
    torch.manual_seed(seed)
    on = pick_device(device)
    net = Refiner()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is not None:
        net.load_state_dict(load_file(start))

    def loss(net: Refiner, step: int, done: float) -> Tensor:
        frames, flow_fw, flow_bw, t = (
            x.to(on) for x in _batch(triplets, np.random.default_rng((seed, step)))
        )
        with torch.autocast(on.type, torch.bfloat16):
            return refiner_loss(net, frames, flow_fw, flow_bw, t)

    def save(average: Refiner) -> None:
        save_file({k: v.half().contiguous() for k, v in average.state_dict().items()}, out)

    return train(
        net.to(on),
        loss,
        out.with_suffix(".state"),
        minutes=minutes,
        rate=4e-4,
        save=save,
        resume=resume,
        log=log,
    )


def refiner_loss(net: Refiner, frames: Tensor, flow_fw: Tensor, flow_bw: Tensor, t: Tensor) -> Tensor:
    """How far the picture that the net makes is from the true one, in squares, in bands and in order of brightness.

    Args:
        net: the refiner.
        frames: ``(N, 3, 3, H, W)``, frame0, the true one, frame1; sides multiples of 8.
        flow_fw: ``(N, 2, H/2, W/2)`` in that grid's pixels.
        flow_bw: the same, from frame1 to frame0.
        t: ``(N, 1, 1, 1)``.
    """
    truth, ends = frames[:, 1], torch.cat([frames[:, 0], frames[:, 2]], 1)
    half, quarter = F.avg_pool2d(ends, 2), F.avg_pool2d(ends, 4)
    fw, bw = (F.avg_pool2d(flow, 2) / 2 for flow in (flow_fw, flow_bw))
    flow0, flow1, hidden = net.coarse(
        quarter, project(quarter[:, :3], quarter[:, 3:], fw, bw, _straight(fw), t), t
    )
    value = MOTION * _apart(quarter, flow0, flow1, F.avg_pool2d(truth, 4))

    height, width = half.shape[-2:]
    flow0, flow1 = (resize_flow(flow, height, width) for flow in (flow0, flow1))
    candidates = Candidates(flow0, flow1, flow_fw, flow_bw, _straight(flow_fw), t)
    mixture = net.finer(half, candidates, resize(hidden, height, width), t)
    value = value + MOTION * _apart(half, mixture.flow0, mixture.flow1, F.avg_pool2d(truth, 2))

    mixture = mixture.finer(*ends.shape[-2:])
    candidates = candidates.along(mixture.flow0, mixture.flow1)
    views = fetched(ends, candidates, "bicubic")
    mixture, residual = net.finest(views, mixture, t)
    again = [
        warp(frame, flow, "bicubic")
        for frame, flow in ((ends[:, :3], mixture.flow0), (ends[:, 3:], mixture.flow1))
    ]
    views = torch.cat([*again, views[:, 6:]], 1)
    views = views.reshape(len(views), -1, 3, *truth.shape[-2:])
    picture = (mixture.logits.softmax(1)[:, :, None] * views).sum(1) + residual
    decibels = ((picture - truth).square().mean((1, 2, 3)) + 1e-5).log().mean()
    return (
        value
        + DECIBELS * decibels
        + LAPLACIAN * laplacian_l1(picture, truth)
        + CENSUS * census(picture, truth)
    )


def _straight(flow: Tensor) -> tuple[Tensor, Tensor]:
    """No bend: triplets know nothing of the frames around them."""
    return torch.zeros_like(flow), torch.zeros_like(flow)


def _apart(ends: Tensor, flow0: Tensor, flow1: Tensor, truth: Tensor) -> Tensor:
    """How far both frames are from the true one along the motion alone."""
    first, second = warp(ends[:, :3], flow0), warp(ends[:, 3:], flow1)
    return (first - truth).abs().mean() + (second - truth).abs().mean()


def laplacian_l1(a: Tensor, b: Tensor, levels: int = 4) -> Tensor:
    """L1 of the differences' Laplacian pyramid, all bands alike (after Bojanowski et al., 2018)."""
    difference, total = a - b, a.new_zeros(())
    for _ in range(levels):
        smaller = F.avg_pool2d(difference, 2)
        band = difference - F.interpolate(smaller, scale_factor=2, mode="bilinear", align_corners=False)
        total = total + band.abs().mean()
        difference = smaller
    return total + difference.abs().mean()


def census(a: Tensor, b: Tensor) -> Tensor:
    """The soft census transform's distance (Meister, Hur and Roth, "UnFlow", AAAI 2018), on luma.

    Of each pixel's brightness against that of eight around it, two pixels away.
    """
    luma = a.new_tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    a, b = (a * luma).sum(1), (b * luma).sum(1)
    total = a.new_zeros(())
    for top, left in ((0, 0), (0, 2), (0, 4), (2, 0), (2, 4), (4, 0), (4, 2), (4, 4)):
        signs = []
        for x in (a, b):
            height, width = x.shape[-2:]
            step = x[:, top : height - 4 + top, left : width - 4 + left] - x[:, 2:-2, 2:-2]
            signs.append(step * (step.square() + 0.03**2).rsqrt())
        squared = (signs[0] - signs[1]).square()
        total = total + (squared / (0.1 + squared)).mean()
    return total / 8


def _batch(triplets: Sequence[Triplet], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Triplets mirrored, turned, played backwards and with colours swapped at random."""
    frames, forward, backward, times = [], [], [], []
    for i in rng.integers(len(triplets), size=BATCH):
        triplet = triplets[i]
        picture, fw, bw, t = triplet.frames, triplet.flow_fw.float(), triplet.flow_bw.float(), triplet.t
        if rng.random() < 0.5:
            picture, fw, bw, t = picture.flip(0), bw, fw, 1 - t
        for axis, component in ((-1, 0), (-2, 1)):
            if rng.random() < 0.5:
                sign = torch.ones(2, 1, 1)
                sign[component] = -1
                picture, fw, bw = picture.flip(axis), fw.flip(axis) * sign, bw.flip(axis) * sign
        if rng.random() < 0.5:
            picture, fw, bw = (
                picture.transpose(-1, -2),
                fw.flip(0).transpose(-1, -2),
                bw.flip(0).transpose(-1, -2),
            )
        if rng.random() < 0.3:
            picture = picture[:, torch.from_numpy(rng.permutation(3))]
        top, left = (2 * int(place) for place in rng.integers((SIZE - CROP) // 2 + 1, size=2))
        here = (..., slice(top, top + CROP), slice(left, left + CROP))
        half = (..., slice(top // 2, (top + CROP) // 2), slice(left // 2, (left + CROP) // 2))
        frames.append(picture[here])
        forward.append(fw[half])
        backward.append(bw[half])
        times.append(t)
    at = torch.tensor(times).view(-1, 1, 1, 1)
    return torch.stack(frames).float() / 255, torch.stack(forward), torch.stack(backward), at
