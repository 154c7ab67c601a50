"""What a codec is: pictures to latents and back."""

from typing import Protocol

from torch import Tensor


class Codec(Protocol):
    """Pictures ``(F, 3, H, W)`` in [0, 1] to latents ``(F, channels, ceil(H/scale), ceil(W/scale))`` and back.

    Latents have about zero mean and unit variance per channel, so that a scheduler's noise of variance one fits them.
    ``decode`` is given the picture's size because padded sides are cut off again.
    """

    @property
    def scale(self) -> int:
        """Pixels per latent, in each direction."""
        ...

    @property
    def channels(self) -> int: ...

    def encode(self, frames: Tensor) -> Tensor: ...

    def decode(self, latents: Tensor, height: int, width: int) -> Tensor: ...
