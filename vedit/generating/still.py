"""A still picture that a camera moves over, with near things moving more than far ones."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vedit.generating.camera import Path, View, path, suited
from vedit.generating.depth import focus, nearness
from vedit.generating.storyboard import Camera

Map = NDArray[np.float32]

COARSE = 8
"""Pixels of the film per point of the grid on which places are worked out; they change slowly."""
FINEST = 2
"""Pixels of a picture per pixel of the film that are looked at: nearer no camera comes."""
TURNS = 4
"""Rounds of looking up how near the place is that is seen somewhere: it changes the place a little."""


class Still:
    """A picture, its guessed depth and its camera.

    Args:
        picture: ``(3,H,W)`` uint8.
        size: height and width of the film.
        camera: where it goes.
        seconds: how long it is seen, transitions included.
        free: whether the camera was left to chance, and may suit the picture's shape instead.
    """

    def __init__(
        self, picture: Tensor, size: tuple[int, int], camera: Camera, seconds: float, *, free: bool = False
    ) -> None:
        self.size = size
        fine = min(side / own for side, own in zip(picture.shape[-2:], size, strict=True)) / FINEST
        if fine > 1:  # of a large photograph as floats there would be gigabytes
            picture = _smaller(picture, fine)
        height, width = picture.shape[-2:]
        fitting = min(height / size[0], width / size[1])
        self._room = fitting * size[1] / width, fitting * size[0] / height
        pixels = picture.float() / 255
        self.near = nearness(pixels)
        if free:
            camera = suited(camera, self._room)
        self.path: Path = path(camera, seconds, focus(pixels), self._room)
        closest = min(self.path.first.size, self.path.last.size) * fitting
        if closest > 1:  # pixels per pixel: what is finer than the film would shimmer
            pixels = _smaller(pixels, closest)
        self._rows = np.ascontiguousarray(pixels.clamp(0, 1).permute(1, 2, 0).numpy())
        self._near = np.ascontiguousarray(self.near.numpy())

    def view(self, way: float, bend: Tensor | None = None) -> Tensor:
        """The film's picture ``(3,h,w)`` in [0, 1] at a part of the camera's way.

        The picture is sampled once, by Keys' cubic kernel (a = -0.75).

        Args:
            way: in [0, 1].
            bend: ``(2,h',w')``, dx first: each point shows what is that far from it, in parts of the film's sides.
        """
        x, y = self._places(self.path.at(way), bend)
        height, width = self.size
        across = (_grown(x, height, width) * self._rows.shape[1] - 0.5).astype(np.float32)
        down = (_grown(y, height, width) * self._rows.shape[0] - 0.5).astype(np.float32)
        seen = cv2.remap(self._rows, across, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        return torch.from_numpy(seen).permute(2, 0, 1).clamp(0, 1).contiguous()

    def depth(self, way: float) -> Tensor:
        """Nearness ``(h',w')`` in [-1, 1] of what a view shows, on the grid of places."""
        return torch.from_numpy(self._nearness(*self._places(self.path.at(way), None)))

    def _places(self, view: View, bend: Tensor | None) -> tuple[Map, Map]:
        """Where in the picture, in [0, 1] of its sides, the points of a view lie; on the coarse grid."""
        rows, columns = (-(-side // COARSE) + 1 for side in self.size)
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        # Points stand on the film's pixels 0, 8, 16 and so on, which are sampled at their centres.
        x = (x * COARSE + 0.5) / self.size[1] - 0.5
        y = (y * COARSE + 0.5) / self.size[0] - 0.5
        if bend is not None:
            moved = F.interpolate(bend[None], size=(rows, columns), mode="bicubic", align_corners=True)[0]
            x, y = x + moved[0].numpy(), y + moved[1].numpy()
        wide, high = (side * view.size for side in self._room)
        seen_x, seen_y = view.x + x * wide, view.y + y * high
        at_x, at_y = seen_x, seen_y
        for _ in range(TURNS):
            near = self._nearness(at_x, at_y)
            at_x = seen_x - near * (view.shift[0] * wide + view.swell * x * wide)
            at_y = seen_y - near * (view.shift[1] * high + view.swell * y * high)
        return at_x.astype(np.float32), at_y.astype(np.float32)

    def _nearness(self, x: Map, y: Map) -> Map:
        height, width = self._near.shape
        across, down = (x * width - 0.5).astype(np.float32), (y * height - 0.5).astype(np.float32)
        seen = cv2.remap(self._near, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(seen, np.float32)


def _smaller(picture: Tensor, times: float) -> Tensor:
    """A picture ``(3,H,W)`` with its sides divided."""
    small = [max(2, round(side / times)) for side in picture.shape[-2:]]
    return F.interpolate(picture[None], size=small, mode="bicubic", align_corners=False, antialias=True)[0]


def _grown(field: Map, height: int, width: int) -> Map:
    """A field of the coarse grid on the film's own."""
    whole = cv2.warpAffine(
        field,
        np.array([[1 / COARSE, 0, 0], [0, 1 / COARSE, 0]], np.float32),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(whole, np.float32)
