"""The codec that ships with vedit: 4 pixels per latent, 8 channels, a fraction of a second for a frame on a CPU.

Pixel-unshuffle takes the place of strided convolutions (Shi et al., "Real-Time Single Image and Video
Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016): every convolution runs on
the small grid. Trained by ``vedit.train.codec`` with noise on the latents, so that imperfect latents, which is what
a denoiser gives, still decode cleanly.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SCALE = 4
CHANNELS = 8


class Residual(nn.Module):
    """Two 3x3 convolutions added to their input."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return cast(Tensor, x + self.second(F.silu(self.first(x))))


class BundledCodec(nn.Module):
    """Pictures in [0, 1] to normalised latents at a quarter of the size, and back (see `Codec`)."""

    scale = SCALE
    channels = CHANNELS
    mean: Tensor
    std: Tensor

    def __init__(self, width: int = 64, encoder_blocks: int = 2, decoder_blocks: int = 3) -> None:
        super().__init__()
        patch = 3 * SCALE * SCALE
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(SCALE),
            nn.Conv2d(patch, width, 3, padding=1),
            *(Residual(width) for _ in range(encoder_blocks)),
            nn.Conv2d(width, CHANNELS, 3, padding=1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(CHANNELS, width, 3, padding=1),
            *(Residual(width) for _ in range(decoder_blocks)),
            nn.Conv2d(width, patch, 3, padding=1),
            nn.PixelShuffle(SCALE),
        )
        # Measured over the training pictures once training ends; part of the weights file.
        self.register_buffer("mean", torch.zeros(1, CHANNELS, 1, 1))
        self.register_buffer("std", torch.ones(1, CHANNELS, 1, 1))

    def encode(self, frames: Tensor) -> Tensor:
        height, width = frames.shape[-2:]
        padded = F.pad(frames, (0, -width % SCALE, 0, -height % SCALE), mode="replicate")
        latents: Tensor = self.encoder(padded.to(self.mean.dtype) * 2 - 1)
        return (latents - self.mean) / self.std

    def decode(self, latents: Tensor, height: int, width: int) -> Tensor:
        frames: Tensor = self.decoder(latents * self.std + self.mean)
        return ((frames[..., :height, :width] + 1) / 2).clamp(0, 1).float()
