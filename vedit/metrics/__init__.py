"""Numbers that say how good a result is."""

from vedit.metrics.edges import ghosts, sharpness
from vedit.metrics.fidelity import brightness_bias, mean_error, psnr, ssim
from vedit.metrics.style import structure, style_distance
from vedit.metrics.temporal import flicker, join_ratio, warp_error

__all__ = [
    "brightness_bias",
    "flicker",
    "ghosts",
    "join_ratio",
    "mean_error",
    "psnr",
    "sharpness",
    "ssim",
    "structure",
    "style_distance",
    "warp_error",
]
