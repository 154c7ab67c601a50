"""What the bundled net is told besides the noisy latents."""

from dataclasses import dataclass

from torch import Tensor

from vedit.flow.paths import Paths
from vedit.temporal.kinds import Temporal


@dataclass(frozen=True)
class Conditioning:
    """What the bundled net knows of one window of F frames.

    ``context`` ``(F,c,h,w)``: clean latents of the source, or of the best estimate of the picture where it is
    incomplete. ``mask`` ``(F,1,h,w)``: 1 where the picture is to be made, 0 where it is known. ``drift``
    ``(F,2,h,w)``: how far the true place of each cell's noise is from its grid point, in cells, dx first. ``look``
    ``(1,)`` or ``(F,)`` int64: rows of the look table (see `vedit.diffusion.looks`). ``paths``: per grid size
    ``(h, w)``, where each point lies in the window's other frames. ``temporal``: the kind of layer that lets the
    frames see each other.
    """

    context: Tensor
    mask: Tensor
    drift: Tensor
    look: Tensor
    paths: dict[tuple[int, int], Paths]
    temporal: Temporal = "attention"
