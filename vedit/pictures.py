"""Still pictures from files: style images, masks, photographs to train on."""

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.errors import InputError


def read_picture(path: str | Path) -> Tensor:
    """A picture file as ``(3, H, W)`` uint8 RGB.

    Raises:
        InputError: it is missing, not readable, or no picture.
    """
    try:
        data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    except FileNotFoundError as error:
        raise InputError(f"picture {path} does not exist", "Check the path.") from error
    except OSError as error:
        raise InputError(
            f"picture {path} cannot be read ({error.strerror})", "Check its permissions."
        ) from error
    # imdecode and not imread: imread fails on paths outside the code page of some systems, and only prints why.
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if picture is None:
        raise InputError(f"{path} is not a picture", "Give a PNG or JPEG file.")
    return torch.from_numpy(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).permute(2, 0, 1).contiguous()
