"""The part of each frame that a hole and its surroundings take up: a small logo in 4K then costs like 480p."""

from collections.abc import Collection

from vedit.completion.marked import Marked
from vedit.window import Window

MARGIN = 64
"""Pixels around a hole that are looked at, at least…"""
SHARE = 16
"""…and at least one in so many of the longer side: in a larger picture the same motion has more pixels."""
STEP = 16
"""Windows begin at multiples of this, so that grids coarser than the picture's are the same in all of them."""


def window_around(masks: Collection[Marked]) -> Window | None:
    """The window that holds every hole of some masks and what is around them; None without a hole."""
    holes = [mask.box for mask in masks if mask.box is not None]
    if not holes:
        return None
    height, width = next(iter(masks)).size
    margin = max(MARGIN, max(height, width) // SHARE)

    def span(first: int, last: int, size: int) -> tuple[int, int]:
        return max(0, (first - margin) // STEP * STEP), min(size, -(-(last + margin) // STEP) * STEP)

    rows = min(hole.top for hole in holes), max(hole.bottom for hole in holes)
    columns = min(hole.left for hole in holes), max(hole.right for hole in holes)
    return Window(*span(*rows, height), *span(*columns, width))
