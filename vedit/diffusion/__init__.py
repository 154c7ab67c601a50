"""The latent path: partial noise, temporal denoising along the flow, decoding."""

from vedit.diffusion.denoise import denoise
from vedit.diffusion.engine import Engine, load_engine
from vedit.diffusion.prior import Prior

__all__ = ["Engine", "Prior", "denoise", "load_engine"]
