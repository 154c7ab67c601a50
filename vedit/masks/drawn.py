"""Boxes and polygons written as words."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.errors import UsageError
from vedit.frame import Shot


def is_drawn(setting: str | Path | Tensor) -> bool:
    return isinstance(setting, str) and setting.startswith(("box:", "poly:"))


def corners(spec: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The corners of a spec as (N, 2) x, y; those of a box are its upper left and its lower right.

    Raises:
        UsageError: the spec is not one.
    """
    kind, _, words = spec.partition(":")
    try:
        numbers = [[float(n) for n in word.split(",")] for word in words.split()]
    except ValueError:
        numbers = []
    if kind == "box":
        if len(numbers) != 1 or len(numbers[0]) != 4 or not np.isfinite(numbers).all():
            raise UsageError(f"mask {spec!r} is not a box", "Write box:x,y,w,h, such as box:20,30,200,60.")
        x, y, w, h = numbers[0]
        if w <= 0 or h <= 0:
            raise UsageError(f"mask {spec!r} has no area", "Give a width and a height above 0: box:x,y,w,h.")
        return np.array([[x, y], [x + w, y + h]])
    if len(numbers) < 3 or any(len(n) != 2 for n in numbers) or not np.isfinite(numbers).all():
        raise UsageError(f"mask {spec!r} is not a polygon", "Write poly:x1,y1 x2,y2 x3,y3 …")
    return np.array(numbers)


def drawn(spec: str, shot: Shot) -> Tensor:
    """The spec as a mask ``(1, H, W)`` of 0 and 1, on the CPU.

    Raises:
        UsageError: it is not one, or lies outside the picture.
    """
    height, width = shot.height, shot.width
    points = corners(spec)
    (left, top), (right, bottom) = points.min(0), points.max(0)
    picture = f"the picture is {width}x{height}"
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise UsageError(f"mask {spec!r} lies outside the picture", f"Coordinates are in pixels; {picture}.")
    if left < 0 or top < 0 or right > width or bottom > height:
        shot.notes.warn(f"mask {spec!r} reaches beyond the picture and was cut off there; {picture}")
    canvas = np.zeros((height, width), np.uint8)
    if spec.startswith("box:"):
        x0, y0, x1, y1 = (max(0, round(v)) for v in (left, top, right, bottom))
        canvas[y0:y1, x0:x1] = 1
    else:
        cv2.fillPoly(canvas, [points.round().clip(-(2**30), 2**30).astype(np.int32)], (1,))
    return torch.from_numpy(canvas)[None].float()
