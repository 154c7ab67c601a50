"""The latent path: partial noise, temporal denoising along the flow, decoding."""

from vedit.diffusion.denoise import denoise, sample
from vedit.diffusion.engine import Engine, load_engine
from vedit.diffusion.flow_attention import disable_flow_attention, enable_flow_attention, flow_attention
from vedit.diffusion.prior import Prior
from vedit.diffusion.trajectories import WindowFlows
from vedit.diffusion.video_to_video import video_to_video

__all__ = [
    "Engine",
    "Prior",
    "WindowFlows",
    "denoise",
    "disable_flow_attention",
    "enable_flow_attention",
    "flow_attention",
    "load_engine",
    "sample",
    "video_to_video",
]
