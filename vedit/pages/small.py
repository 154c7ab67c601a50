"""Pictures made small, as they are shown in pages."""

from base64 import b64encode

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vedit.video.source import Source

Rgb = NDArray[np.uint8]
"""A picture ``(H, W, 3)``."""


def small_size(film: Source, side: int) -> tuple[int, int]:
    """Width and height, even, of the film as it is seen, in square pixels, the longer one no more than ``side``."""
    wide = float(film.width * film.video.sar)
    scale = min(1.0, side / max(wide, film.height))
    width, height = (max(16, 2 * round(length * scale / 2)) for length in (wide, film.height))
    return width, height


def picture_of(picture: Tensor, width: int, height: int) -> Rgb:
    """A picture ``(3, H, W)`` in [0, 1] in that size."""
    rgb = np.ascontiguousarray((picture * 255).round().byte().permute(1, 2, 0).numpy())
    how = cv2.INTER_AREA if width < rgb.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=how), np.uint8)


def jpeg(rgb: Rgb, quality: int = 85) -> bytes:
    """A picture as a JPEG file."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def jpeg_url(data: bytes) -> str:
    """A JPEG file for a page, in the page itself."""
    return f"data:image/jpeg;base64,{b64encode(data).decode()}"
