"""What a denoiser is, and what it is told besides the noisy latents."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from vedit.flow.paths import Paths


@dataclass(frozen=True)
class Conditioning:
    """What the denoiser knows of one window of F frames.

    ``context`` ``(F,c,h,w)``: clean latents of the source, or of the best estimate of the picture where it is
    incomplete. ``mask`` ``(F,1,h,w)``: 1 where the picture is to be made, 0 where it is known. ``look`` ``(1,d)``:
    the look's embedding. ``paths``: per grid size ``(h, w)``, where each point lies in the window's other frames.
    """

    context: Tensor
    mask: Tensor
    look: Tensor
    paths: dict[tuple[int, int], Paths]


class Denoiser(Protocol):
    """Noisy latents ``(F,c,h,w)`` of one window and a timestep to the model output.

    What the output means (noise, velocity, clean latents) is its scheduler's ``prediction_type``.
    """

    def __call__(self, latents: Tensor, timestep: Tensor, cond: Conditioning) -> Tensor: ...

    def grids(self, height: int, width: int) -> list[tuple[int, int]]:
        """The grid sizes at which this denoiser asks for paths, for latents ``height x width``."""
        ...
