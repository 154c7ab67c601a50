"""Flow-guided attention measured: what it costs beside plain attention, and what dense attention over time would."""

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.bench.rows import Row
from vedit.device import torch_threads
from vedit.diffusion.flow_guided import FlowGuided, Layout
from vedit.diffusion.trajectories import WindowFlows
from vedit.errors import UsageError
from vedit.flow.occlusion import occlusion
from vedit.flow.pairs import PairFlow
from vedit.flow.warp import warp
from vedit.heap import PICTURE, give_back
from vedit.torchvision_ops import tolerate_torchvision

LEVELS = ((1, 320, 5), (2, 640, 5), (4, 1280, 5), (8, 1280, 1))
"""Self-attention of Stable Diffusion 1.5: how often the latents are halved, channels, layers."""
HEADS = 8
LEAST = 16.0
"""MB that plain attention must need before another's can be called so many times as much."""
METHODS = ("plain", "flow-guided", "dense")


@dataclass(frozen=True)
class AttentionRow(Row):
    """What one kind of attention costs in one layer of a level (``clip``), or in all layers of the U-Net.

    ``seconds`` of one thread, the median of some runs, with the layer's projections. ``memory`` in MB is how far it
    makes the process grow beyond its weights and its input; None where the system does not tell. ``time_ratio`` and
    ``memory_ratio`` are over plain attention's; None where that is too little to tell.
    """

    seconds: float
    memory: float | None
    time_ratio: float
    memory_ratio: float | None


@dataclass(frozen=True)
class Trial:
    """A window of ``frames`` whose latents are ``height`` x ``width``, attended to ``repeats`` times.

    Raises:
        UsageError: there is nothing to attend to.
    """

    frames: int = 16
    height: int = 64
    width: int = 64
    repeats: int = 3

    def __post_init__(self) -> None:
        if self.frames < 2:
            raise UsageError("one frame has no flow", "Take at least 2 frames.")
        if min(self.height, self.width) < 8:
            raise UsageError(
                f"latents of {self.height}x{self.width} cannot be halved three times", "Take at least 8x8."
            )
        if self.repeats < 1:
            raise UsageError("nothing is to be measured", "Repeat at least once.")


def protocol(trial: Trial) -> dict[str, str]:
    """How the rows are found."""
    flows, on_paths, seconds = _window(trial), 0, time.process_time()
    for halved, _, _ in LEVELS:
        paths = flows.at(*_grid(trial, halved))
        on_paths = max(on_paths, sum(int(block.valid.sum()) for block in paths.blocks))
    seconds = time.process_time() - seconds
    share = 100 * on_paths / (trial.frames * trial.height * trial.width)
    return {
        "layers": "self-attention of Stable Diffusion 1.5, random weights, float32, eight heads",
        "flow": f"smooth, with occlusions; {share:.0f} % of the tokens are on paths of two frames or more",
        "paths": f"{seconds:.2f} s to follow on all grids, once a window; not in the rows",
        "time": f"CPU seconds of one thread, median of {trial.repeats}, the methods in turn; dense once",
        "memory": "how far the process grows beyond weights and input",
        "machine": f"{platform.machine()}, torch {version('torch')}, diffusers {version('diffusers')}",
    }


def bench_attention(trial: Trial) -> Iterator[AttentionRow]:
    """Each level's methods, then all layers of the U-Net summed by their numbers on each level.

    Dense attention, which lets each token attend to those of all frames, is run whole: at the default size it takes
    minutes.
    """
    flows = _window(trial)
    with torch_threads(1), torch.inference_mode():
        # All times first: how far the process grows is measured with memory given back at once, which takes time.
        seconds = [_timed(trial, flows, halved, channels) for halved, channels, _ in LEVELS]
        memory = []
        for (halved, channels, _), times in zip(LEVELS, seconds, strict=True):
            memory.append({name: _peak(trial, flows, halved, channels, name) for name in METHODS})
            height, width = _grid(trial, halved)
            yield from _rows(f"{height}x{width}, {channels} channels", trial.frames, times, memory[-1])
    counts = [layers for *_, layers in LEVELS]
    total = {
        name: sum(count * times[name] for count, times in zip(counts, seconds, strict=True))
        for name in METHODS
    }
    # The first level's tokens are the most.
    yield from _rows(f"all {sum(counts)} layers", trial.frames, total, memory[0])


def _rows(
    name: str, frames: int, seconds: dict[str, float], memory: dict[str, float | None]
) -> Iterator[AttentionRow]:
    plain = memory["plain"]
    for method in METHODS:
        peak = memory[method]
        yield AttentionRow(
            clip=name,
            method=method,
            frames=frames,
            seconds=seconds[method],
            memory=peak,
            time_ratio=seconds[method] / seconds["plain"],
            memory_ratio=peak / plain if peak is not None and plain and plain > LEAST else None,
        )


def _timed(trial: Trial, flows: WindowFlows, halved: int, channels: int) -> dict[str, float]:
    """CPU seconds of one layer by each method."""
    attn, features = _layer(channels), _input(trial, halved, channels)
    taken: dict[str, list[float]] = {method: [] for method in METHODS}
    for turn in range(trial.repeats):
        for method in METHODS:
            if method == "dense" and turn:
                continue
            run = _method(attn, features, flows, trial, halved, method)
            began = time.process_time()
            run()
            taken[method].append(time.process_time() - began)
            if method == "flow-guided":
                attn.processor.remove()
    return {method: median(times) for method, times in taken.items()}


def _method(
    attn: Any, features: Tensor, flows: WindowFlows, trial: Trial, halved: int, method: str
) -> Callable[[], Any]:
    """One run of a layer; flow-guided, the layer's processor is to be removed after it."""
    if method == "dense":
        together = features.view(1, -1, features.shape[-1])
        return lambda: attn(together)
    if method == "flow-guided":
        paths = flows.at(*_grid(trial, halved))
        layout = Layout(paths, copies=1, stride=features.shape[0] * features.shape[1], start=0)
        FlowGuided(attn, lambda hidden: layout)
    return lambda: attn(features)


def _layer(channels: int) -> Any:
    tolerate_torchvision()
    from diffusers.models.attention_processor import Attention

    torch.manual_seed(0)
    return Attention(channels, heads=HEADS, dim_head=channels // HEADS).eval()


def _input(trial: Trial, halved: int, channels: int) -> Tensor:
    height, width = _grid(trial, halved)
    return torch.randn(trial.frames, height * width, channels, generator=torch.Generator().manual_seed(1))


def _grid(trial: Trial, halved: int) -> tuple[int, int]:
    return -(-trial.height // halved), -(-trial.width // halved)


def _window(trial: Trial) -> WindowFlows:
    """Smooth motion of a few pixels a frame, its way back, and a blot in each frame that hides what is behind."""
    height, width = 8 * trial.height, 8 * trial.width
    generator = torch.Generator().manual_seed(2)

    def smooth(channels: int, points: int, size: float) -> Tensor:
        coarse = torch.randn(1, channels, points, points, generator=generator) * size
        return F.interpolate(coarse, size=(height, width), mode="bicubic")

    pairs = []
    for _ in range(trial.frames - 1):
        forward = smooth(2, 4, 6.0)
        backward = -forward
        for _ in range(5):  # the way back from each place, found by walking it
            backward = -warp(forward, backward)
        blot = (smooth(1, 6, 1.0) > 1.5).float()
        pairs.append(
            PairFlow(
                forward,
                backward,
                torch.maximum(occlusion(forward, backward), blot),
                torch.maximum(occlusion(backward, forward), blot),
            )
        )
    return WindowFlows(pairs)


def _peak(trial: Trial, flows: WindowFlows, halved: int, channels: int, method: str) -> float | None:
    """How many MB one run makes this process grow, at most; None but on Linux."""
    forget = Path("/proc/self/clear_refs")
    if not forget.exists():
        return None
    attn, features = _layer(channels), _input(trial, halved, channels)
    attn(features)  # small pieces that the C library keeps are there for all methods alike
    run = _method(attn, features, flows, trial, halved, method)
    give_back(PICTURE)
    forget.write_text("5")  # the highest so far
    before = _status("VmRSS")
    run()
    return max(0, _status("VmHWM") - before) / 1024


def _status(name: str) -> int:
    """A line of what Linux knows about this process, in KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
