"""Numbers that say how good a result is."""

from vedit.metrics.edges import ghosts, sharpness
from vedit.metrics.fidelity import brightness_bias, mean_error, psnr, ssim
from vedit.metrics.holes import flat_ssim, hole_flicker, hole_psnr, outside_difference, seam_error
from vedit.metrics.style import structure, style_distance
from vedit.metrics.temporal import flicker, join_ratio, warp_error

__all__ = [
    "brightness_bias",
    "flat_ssim",
    "flicker",
    "ghosts",
    "hole_flicker",
    "hole_psnr",
    "join_ratio",
    "mean_error",
    "outside_difference",
    "psnr",
    "seam_error",
    "sharpness",
    "ssim",
    "structure",
    "style_distance",
    "warp_error",
]
