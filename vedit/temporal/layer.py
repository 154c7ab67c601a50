"""What a temporal layer is."""

from typing import Protocol

from torch import Tensor

from vedit.flow.paths import Paths


class TemporalLayer(Protocol):
    """Lets the frames of one window see each other: features ``(F,c,h,w)`` and their paths to the same shape."""

    def __call__(self, features: Tensor, paths: Paths) -> Tensor: ...
