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


def read_style(style: Picture, longest: int = STYLE_SIDE) -> Tensor:
    """A style picture or painted frame as ``(3, H, W)`` in [0, 1], its longer side at most ``longest``.

    Raises:
        InputError: the file is missing or no picture.
        UsageError: the tensor's shape or range is wrong.
    """
    if isinstance(style, Tensor):
        if style.ndim != 3 or style.shape[0] != 3 or 0 in style.shape:
            raise UsageError(f"the picture has shape {tuple(style.shape)}", "Give (3, H, W) RGB in [0, 1].")
        picture = style.float()
        if not bool(((picture > -0.5) & (picture < 1.5)).all()):  # of 8 bits, or no numbers at all
            raise UsageError("the picture has values that are not in [0, 1]", "Give x.float() / 255.")
    else:
        picture = read_picture(style).float() / 255
    height, width = picture.shape[-2:]
    return shrunk(picture, painting_size(height, width, longest))


def painted_key(picture: Picture, size: tuple[int, int]) -> Tensor:
    """A painted key ``(3,H,W)`` at the size that its film is painted at.

    Raises:
        UsageError: its aspect is another one.
        InputError: as `read_style`.
    """
    picture = read_style(picture, max(*size, STYLE_SIDE))
    height, width = picture.shape[-2:]
    if abs(width / height / (size[1] / size[0]) - 1) > 0.03:
        raise UsageError(
            f"a key frame is {width}x{height}, which is not the film's shape",
            f"Give the whole frame, painted: {size[1]}x{size[0]} or the same shape larger or smaller.",
        )
    return resize(picture[None], *size)[0]
