"""Still pictures from files: style images, masks, photographs to train on."""

import os
import warnings
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from vedit.errors import InputError
from vedit.video.limits import check_size


def read_picture(path: str | Path) -> Tensor:
    """A picture file as ``(3, H, W)`` uint8 RGB, the right way up; what is transparent is black.

    Raises:
        InputError: it is missing, not readable, no picture, or larger than ``vedit.video.limits`` allows.
    """
    path = Path(path)
    if os.path.exists(path) and not path.is_file():
        raise InputError(f"picture {path} is not a file", "Give a PNG or JPEG file.")
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(f"picture {path} does not exist", "Check the path.") from error
    except OSError as error:
        raise InputError(
            f"picture {path} cannot be read ({error.strerror})", "Check its permissions."
        ) from error
    try:
        # Pillow reads the size without the pixels, which OpenCV does not; its own limit is not ours.
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(data)) as header:
            check_size(f"picture {path}", *header.size)
            if "transparency" in header.info and _has_16_bits(data):
                picture = _without(header.info["transparency"], data)
            else:
                picture = _over_black(header) if _transparent(header) else _opaque(data)
    except Image.DecompressionBombError as error:
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise InputError(
            f"picture {path} is too large: more than {most} pixels", "Make it smaller."
        ) from error
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(
            f"{path} is not a picture, or not a whole one", "Give a PNG or JPEG file."
        ) from error
    return torch.from_numpy(picture).permute(2, 0, 1).contiguous()


def moves(path: Path) -> bool:
    """Whether a picture file holds several pictures to be shown one after the other."""
    with warnings.catch_warnings(action="ignore"), Image.open(path) as picture:
        return bool(getattr(picture, "is_animated", False))


def _transparent(picture: Image.Image) -> bool:
    return "A" in picture.getbands() or "transparency" in picture.info


def _over_black(picture: Image.Image) -> NDArray[np.uint8]:
    upright = ImageOps.exif_transpose(picture).convert("RGBA")
    ground = Image.new("RGBA", upright.size, (0, 0, 0, 255))
    return np.array(Image.alpha_composite(ground, upright).convert("RGB"))


def _has_16_bits(data: bytes) -> bool:
    """Whether it is a PNG file with so many bits of a colour."""
    return data.startswith(b"\x89PNG") and data[24] == 16


def _without(clear: object, data: bytes) -> NDArray[np.uint8]:
    """The picture of such a file in which one colour is transparent: Pillow clips greys and overlooks colours."""
    picture = _decoded(data, cv2.IMREAD_UNCHANGED)
    if picture.ndim == 2:  # OpenCV leaves grey opaque
        picture = np.stack([picture, picture, picture, picture != clear], -1)
    return np.asarray((picture[..., 2::-1] >> 8) * (picture[..., 3:] > 0), np.uint8)


def _opaque(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(_decoded(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def _decoded(data: bytes, flags: int) -> NDArray[np.integer]:
    # imdecode and not imread: imread fails on paths outside the code page of some systems, and only prints why.
    log = cv2.utils.logging
    level = log.getLogLevel()
    log.setLogLevel(log.LOG_LEVEL_SILENT)  # what is wrong is said by the caller
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    finally:
        log.setLogLevel(level)
    if picture is None:
        raise ValueError("not decoded")
    return np.asarray(picture)
