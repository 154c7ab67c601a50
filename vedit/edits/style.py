"""Style pictures and painted frames: read, and brought to the size they are used at."""

from pathlib import Path

from torch import Tensor

from vedit.edits.sketch import painting_size, shrunk
from vedit.errors import UsageError
from vedit.flow.resize import resize
from vedit.pictures import read_picture

Picture = str | Path | Tensor
"""A picture's path, or ``(3, H, W)`` RGB in [0, 1]."""

STYLE_SIDE = 1024
"""The longer side a style picture is brought to before anything is made of it."""


def read_style(style: Picture) -> Tensor:
    """A style picture or painted frame as ``(3, H, W)`` in [0, 1], its longer side at most `STYLE_SIDE`.

    Raises:
        InputError: the file is missing or no picture.
        UsageError: the tensor's shape is wrong.
    """
    if isinstance(style, Tensor):
        if style.ndim != 3 or style.shape[0] != 3:
            raise UsageError(f"the picture has shape {tuple(style.shape)}", "Give (3, H, W) RGB in [0, 1].")
        picture = style.float()
    else:
        picture = read_picture(style).float() / 255
    height, width = picture.shape[-2:]
    return shrunk(picture, painting_size(height, width, STYLE_SIDE))


def fitted_to(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A painted key ``(3,H,W)`` at the size that its film is painted at.

    Raises:
        UsageError: its aspect is another one.
    """
    height, width = picture.shape[-2:]
    if abs(width / height / (size[1] / size[0]) - 1) > 0.03:
        raise UsageError(
            f"a key frame is {width}x{height}, which is not the film's shape",
            f"Give the whole frame, painted: {size[1]}x{size[0]} or the same shape larger or smaller.",
        )
    return resize(picture[None], *size)[0]
