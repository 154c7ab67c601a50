"""The denoiser that ships with vedit: one small conditional video U-Net for restyle, in-betweens and inpainting.

Input: noisy latents, the context's latents (the source, or the best estimate of an incomplete picture), the mask, and
how far each cell's noise has drifted from its grid point; modulated by the timestep and a look (Perez et al., "FiLM",
AAAI 2018). Temporal layers that follow the flow sit on the two smaller grids; there is one of each kind, and one of
them is used. The output is the velocity v (Salimans & Ho, "Progressive Distillation", ICLR 2022).
"""

import math
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.diffusion.conditioning import Conditioning
from vedit.diffusion.looks import LOOKS
from vedit.flow.paths import Paths
from vedit.latents.bundled import CHANNELS
from vedit.temporal.layer import temporal_layers

LOOK_WIDTH = 64
MODULATION = 192


def timestep_embedding(timestep: Tensor, width: int) -> Tensor:
    """Sinusoids of a timestep in 0..1000: ``(N,)`` to ``(N, width)`` (Vaswani et al., 2017)."""
    rates = torch.exp(
        torch.arange(width // 2, device=timestep.device) * (-math.log(10000) / (width // 2 - 1))
    )
    angles = timestep.float().view(-1, 1) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Block(nn.Module):
    """A residual block whose second half is scaled and shifted by the timestep and the look."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(8, width_in)
        self.first = nn.Conv2d(width_in, width, 3, padding=1)
        self.norm = nn.GroupNorm(8, width)
        self.modulate = nn.Linear(MODULATION, 2 * width)
        self.second = nn.Conv2d(width, width, 3, padding=1)
        self.skip = nn.Conv2d(width_in, width, 1) if width_in != width else nn.Identity()

    def forward(self, x: Tensor, modulation: Tensor) -> Tensor:
        h = self.first(F.silu(self.norm_in(x)))
        scale, shift = self.modulate(modulation)[:, :, None, None].chunk(2, dim=1)
        h = self.second(F.silu(self.norm(h) * (1 + scale) + shift))
        return cast(Tensor, self.skip(x) + h)


class BundledDenoiser(nn.Module):
    """The U-Net (see `vedit.diffusion.painter.Painter`): grids 1, 1/2 and 1/4 of the latents."""

    def __init__(self, widths: tuple[int, int, int] = (40, 96, 144)) -> None:
        super().__init__()
        a, b, c = widths
        self.looks = nn.Embedding(len(LOOKS) + 2, LOOK_WIDTH)  # footage, the named ones, one to be fitted
        self.modulation = nn.Sequential(
            nn.Linear(64 + LOOK_WIDTH, MODULATION), nn.SiLU(), nn.Linear(MODULATION, MODULATION), nn.SiLU()
        )
        self.enter = nn.Conv2d(2 * CHANNELS + 1 + 2, a, 3, padding=1)
        self.down_1 = Block(a, a)
        self.halve_1 = nn.Conv2d(a, b, 3, padding=1, stride=2)
        self.down_2 = nn.ModuleList([Block(b, b), Block(b, b)])
        self.halve_2 = nn.Conv2d(b, c, 3, padding=1, stride=2)
        self.middle = nn.ModuleList([Block(c, c), Block(c, c), Block(c, c)])
        self.time_low = temporal_layers(c)
        self.double_2 = nn.Conv2d(c, b, 3, padding=1)
        self.up_2 = nn.ModuleList([Block(2 * b, b), Block(b, b)])
        self.time_mid = temporal_layers(b)
        self.double_1 = nn.Conv2d(b, a, 3, padding=1)
        self.up_1 = nn.ModuleList([Block(2 * a, a), Block(a, a), Block(a, a)])
        self.leave = nn.Sequential(nn.GroupNorm(8, a), nn.SiLU(), nn.Conv2d(a, CHANNELS, 3, padding=1))

    @staticmethod
    def grids(height: int, width: int) -> list[tuple[int, int]]:
        """The grids at which paths are asked for, for latents ``height x width``."""
        half = ((height + 1) // 2, (width + 1) // 2)
        return [half, ((half[0] + 1) // 2, (half[1] + 1) // 2)]

    def forward(self, latents: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor:
        count = len(latents)
        half, quarter = self.grids(*latents.shape[-2:])
        nowhere = Paths({}, {})
        paths_2, paths_3 = cond.paths.get(half, nowhere), cond.paths.get(quarter, nowhere)
        embedded = timestep_embedding(timestep.view(-1).expand(count), 64).to(latents.dtype)
        m = self.modulation(torch.cat([embedded, self.looks(cond.look).expand(count, -1)], dim=1))

        fine = self.down_1(self.enter(torch.cat([latents, cond.context, cond.mask, cond.drift], dim=1)), m)
        x = self.halve_1(fine)
        for block in self.down_2:
            x = block(x, m)
        coarse = x
        x = self.halve_2(coarse)
        x = self.middle[0](x, m)
        if cond.temporal != "none":
            x = self.time_low[cond.temporal](x, paths_3)
        x = self.middle[2](self.middle[1](x, m), m)
        x = self.double_2(F.interpolate(x, size=half, mode="nearest"))
        x = self.up_2[0](torch.cat([x, coarse], dim=1), m)
        if cond.temporal != "none":
            x = self.time_mid[cond.temporal](x, paths_2)
        x = self.up_2[1](x, m)
        x = self.double_1(F.interpolate(x, size=latents.shape[-2:], mode="nearest"))
        x = self.up_1[0](torch.cat([x, fine], dim=1), m)
        x = self.up_1[2](self.up_1[1](x, m), m)
        return cast(Tensor, self.leave(x))
