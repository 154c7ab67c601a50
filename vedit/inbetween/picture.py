"""One frame as interpolation needs it: on the grids where motion is found, worked out once for both its pairs."""

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.resize import resize
from vedit.inbetween.sharpness import detail
from vedit.inbetween.source import Source

_LARGEST = 1920 * 1088
"""Larger pictures have their motion found at half their size (or a quarter, for 8K): it is smooth there."""
_PLAIN = 2 / 255
"""How far apart the values of a channel may be in a picture of one colour."""
_GRID = 8
"""The coarsest level halves a quarter of the size once more."""


class Picture:
    """A frame ``(C, H, W)`` in [0, 1], RGB or RGB and alpha, on the device that computes.

    ``whole`` ``(1, C, H', W')`` is the picture, its sides padded to what the grids divide by repeating the border;
    ``work`` ``(1, 3, h, w)`` its colours averaged down by ``scale``, ``half`` and ``quarter`` the same once and twice
    more.
    """

    def __init__(self, pixels: Tensor, device: torch.device) -> None:
        self.pixels = pixels.to(device).contiguous()
        height, width = pixels.shape[-2:]
        self.scale = 1
        while height * width > _LARGEST * self.scale**2:
            self.scale *= 2
        below, right = (-side % (_GRID * self.scale) for side in (height, width))
        padded = below or right
        self.whole = (
            F.pad(self.pixels[None], (0, right, 0, below), mode="replicate") if padded else self.pixels[None]
        )

    @cached_property
    def work(self) -> Tensor:
        colours = self.whole[:, :3]
        height, width = colours.shape[-2:]
        return resize(colours, height // self.scale, width // self.scale)

    @cached_property
    def half(self) -> Tensor:
        height, width = self.work.shape[-2:]
        return resize(self.work, height // 2, width // 2)

    @cached_property
    def quarter(self) -> Tensor:
        height, width = self.work.shape[-2:]
        return resize(self.work, height // 4, width // 4)

    @cached_property
    def levels(self) -> Tensor:
        """The pixels in levels of 255."""
        return self.pixels * 255

    @cached_property
    def mean(self) -> Tensor:
        """Each channel's ``(1,C,1,1)``."""
        return self.pixels.mean((-1, -2), keepdim=True)[None]

    @cached_property
    def plain(self) -> bool:
        """Whether it is of one colour."""
        colours = self.pixels[:3]
        parts = (colours[:, ::8, ::8], colours)  # of most pictures the first says no
        return all(float((part.amax((-1, -2)) - part.amin((-1, -2))).max()) < _PLAIN for part in parts)

    @cached_property
    def detail(self) -> Tensor:
        """Its gradient energy, a scalar."""
        return detail(self.pixels[None])

    @cached_property
    def from_whole(self) -> Source:
        """To fetch the whole picture by a sharp kernel."""
        return Source(self.whole, "bicubic")

    @cached_property
    def from_half(self) -> Source:
        """To fetch the half size picture."""
        return Source(self.half, "bilinear")

    @cached_property
    def from_quarter(self) -> Source:
        """To fetch that of a quarter of the size."""
        return Source(self.quarter, "bilinear")
