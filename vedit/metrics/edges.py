"""How sharp new frames are beside the true ones, and which of their edges the true ones do not have."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics.fidelity import check_alike

NEAR = 2
"""Pixels by which an edge may be off and is still the same edge."""
FAINT = 2 / 255
"""A gradient this weak, a pixel, is no edge: grain, and the blocks of a codec."""
FLAT = 0.5 / 255
"""A gradient this weak is none at all: rounding to 8 bits. It keeps the ratio of two empty pictures at 1."""


def sharpness(frames: Tensor, truth: Tensor) -> Tensor:
    """Gradient energy over that of the true frames: 1 = as sharp, below 1 = softer, above 1 = noisier or sharpened.

    The energy is the mean of dx² + dy² over the differences between neighbouring pixels of BT.601 luma.

    Args:
        frames: ``(N, 3, H, W)`` RGB in [0, 1], at least 3 pixels high and wide.
        truth: the true frames, the same shape.

    Returns:
        ``(N,)``.
    """
    energy, wanted = (_energy(luma) + FLAT**2 for luma in _lumas(frames, truth))
    return energy / wanted


def ghosts(frames: Tensor, truth: Tensor) -> Tensor:
    """The share of a frame's edge energy that lies in edges of its own, which the true frame has nowhere near.

    With G the gradient (Sobel, of BT.601 luma) of the new frame and M the strongest gradient that the true frame has
    within 2 pixels of a place,

        ghosts = sum of max(0, G - M - FAINT)² / (sum of G² + FLAT² a pixel)

    The true frame scores exactly 0, and so does a copy of it that is moved by up to 2 pixels (but for what comes in at
    the border), softer or darker. A mean of two frames scores high, because it shows the edge of a moving thing twice,
    at half strength, beside its true place; so does the torn outline of a wrong match. A sharp edge more than 2 pixels
    from its place counts, too: to the eye that is a wobble. What a new frame lacks does not count, and where the true
    frame is full of strong texture a ghost in it is not seen, here as by eye; PSNR and sharpness tell of those.

    Args:
        frames: ``(N, 3, H, W)`` RGB in [0, 1], at least 3 pixels high and wide.
        truth: the true frames, the same shape.

    Returns:
        ``(N,)`` in [0, 1).
    """
    made, true = (_gradient(luma) for luma in _lumas(frames, truth))
    near = F.max_pool2d(true, 2 * NEAR + 1, stride=1, padding=NEAR)
    own = (made - near - FAINT).clamp_min(0)
    return own.square().sum((1, 2, 3)) / (made.square() + FLAT**2).sum((1, 2, 3))


def _lumas(frames: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """BT.601 luma of both, ``(N, 1, H, W)``."""
    check_alike(frames, truth)
    channels, *size = frames.shape[1:]
    if channels != 3 or min(size) < 3:
        raise UsageError(
            f"frames of shape {tuple(frames.shape)} have no edges to measure",
            "Give (N, 3, H, W) RGB of 3 pixels or more either way.",
        )
    weights = torch.tensor([0.299, 0.587, 0.114], device=frames.device).view(1, 3, 1, 1)
    first, second = ((picture.float() * weights).sum(1, keepdim=True) for picture in (frames, truth))
    return first, second


def _energy(luma: Tensor) -> Tensor:
    """Mean squared difference to the pixel on the right plus that to the one below, ``(N,)``."""
    across, down = (luma.diff(dim=dim).square().mean((1, 2, 3)) for dim in (3, 2))
    return across + down


def _gradient(luma: Tensor) -> Tensor:
    """Sobel's gradient per pixel, ``(N, 1, H-2, W-2)``: a ramp of one level a pixel has one level."""
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], device=luma.device) / 8
    across_and_down = F.conv2d(luma, torch.stack([sobel, sobel.T])[:, None])
    return across_and_down.square().sum(1, keepdim=True).sqrt()
