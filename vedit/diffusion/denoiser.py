"""What a denoiser is, and what it is told besides the noisy latents."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from vedit.diffusion.prior import Prior
from vedit.flow.pairs import PairFlow


@dataclass(frozen=True, eq=False)
class Window:
    """F neighbouring frames on their way through the steps, on the latent grid ``h x w``.

    ``latents`` ``(F,c,h,w)``: the noisy ones. ``context`` ``(F,c,h,w)``: clean latents of the source, or of the best
    estimate of the picture where it is incomplete. ``mask`` ``(F,1,h,w)``: 1 where the picture is to be made, 0 where
    it is known. ``drift`` ``(F,2,h,w)``: how far the true place of each cell's noise is from its grid point, in cells,
    dx first. ``pairs``: the motion from the frame before to each frame, None for the first of a run.
    """

    frames: tuple[Prior, ...]
    latents: Tensor
    context: Tensor
    mask: Tensor
    drift: Tensor
    pairs: tuple[PairFlow | None, ...]

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, part: slice) -> "Window":
        return Window(
            self.frames[part],
            self.latents[part],
            self.context[part],
            self.mask[part],
            self.drift[part],
            self.pairs[part],
        )

    def at(self, latents: Tensor) -> "Window":
        """The same frames with other latents."""
        return Window(self.frames, latents, self.context, self.mask, self.drift, self.pairs)

    @property
    def motion(self) -> list[PairFlow] | None:
        """The F - 1 pairs inside the window; None where one is missing."""
        inside = [pair for pair in self.pairs[1:] if pair is not None]
        return inside if len(inside) == len(self) - 1 else None


def joined(windows: Sequence[Window]) -> Window:
    """Windows that follow each other as one."""
    return Window(
        tuple(frame for w in windows for frame in w.frames),
        torch.cat([w.latents for w in windows]),
        torch.cat([w.context for w in windows]),
        torch.cat([w.mask for w in windows]),
        torch.cat([w.drift for w in windows]),
        tuple(pair for w in windows for pair in w.pairs),
    )


@dataclass(frozen=True, eq=False)
class Step:
    """Which step of the schedule is due: its number from 0, and how many there are.

    ``anchors``: frames outside the window at the same level of noise, which its frames may look at; None where there
    are none. ``memo`` is the window's own, kept from step to step: what a denoiser works out once.
    """

    number: int
    count: int
    anchors: Window | None = None
    memo: dict[str, Any] = field(default_factory=dict)


class Denoiser(Protocol):
    """Noisy latents of one window, scaled for the model, to the model output ``(F,c,h,w)``, in float32.

    What the output means (noise, velocity, clean latents) is its scheduler's ``prediction_type``.
    """

    @property
    def full_windows(self) -> bool:
        """Whether a short last window is filled up with frames before it: a model trained on windows of one length."""
        ...

    @property
    def hides(self) -> bool:
        """Whether its context is the picture with the masked part blanked out (inpainting models)."""
        ...

    def __call__(self, latents: Tensor, timestep: Tensor, window: Window, step: Step) -> Tensor: ...
