"""How near new frames are to the true ones: one number a frame.

All take RGB in [0, 1] as it is; to measure what a film of 8 bits would show, round to 255 levels before.
"""

import math

import torch
from torch import Tensor

from vedit.errors import UsageError

MOST_DB = 50.0
"""What a frame's PSNR counts at most, so that still pictures, which anybody gets right, do not decide a mean."""
WINDOW = 11
"""Side of the window of SSIM, in pixels."""


def psnr(frames: Tensor, truth: Tensor) -> Tensor:
    """Peak signal to noise ratio, -10 log10 of the mean squared error over all pixels and channels, at most 50 dB.

    Args:
        frames: ``(N, C, H, W)`` in [0, 1].
        truth: the true frames, the same shape.

    Returns:
        ``(N,)`` in dB. The usual figure of a film is their arithmetic mean.
    """
    check_alike(frames, truth)
    error = (frames.double() - truth.double()).square().mean((1, 2, 3))
    return (-10 * error.clamp_min(10 ** (-MOST_DB / 10)).log10()).float()


def ssim(frames: Tensor, truth: Tensor) -> Tensor:
    """Structural similarity (Wang et al., "Image Quality Assessment", IEEE TIP 2004); 1 is the same picture.

    The paper's own settings: a Gaussian window of 11x11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, places only
    where the window lies inside the picture. Each channel by itself, then the mean. (Not the ``ssim_matlab`` of many
    interpolation papers, whose window also spans the channels, nor scikit-image's default, a flat 7x7 window.)

    Args:
        frames: ``(N, C, H, W)`` in [0, 1], at least 11 pixels high and wide.
        truth: the true frames, the same shape.

    Returns:
        ``(N,)`` in [-1, 1].

    Raises:
        UsageError: the shapes differ, or the frames are smaller than the window.
    """
    from kornia.metrics import ssim as ssim_map

    check_alike(frames, truth)
    height, width = frames.shape[-2:]
    if min(height, width) < WINDOW:
        raise UsageError(
            f"frames of {width}x{height} are too small for SSIM",
            f"Give at least {WINDOW} pixels either way.",
        )
    return ssim_map(frames.float(), truth.float(), WINDOW, padding="valid").mean((1, 2, 3))


def mean_error(frames: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute difference over all pixels and channels, ``(N,)`` in levels of 255.

    Papers call it the interpolation error, IE, as those of RIFE do; Middlebury's IE is the root mean square.

    Args:
        frames: ``(N, C, H, W)`` in [0, 1].
        truth: the true frames, the same shape.
    """
    check_alike(frames, truth)
    return 255 * (frames - truth).abs().mean((1, 2, 3))


def brightness_bias(frames: Tensor, before: Tensor, after: Tensor, t: float | Tensor = 0.5) -> Tensor:
    """How much brighter new frames are than the real ones on either side, ``(N,)`` in levels of 255; below 0 = darker.

    The mean of a frame minus (1 - t) mean(before) + t mean(after). Frames that stay off by the same amount make a
    film flicker at its old frame rate.

    Args:
        frames: ``(N, C, H, W)`` in [0, 1].
        before: the real frame before each, the same shape.
        after: the real frame after each, the same shape.
        t: where each lies between the two, in [0, 1]; a number for all or ``(N,)``.
    """
    check_alike(frames, before)
    check_alike(frames, after)
    new, first, second = (picture.double().mean((1, 2, 3)) for picture in (frames, before, after))
    return (255 * (new - torch.lerp(first, second, torch.as_tensor(t).to(new)))).float()


def check_alike(frames: Tensor, truth: Tensor) -> None:
    """Refuse two stacks of frames that are not of one shape ``(N, C, H, W)``, or hold nothing.

    Raises:
        UsageError: they are not.
    """
    if frames.shape != truth.shape or frames.ndim != 4 or math.prod(frames.shape) == 0:
        raise UsageError(
            f"frames of shapes {tuple(frames.shape)} and {tuple(truth.shape)} cannot be compared",
            "Give two of the same (N, C, H, W).",
        )
