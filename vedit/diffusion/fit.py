"""Teach the bundled denoiser a look from a few pairs of frame and painting, in about half a minute.

Few-shot patch training (Texler et al., "Interactive Video Stylization Using Few-Shot Patch-Based Training", SIGGRAPH
2020), in latents: crops of the pairs are all there is to learn from, and starting from weights that know how to paint
is what makes so few of them enough. The new look takes the last row of the look table.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.conditioning import Conditioning
from vedit.diffusion.engine import Engine
from vedit.diffusion.looks import FITTED
from vedit.errors import UsageError

CROP = 32
"""Latents per side of a crop."""
BATCH = 8
PURE = 0.5
"""The share of crops trained at pure noise, where the painting of a frame begins."""


@dataclass(frozen=True, eq=False)
class Example:
    """A frame and how it was painted, ``(3,H,W)`` in [0, 1] both."""

    frame: Tensor
    painting: Tensor


@torch.enable_grad()
def fit(
    engine: Engine,
    examples: Sequence[Example],
    *,
    steps: int = 160,
    rate: float = 1.5e-3,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Engine:
    """An engine whose look `FITTED` paints as the examples were painted; the engine given stays as it is.

    Deterministic on a CPU for a seed and a number of threads.

    Args:
        engine: the bundled one, or one fitted before.
        examples: at least one; every picture at least 128 pixels a side is best.
        steps: of AdamW, on 8 crops of 128 pixels each.
        rate: the highest learning rate; it rises for 10 steps and falls along a cosine.
        seed: of crops, noise and timesteps.
        progress: called with the part that is done.

    Raises:
        UsageError: there is no example, or the engine's denoiser cannot be fitted.
    """
    if not examples or not isinstance(engine.denoiser, BundledDenoiser):
        raise UsageError("there is nothing to fit", "Give at least one key frame, and the bundled engine.")
    generator = torch.Generator().manual_seed(seed % 2**64)
    net = copy.deepcopy(engine.denoiser).float().train().requires_grad_(True)
    average = copy.deepcopy(net)
    with torch.no_grad():
        known = [
            tuple(engine.codec.encode(p[None].to(engine.device))[0].cpu() for p in (e.frame, e.painting))
            for e in examples
        ]
    alphas = engine.scheduler.alphas_cumprod
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, betas=(0.9, 0.99), weight_decay=0)
    look = torch.full((BATCH,), FITTED, device=engine.device)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = (
                rate * min(1, (step + 1) / 10) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))
            )
        context, target = _crops(known, generator)
        pure = torch.rand(BATCH, generator=generator) < PURE
        timestep = torch.where(pure, 999, torch.randint(0, 1000, (BATCH,), generator=generator))
        noise = torch.randn(target.shape, generator=generator)
        context, target, timestep, noise = (t.to(engine.device) for t in (context, target, timestep, noise))
        a = alphas.to(engine.device)[timestep].view(-1, 1, 1, 1)
        cond = Conditioning(
            context, torch.ones_like(target[:, :1]), torch.zeros_like(target[:, :2]), look, {}, "none"
        )
        with torch.autocast(engine.device.type, torch.bfloat16, enabled=engine.dtype != torch.float32):
            predicted = net(a.sqrt() * target + (1 - a).sqrt() * noise, timestep, cond).float()
        loss = (predicted - (a.sqrt() * noise - (1 - a).sqrt() * target)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            for mean, new in zip(average.parameters(), net.parameters(), strict=True):
                mean.lerp_(new, 1 - min(0.96, (step + 1) / (step + 10)))
        if progress:
            progress((step + 1) / steps)
    return replace(engine, denoiser=average.to(engine.dtype).eval().requires_grad_(False))


def _crops(known: list[tuple[Tensor, ...]], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """The same random crops of frames' and paintings' latents."""
    both: list[Tensor] = []
    for _ in range(BATCH):
        pair = torch.stack(known[int(torch.randint(len(known), (), generator=generator))])
        height, width = (min(CROP, n) for n in pair.shape[-2:])
        top, left = (
            int(torch.randint(n - size + 1, (), generator=generator))
            for n, size in zip(pair.shape[-2:], (height, width), strict=True)
        )
        both.append(pair[:, :, top : top + height, left : left + width])
    crops = torch.stack(both)
    return crops[:, 0], crops[:, 1]
