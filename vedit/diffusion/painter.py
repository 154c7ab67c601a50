"""The bundled net as a denoiser of windows: a look, a kind of temporal layer, and where to work."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.conditioning import Conditioning
from vedit.diffusion.denoiser import Step, Window
from vedit.flow.pairs import PairFlow
from vedit.flow.paths import Paths, window_paths
from vedit.temporal.kinds import Temporal

SURROUNDINGS = 16
"""Latents around what is to be made that the net is shown; further away it looks at nothing."""


@dataclass(frozen=True, eq=False)
class Painter:
    """The bundled net painting one look (see `vedit.diffusion.denoiser.Denoiser`)."""

    net: nn.Module
    look: Tensor
    temporal: Temporal
    dtype: torch.dtype
    full_windows: bool = False
    """Its layers reach two frames; a short window is as good as a long one."""
    hides: bool = False

    def __call__(self, latents: Tensor, timestep: Tensor, window: Window, step: Step) -> Tensor:
        predicted = torch.zeros_like(latents)  # where nothing is to be made the loop keeps every latent
        box = _box(window.mask)
        if box is None:
            return predicted
        if "paths" not in step.memo:
            step.memo["paths"] = _paths(window.motion, box, latents.device)
        context, mask, drift = (t[box].to(self.dtype) for t in (window.context, window.mask, window.drift))
        cond = Conditioning(context, mask, drift, self.look, step.memo["paths"], self.temporal)
        predicted[box] = self.net(latents[box].to(self.dtype), timestep, cond).to(latents.dtype)
        return predicted


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
    pairs: list[PairFlow] | None, box: tuple[slice, ...], device: torch.device
) -> dict[tuple[int, int], Paths]:
    """The window's paths at every grid the net asks for; none where a pair is missing."""
    cut = [
        PairFlow(*(t[box].to(device) for t in (p.flow_fw, p.flow_bw, p.occlusion_fw, p.occlusion_bw)))
        for p in pairs or []
    ]
    height, width = (d.stop - d.start for d in box[2:])
    return {grid: window_paths(cut, *grid) for grid in BundledDenoiser.grids(height, width)}
