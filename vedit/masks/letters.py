"""Thin bright things in a picture that may be letters, and which of them stand side by side."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from vedit.masks.ahead import Grey

LEAST_CONTRAST = 18
"""Grey levels by which a stroke stands out."""
FAINTEST, DARKEST = 26, 100
"""What a letter's pixels are in the mean at least: how far they stand out, and how bright they are."""
WORD_GAP, LINE_GAP = 1.6, 2.2
"""Letter heights between neighbours in a row, and between parts of one line."""

_Numbers = npt.NDArray[Any]


class Letters(NamedTuple):
    """Components that may be letters: a value each for its box, its pixels and its grey."""

    numbers: _Numbers
    """What each is called in ``labels``."""
    x: _Numbers
    y: _Numbers
    w: _Numbers
    h: _Numbers
    area: _Numbers
    strength: _Numbers
    """By how many grey levels it stands out, in the mean."""
    level: _Numbers
    """The grey of its strongest pixels."""
    labels: _Numbers
    """``(H, W)``: the component of each pixel."""

    @property
    def right(self) -> _Numbers:
        return self.x + self.w

    @property
    def bottom(self) -> _Numbers:
        return self.y + self.h


def stroke_reach(height: int, width: int) -> int:
    """The side of the opening's element: strokes are thinner than a twenty-eighth of the picture's shorter side."""
    return 2 * round(min(height, width) / 56) + 1


def strokes(luma: Grey, side: int | None = None) -> Grey:
    """How much each pixel stands out of its surroundings as part of a thin bright thing, in grey levels.

    This is the white top-hat. ``side`` is the opening's, where the picture is only a part of the whole one.
    """
    side = side or stroke_reach(*luma.shape)
    element = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    return np.asarray(cv2.morphologyEx(luma, cv2.MORPH_TOPHAT, element), np.uint8)


def letters(thin: Grey, luma: Grey) -> Letters:
    """The components of the strokes ``thin`` (see `strokes`) that have a letter's size, brightness and contrast."""
    short = min(thin.shape)
    around = cv2.dilate(thin, np.ones((2 * stroke_reach(*thin.shape) + 1,) * 2, np.uint8))
    # Half of what the strongest stroke nearby has: blur and ringing join the letters at any lower level.
    on = ((thin >= LEAST_CONTRAST) & (thin >= 0.5 * around)).astype(np.uint8)
    _, components, stats, _ = cv2.connectedComponentsWithStats(on, connectivity=8)
    labels = np.asarray(components)
    x, y, w, h, area = (stats[:, i].astype(np.float64) for i in range(5))
    fit = (h >= max(5, 0.012 * short)) & (h <= 0.14 * short)
    fit &= (w <= 0.5 * thin.shape[1]) & (area >= 0.12 * w * h) & (w * h > 0)
    fit[0] = False
    flat = labels.ravel()
    strength = np.bincount(flat, thin.ravel(), len(area)) / np.maximum(area, 1)
    fit &= strength >= FAINTEST
    fit &= np.bincount(flat, luma.ravel(), len(area)) >= DARKEST * area
    numbers = np.flatnonzero(fit)
    # A component's strongest pixels, which are not blurred by its edge, count for its grey.
    sharp = thin.ravel().astype(np.float32) ** 6
    level = np.bincount(flat, sharp * luma.ravel(), len(area)) / np.maximum(
        np.bincount(flat, sharp, len(area)), 1
    )
    x, y, w, h, area, strength, level = (v[numbers] for v in (x, y, w, h, area, strength, level))
    return Letters(numbers, x, y, w, h, area, strength, level, labels)


def rows(a: Letters) -> list[_Numbers]:
    """Indices of letters that stand side by side, three or more of one height, grey and contrast."""
    parent = list(range(len(a.x)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    order = np.argsort(a.x)
    for place, i in enumerate(order):
        after = order[place + 1 :]
        after = after[a.x[after] <= a.right[i] + WORD_GAP * a.h.max()]
        higher, lower = np.maximum(a.h[after], a.h[i]), np.minimum(a.h[after], a.h[i])
        shared = np.minimum(a.bottom[after], a.bottom[i]) - np.maximum(a.y[after], a.y[i])
        near = (a.x[after] - a.right[i] <= WORD_GAP * higher) & (shared >= 0.55 * lower)
        near &= (higher <= 2.2 * lower) & (np.abs(a.level[after] - a.level[i]) <= 30)
        near &= np.abs(np.log(a.strength[after] / a.strength[i])) <= 0.8
        for j in after[near]:
            parent[root(int(j))] = root(int(i))
    found: dict[int, list[int]] = {}
    for i in range(len(a.x)):
        found.setdefault(root(i), []).append(i)
    return [np.array(row) for row in found.values() if len(row) >= 3]


def whole_line(a: Letters, row: _Numbers) -> _Numbers:
    """A row without what stands off its base line, with what stands beside it on the same line after wide gaps."""
    height, base = np.percentile(a.h[row], 75), np.median(a.bottom[row])
    off = (
        (a.bottom[row] > base + 0.5 * height)
        | (a.bottom[row] < base - height)
        | (a.y[row] < base - 1.7 * height)
    )
    row = row[~off]
    if len(row) < 2:
        return row
    height = np.percentile(a.h[row], 75)
    top, bottom, grey = a.y[row].min(), a.bottom[row].max(), np.median(a.level[row])
    if bottom - top > 1.8 * height:
        return row
    band = (
        (a.y >= top - 0.35 * height) & (a.bottom <= bottom + 0.35 * height) & (np.abs(a.level - grey) <= 35)
    )
    while True:
        left, right = a.x[row].min(), a.right[row].max()
        near = band & (a.x <= right + LINE_GAP * height) & (a.right >= left - LINE_GAP * height)
        near[row] = True
        grown = np.flatnonzero(near)
        if len(grown) == len(row):
            return grown
        row = grown
