"""A mask held as the box of its hole: a whole one of 1080p in floats is 8 MB, and a window of films holds dozens."""

import torch
from torch import Tensor

from vedit.window import Window, window_of


class Marked:
    """What a mask ``(1, H, W)`` of 0 and 1 marks; the mask itself is let go.

    ``size``: H, W. ``box``: the smallest window with all that is marked; None when nothing is.
    """

    def __init__(self, mask: Tensor) -> None:
        self.size = mask.shape[-2], mask.shape[-1]
        self.box = window_of(mask)
        box = self.box or Window(0, 0, 0, 0)
        self._inside = box.of(mask).to(torch.bool, copy=True)

    @property
    def device(self) -> torch.device:
        return self._inside.device

    def of(self, window: Window) -> Tensor:
        """What the mask shows in a window, ``(1, h, w)`` float32."""
        out = torch.zeros(1, window.height, window.width, device=self.device)
        if self.box is not None and (shared := window.shared(self.box)):
            shared.within(window).of(out)[:] = shared.within(self.box).of(self._inside)
        return out

    def whole(self) -> Tensor:
        """The mask ``(1, H, W)`` float32, made anew."""
        return self.of(Window(0, self.size[0], 0, self.size[1]))
