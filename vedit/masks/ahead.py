"""Frames looked at before their masks are known, held lightly."""

from math import sqrt

import cv2
import numpy as np
import numpy.typing as npt

from vedit.frame import Frame, Shot

Grey = npt.NDArray[np.uint8]
Colours = npt.NDArray[np.uint8]
Marks = npt.NDArray[np.bool_]

LARGEST = 1280 * 720
"""Pixels of the picture that is searched; larger ones are searched smaller."""
HELD_BYTES = 240_000_000
"""What waiting frames may take together."""


def looked_at(frame: Frame, shot: Shot) -> Colours:
    """The picture ``(h, w, 3)`` uint8 RGB that is searched; the frame's converted pixels are let go."""
    planes = frame.pixels[:3].cpu().numpy()
    frame.forget()
    height, width = searched_size(shot)
    small = [cv2.convertScaleAbs(plane, alpha=255) for plane in planes]
    if (height, width) != small[0].shape:
        small = [cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA) for plane in small]
    return np.asarray(cv2.merge(small), np.uint8)


def searched_size(shot: Shot) -> tuple[int, int]:
    """Height and width of the picture that is searched."""
    scale = min(1.0, sqrt(LARGEST / (shot.height * shot.width)))
    return max(1, round(shot.height * scale)), max(1, round(shot.width * scale))


def at_most(pixels: int, picture: Colours) -> Colours:
    """The picture, brought to about so many pixels if it has more."""
    height, width = picture.shape[:2]
    scale = sqrt(pixels / (height * width))
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def most_held(wanted: int, least: int, frame: Frame, shot: Shot) -> int:
    """How many frames may wait, of those wanted: fewer of large pictures, and of those an edit has made in floats."""
    height, width = searched_size(shot)
    each = frame.weight * shot.height * shot.width + height * width
    return max(least, min(wanted, int(HELD_BYTES / each)))


def full_size(marks: Marks, shot: Shot) -> Marks:
    """A mask of the searched picture for the whole one."""
    if marks.shape == (shot.height, shot.width):
        return marks
    size = (shot.width, shot.height)
    return np.asarray(cv2.resize(marks.astype(np.uint8), size, interpolation=cv2.INTER_LINEAR_EXACT) > 0)
