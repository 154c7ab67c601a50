"""Texture for what was made up: drawn once from the picture's own patches, then carried along with the motion.

The completion net gives the mean of all pictures that fit, which has no grain, no leaves and no bricks. What patches
of the picture itself add to it (`vedit.diffusion.patches`) is kept as a layer of its own and follows the scene from
frame to frame, so it costs one drawing per shot where the camera is still, and cannot boil. Where the camera moves on,
what comes in is drawn to fit what was drawn before.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vedit.completion.carry import carry
from vedit.completion.complete import Completed
from vedit.diffusion.patches import fill_from_patches
from vedit.window import Window

BARE = 0.3
"""The share of what was made up that may lack detail before more is drawn."""
REST = 12
"""Frames from one drawing to the next, at least: it takes seconds."""


@dataclass(frozen=True, eq=False)
class _Layer:
    """The detail ``(3, h, w)`` of a window and where there is any ``(1, h, w)``."""

    window: Window
    detail: Tensor


def detailed(films: Iterator[Completed], *, share: float, seed: int) -> Generator[Completed]:
    """Completed frames of one shot whose made-up pixels have texture.

    Args:
        films: in order.
        share: of the detail that is added; each pixel gets it as far as it was made up.
        seed: of the drawing.
    """
    layer: _Layer | None = None
    since = REST
    for done in films:
        since += 1
        if done.window is None or done.pixels is None or done.real is None:
            layer = None
            yield done
            continue
        hole = done.window.of(done.mask)
        made = hole * (1 - done.real)
        detail = _followed(done, layer)
        bare = (made > 0.5) & (detail[3:] == 0)
        if since >= REST and int(bare.sum()) > BARE * int((made > 0.5).sum()):
            since = 0
            textured = (done.pixels + detail[:3]).clamp(0, 1)
            drawn = fill_from_patches(textured, bare.float(), prior=done.pixels, seed=seed)
            new = drawn - done.pixels
            detail = torch.where(bare, torch.cat([new, torch.ones_like(hole)]), detail)
        detail = detail * hole
        layer = _Layer(done.window, detail)
        yield replace(done, pixels=(done.pixels + share * made * detail[:3]).clamp(0, 1))


def _followed(done: Completed, layer: _Layer | None) -> Tensor:
    """The layer of the frame before on this frame's window ``(4, h, w)``; nothing where it cannot be followed."""
    window, motion = done.window, done.motion
    assert window is not None  # noqa: S101 - it has a hole
    out = done.mask.new_zeros(4, window.height, window.width)
    if layer is None or motion is None:
        return out
    part = motion.window
    shift = (part.left - layer.window.left, part.top - layer.window.top)
    there, _ = carry(layer.detail[None], motion.back, motion.cell, shift, where=part.of(done.mask)[0] > 0)
    there = torch.cat([there[0, :3], (there[0, 3:] > 0.5).to(there)])
    part.within(window).of(out)[:] = (there * there[3:])[:, : part.height, : part.width]
    return out
