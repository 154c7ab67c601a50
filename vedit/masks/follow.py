"""An object followed from one picture to the next by its motion and its colours."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vedit.flow.estimate import dis_flow
from vedit.flow.occlusion import occlusion
from vedit.flow.warp import warp
from vedit.masks.ahead import Colours, Marks

Matrix = npt.NDArray[Any]

LEAST_MATCHED = 0.25
"""Part of the object whose motion has to hold forward and backward."""
LEAST_ALIKE = 0.4
"""Bhattacharyya coefficient of the object's colours and those it had before."""
LEAST_LEFT = 0.2
"""Part of its size an object keeps; what remains of one that left the picture or went behind a thing is often wrong."""
MOST_GROWN = 2.2
"""How many times its size it may come to have: by then the outline has run into something else."""
MEMORY = 0.96
"""Part of the colours that is kept from one picture to the next: light changes, objects turn."""
BINS = 8
BAND = 4
"""Pixels to both sides of an outline within which colours may move it."""
POINTS = 1500


@dataclass(frozen=True)
class Followed:
    """An object in a picture: its mask, and where its points of the marked picture are now (2x3, pixels)."""

    mask: Marks
    moved: Matrix
    colours: npt.NDArray[np.float32]
    size: float
    """Pixels it would have if it had kept its shape."""
    first: npt.NDArray[np.float32]
    """Its colours where it is marked."""


def marked(picture: Colours, mask: Marks, *, roughly: bool) -> Followed:
    """The object as it is marked; ``roughly`` with some of its surroundings, which its colours are told from."""
    if roughly and mask.any():
        mask = _inside(picture, mask)
    colours = _colours(picture, mask)
    return Followed(mask, np.eye(2, 3), colours, float(np.count_nonzero(mask)), colours)


def followed(before: Colours, after: Colours, thing: Followed) -> Followed | None:
    """The object in the next picture; None where it is lost.

    Its mask goes along dense flow that leads back to where it came from, elsewhere along the similarity that most of
    that flow agrees on; its outline then snaps to the colours' border (Rother et al., "GrabCut", SIGGRAPH 2004, in a
    narrow band).

    It is lost when less than a quarter of it has such flow, when its colours are not those it had or are more those of
    its surroundings, or when less than a fifth of it is left or it has more than doubled.

    Args:
        before: the picture it is in, ``(h, w, 3)`` uint8 RGB.
        after: the next or the previous one.
        thing: the object in ``before``.
    """
    part = _near(thing.mask)
    own = thing.mask[part]
    # Dense flow loses small things that are fast, so these are brought about to where they were first; but what fits
    # best may be something else, so the flow decides.
    shifts = {tuple(_shift(before, after, thing.mask, part)), (0.0, 0.0)}
    motions = [
        _motion(before[part], _shifted(after, -np.array(s))[part], np.array(s)) for s in sorted(shifts)
    ]
    forward, backward, there, returns, shift = max(motions, key=lambda m: np.count_nonzero(own & m.there))
    y, x = np.nonzero(own & there)
    if len(x) < max(8, LEAST_MATCHED * np.count_nonzero(own)):
        return None
    some = np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(np.intp)
    source = np.stack([x[some], y[some]], 1).astype(np.float32)
    target = source + forward[:, y[some], x[some]].numpy().T
    corner = np.array([part[1].start, part[0].start], np.float32)
    step, inliers = cv2.estimateAffinePartial2D(
        source + corner, target + corner, method=cv2.RANSAC, ransacReprojThreshold=1.5
    )
    if step is None or np.count_nonzero(inliers) < max(6, 0.15 * len(some)):
        return None
    mask = _warped(thing.mask, step)
    carried = warp(torch.from_numpy(own)[None, None].float(), backward[None])[0, 0].numpy() > 0.5
    mask[part] = np.where(returns, carried, mask[part])
    mask = _whole(_snapped(after, _shifted(mask.astype(np.uint8), shift) > 0))
    step[:, 2] += shift
    moved = _after(step, thing.moved)
    size = thing.size * float(np.linalg.det(step[:, :2]))
    if _at_border(mask):  # more of it may come into the picture
        size = max(size, min(float(np.count_nonzero(mask)), 1.05 * size))
    if not max(12, LEAST_LEFT * size) <= np.count_nonzero(mask) <= MOST_GROWN * size:
        return None
    colours = _colours(after, mask)
    alike = _alike(colours, thing.colours)
    if (
        min(alike, _alike(colours, thing.first) + 0.1) < LEAST_ALIKE
        or alike < _alike(colours, _colours(after, _around(mask))) - 0.1
    ):
        return None
    return Followed(mask, moved, MEMORY * thing.colours + (1 - MEMORY) * colours, size, thing.first)


def settled(marked_in: Colours, picture: Colours, first: Followed, thing: Followed) -> Followed:
    """The object with the drift of its place since it was marked taken back, if it still looks as it did then."""
    height, width = picture.shape[:2]
    back = cv2.warpAffine(
        picture,
        thing.moved,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    forward, _, there, _, _ = _motion(marked_in, np.asarray(back, np.uint8), np.zeros(2))
    good = first.mask & there
    difference = np.abs(marked_in.astype(np.int16) - back).mean(2)
    good &= difference < 40
    if np.count_nonzero(good) < 0.5 * np.count_nonzero(first.mask):
        return thing
    y, x = np.nonzero(good)
    some = np.linspace(0, len(x) - 1, min(len(x), POINTS)).astype(np.intp)
    source = np.stack([x[some], y[some]], 1).astype(np.float32)
    target = source + forward[:, y[some], x[some]].numpy().T
    step, inliers = cv2.estimateAffinePartial2D(source, target, method=cv2.RANSAC, ransacReprojThreshold=1.0)
    if step is None or np.count_nonzero(inliers) < 0.5 * len(some):
        return thing
    return Followed(thing.mask, _after(thing.moved, step), thing.colours, thing.size, thing.first)


class _Motion(NamedTuple):
    """Flow both ways between a part of a picture and the next one's, and where each leads back."""

    forward: Tensor
    backward: Tensor
    there: Marks
    returns: Marks
    shift: Matrix
    """By how much the next picture was moved before."""


def _motion(before: Colours, after: Colours, shift: Matrix) -> _Motion:
    first, second = _tensor(before), _tensor(after)
    forward, backward = dis_flow(first, second), dis_flow(second, first)
    there = occlusion(forward[None], backward[None])[0, 0].numpy() <= 0.5
    returns = occlusion(backward[None], forward[None])[0, 0].numpy() <= 0.5
    return _Motion(forward, backward, there, returns, shift)


def _box(mask: Marks) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of what is marked."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def _near(mask: Marks) -> tuple[slice, slice]:
    """The part of the picture around an object in which its motion is looked for."""
    top, left, bottom, right = _box(mask)
    margin = max(24, (bottom - top) // 2, (right - left) // 2)
    return slice(max(0, top - margin), bottom + margin), slice(max(0, left - margin), right + margin)


def _shift(before: Colours, after: Colours, mask: Marks, part: tuple[slice, slice]) -> Matrix:
    """By how many whole pixels, x first, the object as it was fits the next picture best."""
    y0, x0, y1, x1 = _box(mask)
    box = np.s_[y0:y1, x0:x1]
    top, left = part[0].start, part[1].start
    weights = np.repeat(mask[box].astype(np.uint8)[..., None], 3, axis=2)
    misfit = cv2.matchTemplate(after[part], before[box], cv2.TM_SQDIFF, mask=weights)
    still = misfit[y0 - top, x0 - left]
    _, _, (x, y), _ = cv2.minMaxLoc(misfit)
    if misfit[y, x] > 0.7 * still:  # flow finds small steps better
        return np.zeros(2)
    return np.array([x + left - x0, y + top - y0], np.float64)


def _shifted(picture: Colours, shift: Matrix) -> Colours:
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    size = (picture.shape[1], picture.shape[0])
    return np.asarray(cv2.warpAffine(picture, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _after(second: Matrix, first: Matrix) -> Matrix:
    """First one motion and then another."""
    return np.asarray((np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]]))[:2])


def _warped(mask: Marks, matrix: Matrix) -> Marks:
    size = (mask.shape[1], mask.shape[0])
    # What comes into the picture beside an object that reaches its border belongs to it.
    moved = cv2.warpAffine(
        mask.astype(np.float32), matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved > 0.5)


def _snapped(picture: Colours, mask: Marks) -> Marks:
    """The mask with its outline moved to where the colours change, within a band."""
    grey = mask.astype(np.uint8)
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1, 2 * BAND + 1))
    inner, outer = cv2.erode(grey, element), cv2.dilate(grey, element)
    if np.count_nonzero(inner) < 30:
        return mask
    top, left, bottom, right = _box(outer > 0)
    margin = 4 * BAND
    part = np.s_[max(0, top - margin) : bottom + margin, max(0, left - margin) : right + margin]
    labels = np.where(grey > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inner > 0] = cv2.GC_FGD
    labels[outer == 0] = cv2.GC_BGD
    crop = np.ascontiguousarray(labels[part])
    if not (crop == cv2.GC_BGD).any():
        return mask
    _grab(np.ascontiguousarray(picture[part]), crop, 1)
    found = np.zeros(mask.shape, bool)
    found[part] = (crop == cv2.GC_FGD) | (crop == cv2.GC_PR_FGD)
    size = np.count_nonzero(found) / np.count_nonzero(mask)
    return found if 0.85 < size < 1.18 else mask  # a border that jumps is not the object's


def _grab(picture: Colours, labels: npt.NDArray[np.uint8], rounds: int) -> None:
    """GrabCut, which writes into ``labels``."""
    cv2.setRNGSeed(0)  # its colour models start at random
    models = np.zeros((2, 1, 65))
    cv2.grabCut(picture, labels, (0, 0, 0, 0), models[0], models[1], rounds, cv2.GC_INIT_WITH_MASK)


def _whole(mask: Marks) -> Marks:
    """Without crumbs."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    return np.asarray((area >= max(1, 0.08 * area.max()))[labels])


def _at_border(mask: Marks) -> bool:
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def _around(mask: Marks) -> Marks:
    near, far = (
        cv2.dilate(mask.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0
        for side in (2 * BAND + 1, 8 * BAND + 1)
    )
    return np.asarray(far & ~near)


def _alike(colours: npt.NDArray[np.float32], others: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(colours * others).sum())


def _inside(picture: Colours, mask: Marks) -> Marks:
    """What in a mask that is drawn around an object is the object: its middle, and what has the middle's colours."""
    top, left, bottom, right = _box(mask)
    middle = np.zeros(mask.shape, np.uint8)
    centre = ((left + right) // 2, (top + bottom) // 2)
    cv2.ellipse(
        middle,
        centre,
        (max(1, (right - left) * 3 // 8), max(1, (bottom - top) * 3 // 8)),
        0,
        0,
        360,
        (1,),
        -1,
    )
    middle &= mask.astype(np.uint8)
    labels = np.where(mask, cv2.GC_PR_BGD, cv2.GC_BGD).astype(np.uint8)
    labels[middle > 0] = cv2.GC_PR_FGD
    if mask.all() or not middle.any():
        return mask
    _grab(picture, labels, 3)
    found = (labels == cv2.GC_PR_FGD) | (labels == cv2.GC_FGD)
    edge = mask & ~(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0)
    cut = np.count_nonzero(found & edge) > 0.35 * np.count_nonzero(
        edge
    )  # what runs on outside is no object in it
    return middle > 0 if cut or np.count_nonzero(found) < 0.15 * np.count_nonzero(mask) else found


def _colours(picture: Colours, mask: Marks) -> npt.NDArray[np.float32]:
    """Histogram of the colours under the mask, summing to 1."""
    found = cv2.calcHist([picture], [0, 1, 2], mask.astype(np.uint8), [BINS] * 3, [0, 256] * 3)
    soft = cv2.GaussianBlur(found.reshape(BINS, -1), (3, 3), 0.6).ravel()
    return np.asarray(soft / max(float(soft.sum()), 1e-6), np.float32)


def _tensor(picture: Colours) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))).float() / 255
