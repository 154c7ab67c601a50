"""What an edit hands to the latent path for each frame."""

from dataclasses import dataclass

from torch import Tensor

from vedit.flow.pairs import PairFlow


@dataclass(frozen=True, eq=False)
class Prior:
    """One frame's material.

    ``index``: absolute frame index, which seeds its noise. ``pixels`` ``(3,H,W)`` in [0, 1]: the source, or the best
    estimate of the picture. ``mask`` ``(1,H,W)``: 1 = generate, 0 = known; None = generate everywhere. ``pair``: flow
    between the previous frame of the run (its frame0) and this one (frame1); None at the start of a run.
    """

    index: int
    pixels: Tensor
    mask: Tensor | None
    pair: PairFlow | None
