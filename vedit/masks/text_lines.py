"""Lines of text in a picture: bright strokes of one width and colour that stand side by side on one base line.

Letters are told from other thin things by what Epshtein et al. ("Detecting Text in Natural Scenes with Stroke Width
Transform", CVPR 2010) found to tell them: heights, stroke widths and colours alike, small gaps, one line.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vedit.masks.ahead import Grey
from vedit.masks.letters import Letters, letters, rows, whole_line


@dataclass(frozen=True)
class Line:
    """A line of text: its box in pixels, the grey level of its strokes, and how much they look like letters."""

    left: int
    top: int
    right: int
    bottom: int
    level: float
    contrast: float
    score: float
    """0 to 1, of the letters alone: where the line is and whether it moves is not looked at."""
    letters: int
    alone: float
    """How much of what is right above or below it, whichever has less, is strokes too, as a part of its own share."""

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


def text_lines(thin: Grey, luma: Grey) -> list[Line]:
    """The lines of text, whatever their score.

    Args:
        thin: `strokes`, over the frames in which they stay.
        luma: the picture.
    """
    found = letters(thin, luma)
    if len(found.x) < 3:
        return []
    lines = (_line(found, whole_line(found, row), thin) for row in rows(found))
    return [line for line in lines if line is not None]


def _line(a: Letters, m: npt.NDArray[Any], thin: Grey) -> Line | None:
    """The line made of the letters ``m``; None where it has a shape that no text has."""
    if len(m) < 2:
        return None
    height = float(np.percentile(a.h[m], 75))
    left, right = int(a.x[m].min()), int(a.right[m].max())
    top, bottom = int(a.y[m].min()), int(a.bottom[m].max())
    if right - left < 2 * height or bottom - top > min(1.9 * height, 0.12 * min(thin.shape)):
        return None
    part = np.s_[top:bottom, left:right]
    own = np.isin(a.labels[part], a.numbers[m])
    contrast = float(np.percentile(thin[part][own], 75))
    core = own & (thin[part] >= 0.5 * contrast)
    fill = float(core.mean())
    level = float(np.average(a.level[m], weights=a.area[m]))
    width, alike = _stroke_width(core)
    base = np.median(a.bottom[m][a.h[m] >= 0.6 * height])
    on_line = np.average(np.abs(a.bottom[m] - base) <= max(1.5, 0.14 * height), weights=a.w[m])
    levels = np.sqrt(np.average((a.level[m] - level) ** 2, weights=a.area[m]))
    crossings = np.count_nonzero(np.diff(np.pad(core, ((0, 0), (1, 1))).astype(np.int8), axis=1) > 0, axis=1)
    busy = np.percentile(crossings, 60) * height / (right - left)
    parts = [
        _above(len(m), 2, 6),
        _above(alike, 0.5, 0.8),
        _above(on_line, 0.4, 0.8),
        1 - _above(levels, 10, 24),
        _above(fill, 0.04, 0.1) * (1 - _above(fill, 0.45, 0.6)),
        _above(busy, 0.4, 0.9) * (1 - _above(busy, 3.5, 4.5)),
        1 - _above(width / height, 0.3, 0.45),
    ]
    score = float(np.prod(parts) ** (1 / len(parts)))
    gap, reach = max(2, round(0.25 * height)), max(3, round(height))
    above, below = thin[max(0, top - gap - reach) : max(0, top - gap)], thin[bottom + gap :][:reach]
    sides = [
        float((side[:, left:right] >= 0.5 * contrast).mean()) if side.size else 1.0 for side in (above, below)
    ]
    return Line(left, top, right, bottom, level, contrast, score, len(m), min(sides) / max(fill, 1e-6))


def _stroke_width(core: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """The width of the strokes, and the part of them that has it."""
    inside = cv2.distanceTransform(np.pad(core, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    ridge = inside[(inside > 0) & (inside >= cv2.dilate(inside, np.ones((3, 3), np.uint8)))]
    if not len(ridge):
        return 0.0, 0.0
    width = 2 * float(np.median(ridge))
    return width, float(np.mean(np.abs(2 * ridge - width) <= max(1.2, 0.4 * width)))


def _above(value: float, none: float, whole: float) -> float:
    """How far a value has come from one that counts for nothing to one that counts in full."""
    return float(np.clip((value - none) / (whole - none), 0, 1))
