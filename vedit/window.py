"""A part of a picture."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # the facts of a film come near here, and need no torch
    from numpy.typing import NDArray
    from torch import Tensor

Image = TypeVar("Image", "Tensor", "NDArray[Any]")


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

    def of(self, image: Image) -> Image:
        """What an image ``(…, H, W)`` shows there (a view)."""
        return image[..., self.top : self.bottom, self.left : self.right]

    def within(self, outer: "Window") -> "Window":
        """The same place as seen from inside another window."""
        return self.moved(-outer.top, -outer.left)

    def moved(self, down: int, right: int) -> "Window":
        """The same size elsewhere."""
        return Window(self.top + down, self.bottom + down, self.left + right, self.right + right)

    def grown(self, margin: int, height: int, width: int) -> "Window":
        """With so many pixels more all round, as far as the picture goes."""
        top, left = max(0, self.top - margin), max(0, self.left - margin)
        return Window(top, min(height, self.bottom + margin), left, min(width, self.right + margin))

    def shared(self, other: "Window") -> "Window | None":
        """What lies in both; None when nothing does."""
        top, bottom = max(self.top, other.top), min(self.bottom, other.bottom)
        left, right = max(self.left, other.left), min(self.right, other.right)
        return Window(top, bottom, left, right) if top < bottom and left < right else None

    def blocks(self, side: int, height: int, width: int) -> "Window":
        """Grown to whole squares of ``side`` pixels and one more all round, as far as the picture goes."""
        top, left = self.top // side * side, self.left // side * side
        whole = Window(top, -(-self.bottom // side) * side, left, -(-self.right // side) * side)
        return whole.grown(side, height, width)


def window_of(mask: "Tensor") -> Window | None:
    """The smallest window with everything that is marked in ``(1, H, W)``; None when nothing is."""
    marked = mask[0] > 0
    rows, columns = (marked.any(axis).nonzero().flatten() for axis in (1, 0))
    if len(rows) == 0:
        return None
    return Window(int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1)
