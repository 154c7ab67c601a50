"""What was drawn on a frame, as a mask setting."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vedit.errors import UsageError
from vedit.pictures import read_picture
from vedit.video.source import Source

PNG = "data:image/png;base64,"
NOTHING = "nothing is marked in the picture", "Draw a box, or paint over what is to go, on the frame."


def drawn_mask(drawing: Mapping[str, Any] | None, source: Source, frame: int | None, folder: Path) -> str:
    """The mask setting that a drawing means: ``box:x,y,w,h`` or a picture, followed from a frame or not.

    Args:
        drawing: ``{"box": [x, y, w, h]}`` in pixels of the film, or ``{"png": "data:…"}``, white = change.
        source: the film.
        frame: the frame in which it marks what is then followed; None: it stays where it is.
        folder: where a picture is written, as ``mask.png`` in a folder of its own.

    Raises:
        UsageError: nothing was drawn, or not on this film.
    """
    if drawing and "box" in drawing:
        x, y, w, h = (int(number) for number in drawing["box"])
        setting = f"box:{x},{y},{w},{h}"
    elif drawing and str(drawing.get("png", "")).startswith(PNG):
        setting = str(_written(drawing["png"], source, folder))
    else:
        raise UsageError(*NOTHING)
    return setting if frame is None else f"track:{frame}={setting}"


def mask_file(setting: object) -> Path | None:
    """The picture that :func:`drawn_mask` wrote for a setting, if it did."""
    name = str(setting).rpartition("=")[2]
    return Path(name) if name.endswith("mask.png") else None


def _written(url: str, source: Source, folder: Path) -> Path:
    """The drawing as a PNG picture of 0 and 255, checked to be as large as the film; the same one is the same file."""
    try:
        data = base64.b64decode(url.removeprefix(PNG), validate=True)
    except binascii.Error as error:
        raise UsageError("the drawing did not arrive whole", "Draw it again.") from error
    path = folder / hashlib.sha256(data).hexdigest()[:12] / "mask.png"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(data)
    grey = read_picture(path).amax(0).numpy()
    if grey.shape != (source.height, source.width):
        raise UsageError("the drawing is of another film", "Draw it again.")
    marked = (grey > 127).astype(np.uint8) * 255
    if not marked.any():
        raise UsageError(*NOTHING)
    path.write_bytes(cv2.imencode(".png", marked)[1].tobytes())
    return path
