"""Still pictures from files: style images, masks, photographs to train on."""

import warnings
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from vedit.errors import InputError
from vedit.video.limits import check_size


def read_picture(path: str | Path) -> Tensor:
    """A picture file as ``(3, H, W)`` uint8 RGB.

    Raises:
        InputError: it is missing, not readable, no picture, or larger than ``vedit.video.limits`` allows.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
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
            width, height = header.size
    except Image.DecompressionBombError as error:
        raise InputError(f"picture {path} is too large: {error}", "Make it smaller.") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"{path} is not a picture", "Give a PNG or JPEG file.") from error
    check_size(f"picture {path}", width, height)
    # imdecode and not imread: imread fails on paths outside the code page of some systems, and only prints why.
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError(f"{path} is not a picture", "Give a PNG or JPEG file.")
    return torch.from_numpy(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).permute(2, 0, 1).contiguous()
