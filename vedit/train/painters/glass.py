"""Stained glass: cells that fit the picture, flat glowing colours, dark leads between them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.field import (
    Picture,
    Plane,
    as_picture,
    blur,
    cloud,
    contours,
    form_field,
    grain,
    luminance,
)

Labels = NDArray[np.int32]
LEAD = np.array((0.055, 0.05, 0.06), np.float32)


def glass(picture: Picture, rng: np.random.Generator) -> Picture:
    """Set the picture in leaded glass: superpixels (Achanta et al. 2012), smaller where there is detail."""
    height, width = picture.shape[:2]
    shape = (height, width)
    small = cv2.resize(picture, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    calm = np.asarray(cv2.pyrMeanShiftFiltering(small, max(2, height // 60), 22, maxLevel=1), np.float32)
    lab = np.asarray(cv2.cvtColor(calm / 255, cv2.COLOR_RGB2LAB), np.float32)
    labels = _cells(lab, height / 2 / 12.5, rng)
    cells = _rounded(np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)))
    colours = _colours(picture, cells, rng)
    lead, inside = _leads(cells, colours, height)
    # Light gathers in the middle of a pane and runs in streaks through uneven glass.
    depth = 1 - np.exp(-inside / (height / 60))
    uneven = 0.05 * cloud(shape, height / 7, rng, 3) + 0.02 * grain(shape, height / 50, rng)
    pane = colours[cells] * (0.78 + 0.30 * depth + uneven)[..., None]
    # What is smaller than a cell is painted on the glass, as faces are in church windows.
    light = luminance(picture)
    shade = blur(light, height / 150) - _means(light[..., None], cells, len(colours))[cells][..., 0]
    detail = contours(light, form_field(picture, height / 90), height / 220, 0.03)
    pane *= (np.clip(1 + 1.1 * shade, 0.5, 1.4) * (1 - 0.7 * detail))[..., None]
    window = pane + (LEAD - pane) * lead[..., None]
    return as_picture(window + 0.20 * blur(window, height / 40) * (1 - 0.6 * window))


def _cells(lab: NDArray[np.float32], size: float, rng: np.random.Generator) -> Labels:
    """SLIC on a grid of about `size`, where a calm block of four cells gets one centre."""
    height, width = lab.shape[:2]
    rows, columns = 2 * max(1, round(height / size / 2)), 2 * max(1, round(width / size / 2))
    place = np.mgrid[0:height, 0:width].astype(np.float32)
    row = np.minimum((place[0] * rows / height).astype(np.int32), rows - 1)
    column = np.minimum((place[1] * columns / width).astype(np.int32), columns - 1)
    centres, used = _seeds(lab, rows, columns, rng)
    features = np.concatenate((lab, place.transpose(1, 2, 0) * np.float32(24 / size)), -1)
    centre = features[centres[:, 0], centres[:, 1]]
    for _ in range(4):
        best = np.full((height, width), np.inf, np.float32)
        labels = np.zeros((height, width), np.int32)
        for dr in (-2, -1, 0, 1, 2):
            for dc in (-2, -1, 0, 1, 2):
                near = np.clip(row + dr, 0, rows - 1) * columns + np.clip(column + dc, 0, columns - 1)
                away = features - centre[near]
                distance = np.einsum("hwc,hwc->hw", away, away) + np.where(used[near], 0, np.float32(1e9))
                closer = distance < best
                np.copyto(best, distance, where=closer)
                np.copyto(labels, near, where=closer)
        centre = _means(features, labels, rows * columns)
    return labels


def _seeds(
    lab: NDArray[np.float32], rows: int, columns: int, rng: np.random.Generator
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """A jittered centre for each grid cell, (N,2) row first, and which of them are used, (N,)."""
    height, width = lab.shape[:2]
    block = cv2.resize(lab, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    square = cv2.resize(lab * lab, (columns // 2, rows // 2), interpolation=cv2.INTER_AREA)
    spread = np.asarray(square - block * block, np.float32).reshape(rows // 2, columns // 2, 3).sum(-1)
    busy = np.repeat(np.repeat(spread > 90, 2, 0), 2, 1)
    y, x = np.mgrid[0.5:rows, 0.5:columns]
    corner = (np.mgrid[0:rows, 0:columns] % 2 == 0).all(0)
    # The one centre of a calm block sits in the middle of its four cells.
    y, x = np.where(busy, y, y + 0.5), np.where(busy, x, x + 0.5)
    loose = np.where(busy, 0.3, 0.55)
    y, x = y + rng.uniform(-1, 1, y.shape) * loose, x + rng.uniform(-1, 1, x.shape) * loose
    rows_at = np.clip(y * height / rows, 0, height - 1)
    columns_at = np.clip(x * width / columns, 0, width - 1)
    return np.stack((rows_at.ravel(), columns_at.ravel()), -1).astype(np.int32), (busy | corner).ravel()


def _means(values: NDArray[np.float32], labels: Labels, count: int) -> NDArray[np.float32]:
    """Mean of (H,W,C) values over each label, (count,C)."""
    flat = labels.ravel()
    number = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, values[..., c].ravel(), count) for c in range(values.shape[2])]
    return (np.stack(sums, -1) / number[:, None]).astype(np.float32)


def _rounded(labels: NDArray[np.integer]) -> Labels:
    """Smooth the outlines of cells, as a glazier cuts them, and drop splinters."""
    smooth = np.asarray(labels, np.uint16)
    for _ in range(4):
        smooth = np.asarray(cv2.medianBlur(smooth, 5), np.uint16)
    return smooth.astype(np.int32)


def _colours(picture: Picture, cells: Labels, rng: np.random.Generator) -> NDArray[np.float32]:
    """One deep, lit colour for each cell, (count,3) in [0,1]."""
    mean = _means(np.asarray(picture / 255, np.float32), cells, int(cells.max()) + 1)
    hsv = np.asarray(cv2.cvtColor(mean[None], cv2.COLOR_RGB2HSV)[0], np.float32)
    hsv[:, 1] = np.clip(hsv[:, 1] ** 0.75 * 1.2, 0, 0.95)
    low, high = np.percentile(hsv[:, 2], (3, 97))
    lit = np.clip((hsv[:, 2] - low) / max(float(high - low), 0.2), 0, 1)
    lit = 0.14 + 0.86 * (0.5 * lit + 0.5 * hsv[:, 2]) ** 0.8
    hsv[:, 2] = np.clip(lit + rng.normal(0, 0.04, len(hsv)), 0, 1)
    hsv[:, 0] = (hsv[:, 0] + rng.normal(0, 5, len(hsv))) % 360
    return np.asarray(cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0], np.float32)


def _leads(cells: Labels, colours: NDArray[np.float32], height: int) -> tuple[Plane, Plane]:
    """Lead cover in [0,1], and how far each pixel is from the nearest lead; outlines get broader leads."""
    lead, inside = np.zeros(cells.shape, np.float32), np.full(cells.shape, np.inf, np.float32)
    down = np.linalg.norm(colours[cells[1:]] - colours[cells[:-1]], axis=-1)
    across = np.linalg.norm(colours[cells[:, 1:]] - colours[cells[:, :-1]], axis=-1)
    for contrast, half in ((0.0, height / 150), (0.30, height / 88)):
        edge = np.zeros(cells.shape, np.uint8)
        edge[1:] |= ((cells[1:] != cells[:-1]) & (down >= contrast)).astype(np.uint8)
        edge[:, 1:] |= ((cells[:, 1:] != cells[:, :-1]) & (across >= contrast)).astype(np.uint8)
        distance = np.asarray(cv2.distanceTransform(1 - edge, cv2.DIST_L2, 5), np.float32)
        distance = blur(np.minimum(distance, height), half / 2)
        lead = np.maximum(lead, np.clip(half - distance + 0.8, 0, 1))
        inside = np.minimum(inside, np.maximum(distance - half, 0))
    return lead.astype(np.float32), inside.astype(np.float32)
