"""The codec that ships with vedit: 4 pixels per latent, 8 channels, a fraction of a second for a frame on a CPU.

The first three channels are the plain mean colour of every 4x4 patch; five learned ones hold the detail, at half the
strength. A codec that learns all eight spreads every channel's information until it looks like white noise, which no
denoiser can tell from the noise it is to remove; with the mean colours left as they are, noise drowns detail first and
structure last, as it does in a picture, and denoising goes from coarse to fine.

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
COLOURS = 3
"""Channels that are a patch's mean colour; the rest is learned."""
DETAIL_STD = 0.5
"""The learned channels' deviation once normalised; the colours' is 1."""


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

    def __init__(self, width: int = 64, encoder_blocks: int = 2, decoder_blocks: int = 6) -> None:
        super().__init__()
        patch = 3 * SCALE * SCALE
        self.encoder = nn.Sequential(
            nn.PixelUnshuffle(SCALE),
            nn.Conv2d(patch, width, 3, padding=1),
            *(Residual(width) for _ in range(encoder_blocks)),
            nn.Conv2d(width, CHANNELS - COLOURS, 3, padding=1),
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
        centred = padded.to(self.mean.dtype) * 2 - 1
        detail = self.encoder(centred.to(self.dtype)).to(centred)
        latents = torch.cat([F.avg_pool2d(centred, SCALE), detail], dim=1)
        return (latents - self.mean) / self.std

    def decode(self, latents: Tensor, height: int, width: int) -> Tensor:
        return self.rebuild(latents)[..., :height, :width].clamp(0, 1).float()

    def rebuild(self, latents: Tensor) -> Tensor:
        """Decode without cropping or clamping, which is what training needs: the mean colours plus learned detail."""
        plain = latents * self.std + self.mean
        colours = F.interpolate(plain[:, :COLOURS], scale_factor=SCALE, mode="bilinear", align_corners=False)
        return cast(Tensor, (colours + self.decoder(plain.to(self.dtype)).to(colours) + 1) / 2)

    @property
    def dtype(self) -> torch.dtype:
        """The type that detail is worked out in; colours always have full precision."""
        return cast(Tensor, self.encoder[1].weight).dtype

    def to_detail_dtype(self, dtype: torch.dtype) -> "BundledCodec":
        """This codec with another type for its detail."""
        self.encoder.to(dtype)
        self.decoder.to(dtype)
        return self
