"""What an edit hands to the latent path for each frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from torch import Tensor

from vedit.flow.pairs import PairFlow


@dataclass(frozen=True, eq=False)
class Prior:
    """One frame's material.

    ``index``: absolute frame index, which seeds its noise. ``pixels`` ``(3,H,W)`` in [0, 1]: the source, or the best
    estimate of the picture. ``mask`` ``(1,H,W)``: 1 = generate, 0 = known; None = generate everywhere. ``pair``: flow
    between the previous frame of the run (its frame0) and this one (frame1); None at the start of a run.

    ``time``: seconds from the film's first frame, and ``shot`` its shot, for prompts that change. ``controls``:
    structure maps ``(3,H,W)`` in [0, 1], or uint8, by kind. ``strength``: the frame's own, no more than the run's;
    None: the run's. ``latents`` ``(1,c,h,w)`` and ``noise`` ``(1,c,h,w)``: given instead of being encoded and drawn.
    """

    index: int
    pixels: Tensor
    mask: Tensor | None
    pair: PairFlow | None
    time: Fraction = Fraction(0)
    shot: int = 0
    controls: Mapping[str, Tensor] = field(default_factory=dict)
    strength: float | None = None
    latents: Tensor | None = None
    noise: Tensor | None = None
