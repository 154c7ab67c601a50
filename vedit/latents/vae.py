"""The per-frame VAEs of Stable Diffusion checkpoints as a `Codec`: diffusers' AutoencoderKL, AutoencoderTiny."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vedit.errors import EngineError
from vedit.latents.tiles import tiled


@dataclass(frozen=True, kw_only=True, eq=False)
class VaeCodec:
    """Pictures in [0, 1] to scaled latents and back, in float32 whatever the VAE computes in (see `Codec`).

    ``vae`` has ``encode``, ``decode`` and ``config`` as diffusers' image VAEs have them: [-1, 1], a result with
    ``latent_dist`` or ``latents``, one with ``sample``, ``latent_channels``, ``block_out_channels``,
    ``scaling_factor`` and perhaps ``shift_factor``. ``chunk`` frames go through it at once. ``tile`` is the side in
    pixels of the overlapping tiles that larger pictures are cut into; None takes them whole, which is better as long
    as the memory is there: normalisation sees the whole picture. Other chunks give the same pictures up to rounding.

    A float16 VAE whose config says ``force_upcast`` is turned into float32 here, as SDXL's overflows; should another
    one overflow, those frames alone are done again in float32.

    Raises:
        EngineError: the VAE's config does not say what its latents are.
    """

    vae: Any
    chunk: int = 4
    tile: int | None = None

    def __post_init__(self) -> None:
        config = getattr(self.vae, "config", None)
        wanted = ("latent_channels", "block_out_channels", "scaling_factor")
        missing = [name for name in wanted if getattr(config, name, None) is None]
        if missing:
            raise EngineError(
                f"the VAE {type(self.vae).__name__} has no {', '.join(missing)} in its config",
                "Give an image VAE of a Stable Diffusion checkpoint, such as AutoencoderKL or AutoencoderTiny.",
            )
        if self._dtype == torch.float16 and getattr(config, "force_upcast", False):
            self._turn(torch.float32)

    @property
    def scale(self) -> int:
        """Pixels per latent, in each direction."""
        return 1 << (len(self.vae.config.block_out_channels) - 1)

    @property
    def channels(self) -> int:
        return int(self.vae.config.latent_channels)

    @torch.no_grad()
    def encode(self, frames: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Latents ``(F, channels, ceil(H/scale), ceil(W/scale))`` of frames ``(F,3,H,W)``.

        The frames are on the device that the VAE computes on. The latents are the most likely ones, or with a
        ``generator`` drawn from what the VAE believes, a chunk after the other: with ``chunk=16`` as diffusers'
        video pipelines draw them.
        """
        height, width = frames.shape[-2:]
        padded = F.pad(frames.float(), (0, -width % self.scale, 0, -height % self.scale), mode="replicate")
        return torch.cat([self._encoded(part * 2 - 1, generator) for part in torch.split(padded, self.chunk)])

    @torch.no_grad()
    def decode(self, latents: Tensor, height: int, width: int) -> Tensor:
        """Frames ``(F,3,height,width)`` in [0, 1]."""
        config = self.vae.config
        plain = latents.float() / config.scaling_factor + (getattr(config, "shift_factor", None) or 0)
        parts = []
        for part in torch.split(plain, self.chunk):
            picture = self._worked(self._decoded, part, grow=self.scale, shrink=1)
            parts.append((picture[..., :height, :width] / 2 + 0.5).clamp(0, 1))
        return torch.cat(parts)

    def _encoded(self, frames: Tensor, generator: torch.Generator | None) -> Tensor:
        found = self._worked(self._moments, frames, grow=1, shrink=self.scale)
        if found.shape[1] == self.channels or generator is None:
            latents = found[:, : self.channels]  # the mean comes first
        else:
            from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution

            drawn_from: Any = DiagonalGaussianDistribution(found.to(self._dtype))
            latents = drawn_from.sample(generator).float()
        config = self.vae.config
        shifted: Tensor = (latents - (getattr(config, "shift_factor", None) or 0)) * config.scaling_factor
        return shifted

    def _worked(self, work: Callable[[Tensor], Tensor], part: Tensor, *, grow: int, shrink: int) -> Tensor:
        """``work`` done on a chunk, in tiles where asked for, and again in float32 if it overflowed; in float32."""
        tile = max(part.shape[-2:]) if self.tile is None else self._tile * shrink
        dtype = self._dtype
        result = tiled(lambda x: work(x.to(dtype)), part, tile, grow=grow, shrink=shrink).float()
        if dtype == torch.float16 and not result.isfinite().all():
            self._turn(torch.float32)
            try:
                result = tiled(work, part, tile, grow=grow, shrink=shrink)
            finally:
                self._turn(dtype)
        return result

    def _moments(self, frames: Tensor) -> Tensor:
        """Means and log variances of the latents ``(F,2c,h,w)``, or the latents of a VAE that is sure of them."""
        encoded = self.vae.encode(frames)
        belief = getattr(encoded, "latent_dist", None)
        found: Tensor = encoded.latents if belief is None else belief.parameters
        return found

    def _decoded(self, latents: Tensor) -> Tensor:
        picture: Tensor = self.vae.decode(latents).sample
        return picture

    def _turn(self, dtype: torch.dtype) -> None:
        nn.Module.to(self.vae, dtype)  # diffusers' own prints a warning each time

    @property
    def _tile(self) -> int:
        """A tile's side in latents; of four, a quarter is one that neighbours share."""
        return max(4, (self.tile or 0) // self.scale)

    @property
    def _dtype(self) -> torch.dtype:
        """What the VAE computes in."""
        dtype: torch.dtype = next(self.vae.parameters()).dtype
        return dtype
