"""Contact sheets: pictures in labelled rows, to see at a glance what the numbers mean."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vedit.errors import OutputError

STRIP = 22
"""Lines above each row for its label."""
GAP = 4
"""Pixels between pictures."""


def contact_sheet(rows: Sequence[tuple[str, Sequence[Tensor]]], path: str | Path, width: int = 320) -> None:
    """Write rows of pictures under their labels as one picture file; its extension picks the format.

    Args:
        rows: each a label (ASCII; other letters are drawn as ``?``) and its pictures, ``(3, H, W)`` RGB in [0, 1].
        path: the file to write; its folder is made.
        width: of each picture on the sheet.

    Raises:
        OutputError: the file cannot be written.
    """
    drawn = [_row(label, pictures, width) for label, pictures in rows]
    right = max(row.shape[1] for row in drawn)
    sheet = np.concatenate([_widened(row, right) for row in drawn])
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # imencode and not imwrite: imwrite fails on paths outside the code page of some systems.
        _, data = cv2.imencode(path.suffix, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        path.write_bytes(data.tobytes())
    except (OSError, cv2.error) as error:
        raise OutputError(
            f"{path} cannot be written ({error})", "Give a PNG or JPEG in a folder of yours."
        ) from error


def _row(label: str, pictures: Sequence[Tensor], width: int) -> NDArray[np.uint8]:
    """A label over its pictures, side by side: ``(h, w, 3)`` uint8 RGB, white where there is nothing."""
    small = [_scaled(picture, width) for picture in pictures]
    height = max(picture.shape[0] for picture in small)
    row = np.full((STRIP + height + GAP, len(small) * (width + GAP) - GAP, 3), 255, np.uint8)
    for column, picture in enumerate(small):
        left = column * (width + GAP)
        row[STRIP : STRIP + picture.shape[0], left : left + width] = picture
    text = label.encode("ascii", "replace").decode()
    cv2.putText(row, text, (4, STRIP - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (30, 30, 30), 1, cv2.LINE_AA)
    return row


def _scaled(picture: Tensor, width: int) -> NDArray[np.uint8]:
    """A picture at the sheet's width: ``(h, width, 3)`` uint8."""
    rgb = (picture.detach().float().cpu() * 255).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    height = max(1, round(rgb.shape[0] * width / rgb.shape[1]))
    how = cv2.INTER_AREA if width < rgb.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(np.ascontiguousarray(rgb), (width, height), interpolation=how), np.uint8)


def _widened(row: NDArray[np.uint8], width: int) -> NDArray[np.uint8]:
    return np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
