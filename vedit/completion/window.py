"""The part of each frame that a hole and its surroundings take up: a small logo in 4K then costs like 480p."""

from dataclasses import dataclass

import torch
from torch import Tensor

MARGIN = 64
"""Pixels around a hole that are looked at, at least…"""
SHARE = 16
"""…and at least one in so many of the longer side: in a larger picture the same motion has more pixels."""
STEP = 16
"""Windows begin at multiples of this, so that grids coarser than the picture's are the same in all of them."""


@dataclass(frozen=True)
class Window:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of a picture, half open."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left

    def of(self, image: Tensor) -> Tensor:
        """What an image ``(…, H, W)`` shows there (a view)."""
        return image[..., self.top : self.bottom, self.left : self.right]

    def within(self, outer: "Window") -> "Window":
        """The same place as seen from inside another window."""
        return Window(
            self.top - outer.top, self.bottom - outer.top, self.left - outer.left, self.right - outer.left
        )


def window_around(masks: list[Tensor]) -> Window | None:
    """The window that holds every hole of some masks ``(1, H, W)`` and what is around them; None without a hole."""
    union = torch.stack(masks).amax((0, 1)) > 0
    rows, columns = (union.any(axis).nonzero().flatten() for axis in (1, 0))
    if len(rows) == 0:
        return None
    height, width = union.shape
    margin = max(MARGIN, max(height, width) // SHARE)

    def span(places: Tensor, size: int) -> tuple[int, int]:
        first, last = int(places[0]) - margin, int(places[-1]) + 1 + margin
        return max(0, first // STEP * STEP), min(size, -(-last // STEP) * STEP)

    return Window(*span(rows, height), *span(columns, width))
