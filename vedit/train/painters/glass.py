"""Stained glass: cells that fit the picture, deep glowing colours, black leads between them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Picture, Plane, as_picture, blur, contours, form_field, luminance

Labels = NDArray[np.int32]
LEAD = np.array((0.045, 0.04, 0.05), np.float32)
# Cells in calm parts and in busy parts, in parts of the height.
LARGE, SMALL = 1 / 8, 1 / 13


def glass(picture: Picture, chance: Chance) -> Picture:
    """Set the picture in leaded glass: superpixels (Achanta et al. 2012), smaller where there is detail."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    calm = np.asarray(cv2.pyrMeanShiftFiltering(small, max(2, height // 60), 22, maxLevel=1), np.float32)
    lab = np.asarray(cv2.cvtColor(calm / 255, cv2.COLOR_RGB2LAB), np.float32)
    seeds, size = _seeds(lab, chance)
    # In a dull or foggy picture, small differences are what cells must follow.
    lab *= np.float32(np.clip(24 / (lab[..., 0].std() + 1), 1, 2))
    labels = _cut(
        _rounded(_cells(lab, seeds * np.float32(0.5), size * np.float32(0.5)), max(3, height // 48)),
        height / 2,
    )
    cells = _rounded(np.asarray(cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)), 3)
    colours = _colours(picture, cells, seeds, chance)
    lead, inside = _leads(cells, colours, height)
    # Light gathers in the middle of a pane and runs in streaks through uneven glass.
    depth = 1 - np.exp(-inside / (height / 45))
    uneven = 0.06 * chance.cloud(height / 7, 4, 2)
    pane = colours[cells] * (0.72 + 0.40 * depth + uneven)[..., None]
    # What is smaller than a cell is painted on the glass, as faces are in church windows.
    light = luminance(picture)
    shade = blur(light, height / 150) - _means(light[..., None], cells, len(colours))[cells][..., 0]
    detail = contours(light, form_field(picture, height / 90), height / 240, 0.022)
    pane *= (np.clip(1 + 2 * shade, 0.3, 1.5) * (1 - 0.75 * detail))[..., None]
    window = pane + (LEAD - pane) * lead[..., None]
    return as_picture(
        window + 0.22 * blur(window, height / 45) * (1 - 0.6 * window) * (1 - 0.5 * lead)[..., None]
    )


def _seeds(lab: NDArray[np.float32], chance: Chance) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Seeds (N,2), x first, and the size of each one's cell (N,): large cells in calm parts, small in busy."""
    rows, columns = lab.shape[:2]
    around = 2 * rows * LARGE / 5
    spread = (blur(lab * lab, around) - blur(lab, around) ** 2).sum(-1)
    found, sizes = [np.array([[chance.width / 2, chance.height / 2]], np.float32)], [LARGE]
    for channel, share, wants in ((0, LARGE, False), (1, SMALL, True)):
        spots = chance.spots(share * chance.height, channel)
        x = np.minimum(spots[:, 0] / 2, columns - 1).astype(int)
        y = np.minimum(spots[:, 1] / 2, rows - 1).astype(int)
        kept = spots[(spread[y, x] > 110) == wants]
        found.append(kept)
        sizes += [share] * len(kept)
    # Only a picture too small for any spot takes the seed in its middle.
    first = 1 if len(sizes) > 1 else 0
    return np.concatenate(found)[first:], np.asarray(sizes[first:], np.float32) * chance.height


def _cells(lab: NDArray[np.float32], seeds: NDArray[np.float32], size: NDArray[np.float32]) -> Labels:
    """SLIC from scattered seeds: each pixel goes to the seed that suits its colour and place best."""
    rows, columns = lab.shape[:2]
    place = np.mgrid[0:rows, 0:columns].astype(np.float32).transpose(1, 2, 0)
    x, y = np.clip(seeds[:, 0], 0, columns - 1), np.clip(seeds[:, 1], 0, rows - 1)
    scale = np.float32(34) / size
    kept = np.ones(len(seeds), bool)
    colour, middle = blur(lab, 1.5)[y.astype(int), x.astype(int)], np.stack((y, x), -1)
    labels = np.zeros((rows, columns), np.int32)
    for _ in range(4):
        best = np.full((rows, columns), np.inf, np.float32)
        for i in np.flatnonzero(kept):
            reach = 2.2 * size[i] + 2
            top, left = (max(int(m - reach), 0) for m in middle[i])
            bottom, right = (int(m + reach) + 1 for m in middle[i])
            near = (slice(top, bottom), slice(left, right))
            tint, away = lab[near] - colour[i], (place[near] - middle[i]) * scale[i]
            distance = np.einsum("hwc,hwc->hw", tint, tint) + np.einsum("hwc,hwc->hw", away, away)
            closer = distance < best[near]
            np.copyto(best[near], distance, where=closer)
            np.copyto(labels[near], np.int32(i), where=closer)
        colour, middle = _means(lab, labels, len(seeds)), _means(place, labels, len(seeds))
        # Nobody cuts splinters: a cell that got little goes to its neighbours.
        kept &= np.bincount(labels.ravel(), minlength=len(seeds)) > 0.25 * size**2
    return labels


def _means(values: NDArray[np.float32], labels: Labels, count: int) -> NDArray[np.float32]:
    """Mean of (H,W,C) values over each label, (count,C)."""
    flat = labels.ravel()
    number = np.maximum(np.bincount(flat, minlength=count), 1)
    sums = [np.bincount(flat, values[..., c].ravel(), count) for c in range(values.shape[2])]
    return (np.stack(sums, -1) / number[:, None]).astype(np.float32)


def _rounded(labels: NDArray[np.integer], rounds: int) -> Labels:
    """Smooth the outlines of cells, as a glazier cuts them, and drop splinters."""
    smooth = np.asarray(labels, np.uint16)
    for _ in range(rounds):
        smooth = np.asarray(cv2.medianBlur(smooth, 5), np.uint16)
    return smooth.astype(np.int32)


def _cut(labels: Labels, height: float) -> Labels:
    """Cells without what glass cannot be cut to: parts too narrow or too small between leads go to what is nearest."""
    edge = np.zeros(labels.shape, np.uint8)
    edge[1:] |= labels[1:] != labels[:-1]
    edge[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    free = np.asarray(cv2.distanceTransform(1 - edge, cv2.DIST_L2, 5) > height / 75, np.uint8)
    _, part, stats, _ = cv2.connectedComponentsWithStats(free, connectivity=4)
    sure = (free > 0) & (stats[part, cv2.CC_STAT_AREA] > (height / 26) ** 2)
    if not sure.any():
        return labels
    _, nearest = cv2.distanceTransformWithLabels(
        np.asarray(~sure, np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    names = np.zeros(int(nearest.max()) + 1, np.int32)
    names[nearest[sure]] = labels[sure]
    return np.asarray(names[nearest], np.int32)


def _colours(
    picture: Picture, cells: Labels, seeds: NDArray[np.float32], chance: Chance
) -> NDArray[np.float32]:
    """One deep, lit colour for each cell, (N,3) in [0,1]."""
    lab = np.asarray(cv2.cvtColor(np.asarray(picture, np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
    mean = _means(lab, cells, len(seeds))
    low, high = np.percentile(lab[..., 0], (5, 95))
    light = np.clip((mean[:, 0] - low) / max(float(high - low), 25.0), 0, 1)
    mean[:, 0] = 15 + 73 * light**0.95 + 4 * chance.uniform(seeds, 2)
    # Grey glass does not glow: it leans to blue where it is dark, to amber where it is light, and by chance.
    lean = np.stack((3 + 7 * chance.at(seeds, 3), (light - 0.5) * 75 + 9 * chance.at(seeds, 5)), -1)
    grey = 1 / (1 + (np.linalg.norm(mean[:, 1:], axis=-1, keepdims=True) / 18) ** 2)
    chroma = 1.6 * mean[:, 1:] + lean * (0.25 + 0.75 * grey)
    norm = np.linalg.norm(chroma, axis=-1, keepdims=True) + np.float32(1e-3)
    mean[:, 1:] = chroma / norm * 95 * np.tanh((norm + 8) / 55)
    return np.asarray(np.clip(cv2.cvtColor(mean[None], cv2.COLOR_LAB2RGB)[0], 0, 1), np.float32)


def _leads(cells: Labels, colours: NDArray[np.float32], height: int) -> tuple[Plane, Plane]:
    """Lead cover in [0,1], and how far each pixel is from the nearest lead; outlines get broader leads."""
    lead, inside = np.zeros(cells.shape, np.float32), np.full(cells.shape, np.inf, np.float32)
    down = np.linalg.norm(colours[cells[1:]] - colours[cells[:-1]], axis=-1)
    across = np.linalg.norm(colours[cells[:, 1:]] - colours[cells[:, :-1]], axis=-1)
    for contrast, half in ((0.0, height / 140), (0.45, height / 95)):
        edge = np.zeros(cells.shape, np.uint8)
        edge[1:] |= ((cells[1:] != cells[:-1]) & (down >= contrast)).astype(np.uint8)
        edge[:, 1:] |= ((cells[:, 1:] != cells[:, :-1]) & (across >= contrast)).astype(np.uint8)
        distance = np.asarray(cv2.distanceTransform(1 - edge, cv2.DIST_L2, 5), np.float32)
        distance = blur(np.minimum(distance, height), half / 2)
        lead = np.maximum(lead, np.clip(half - distance + 0.8, 0, 1))
        inside = np.minimum(inside, np.maximum(distance - half, 0))
    return lead.astype(np.float32), inside.astype(np.float32)
