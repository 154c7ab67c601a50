"""Marks that stay where they are while the picture behind them moves: logos and other burned-in signs.

An edge that keeps its place and direction from frame to frame while the picture moves is not of the picture: the mean
gradient over time keeps the mark's edges, half-transparent ones too, and loses what moves (Dekel et al., "On the
Effectiveness of Visible Watermarks", CVPR 2017). Where the camera stands still, scenery keeps its edges as well; then
a mark is told only by what moves around it, and otherwise nothing is taken for one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from vedit.frame import Frame, Shot
from vedit.masks.ahead import Colours, Marks, full_size, looked_at, most_held
from vedit.masks.bridge import spans

HELD = 120
"""Frames that wait at most (`ahead.most_held` says how many of large pictures)."""
SAMPLED = 3
"""Every how manieth frame is looked at."""
FEWEST = 6
"""Frames that are needed to tell."""
LEVELS = ((4.0, 2.0), (12.0, 3.0))
"""From which grey levels per pixel on a mean gradient is an edge, and how often its own spread it has to be. The first
finds faint marks; with the second strong ones come apart from scenery near by that moves little."""
STRONG, DENSE, EDGES = 14.0, 0.12, 0.0012
"""What a mark's edges have at least: grey levels per pixel in the mean, the part of its box they fill, and their number
as a part of the square of the picture's shorter side. Scenery that hardly moves has weaker and thinner ones."""
MOVING = 0.06
"""Part of a picture's edges that stay, below which all of it is taken to move."""

Floats = npt.NDArray[np.float32]


class _Gradients:
    """Sums over the frames looked at, of each colour on its own."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.count = 0
        self.across, self.down, self.squares, self.grey, self.grey_squares = np.zeros((5, *shape), np.float32)

    def add(self, picture: Colours) -> None:
        # Scaled to grey levels per pixel.
        across = cv2.Sobel(picture, cv2.CV_32F, 1, 0, ksize=3, scale=0.125)
        down = cv2.Sobel(picture, cv2.CV_32F, 0, 1, ksize=3, scale=0.125)
        self.count += 1
        cv2.accumulate(across, self.across)
        cv2.accumulate(down, self.down)
        cv2.accumulateSquare(across, self.squares)
        cv2.accumulateSquare(down, self.squares)
        cv2.accumulate(picture, self.grey)
        cv2.accumulateSquare(picture, self.grey_squares)

    def join(self, other: "_Gradients") -> None:
        self.count += other.count
        for name in ("across", "down", "squares", "grey", "grey_squares"):
            getattr(self, name)[:] += getattr(other, name)

    def steady(self) -> tuple[Floats, Floats, Floats]:
        """Length of the mean gradient, its spread, and the spread of the grey, each ``(h, w)``."""
        mean = (self.across**2 + self.down**2) / self.count**2
        spread = np.maximum(self.squares / self.count - mean, 0)
        grey = np.maximum(self.grey_squares / self.count - (self.grey / self.count) ** 2, 0)
        return np.sqrt(mean.sum(2) / 2), np.sqrt(spread.sum(2) / 2), np.sqrt(grey.mean(2))


@dataclass
class _Found:
    """What is known of the shot's marks."""

    marks: Marks
    indices: list[int] = field(default_factory=list)
    boxes: set[tuple[int, int, int, int]] = field(default_factory=set)
    undecided: bool = False


def logos(frames: Iterator[Frame], shot: Shot) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with the mask of the marks that stay, ``(1, H, W)`` of 0 and 1; what was found is said.

    Marks are looked for above and below the middle of the picture. What is found in some frames (up to 120, less of
    large pictures: they wait, no more than 240 MB of them) is marked in all of these, and known better as the shot
    goes on; a mark that is gone is marked no longer.
    """
    sums: _Gradients | None = None
    found: _Found | None = None
    begun, ended = -1, -1
    while True:
        waiting: list[Frame] = []
        held = 1
        block: _Gradients | None = None
        while len(waiting) < held and (frame := next(frames, None)) is not None:
            if not waiting:
                held = most_held(HELD, 4 * FEWEST, frame, shot)
            if len(waiting) % SAMPLED == 0:
                picture = looked_at(frame, shot)
                block = block or _Gradients(picture.shape)
                block.add(picture)
            begun = frame.index if begun < 0 else begun
            ended = frame.index
            waiting.append(frame)
        if not waiting or block is None:
            break
        if sums is None or found is None:
            sums, found = block, _Found(np.zeros(block.grey.shape[:2], bool))
        else:
            sums.join(block)
        if sums.count >= FEWEST:
            found.marks = _still_there(found.marks, sums, block) | _marks(sums, found)
        mask = torch.from_numpy(full_size(found.marks, shot))[None].float()
        if mask.any():
            found.indices += [frame.index for frame in waiting]
            _, _, stats, _ = cv2.connectedComponentsWithStats(mask[0].to(torch.uint8).numpy())
            found.boxes = {(int(x), int(y), int(w), int(h)) for x, y, w, h, _ in stats[1:]}
        while waiting:
            yield waiting.pop(0), mask
    if found is not None:
        shot.notes.warn(f"auto:logo: {_said(found)} (shot of frames {begun}-{ended})")


def _marks(sums: _Gradients, found: _Found) -> Marks:
    """The marks that can be told from scenery."""
    mean, spread, grey = sums.steady()
    marks = np.zeros(mean.shape, bool)
    for weakest, steadiness in LEVELS:
        steady = (mean >= weakest) & (mean >= steadiness * spread)
        textured = np.hypot(mean, spread) >= weakest
        marks |= _marks_of(steady, textured, mean, grey)
        stays = np.count_nonzero(steady & textured) > 0.15 * np.count_nonzero(textured)
        found.undecided = found.undecided or bool(stays)
    return _grown(marks, max(2, round(min(mean.shape) / 180)))


def _marks_of(steady: Marks, textured: Marks, mean: Floats, grey: Floats) -> Marks:
    height, width = mean.shape
    short = min(height, width)
    join = max(2, round(short / 50))
    near = cv2.dilate(steady.astype(np.uint8), np.ones((join, join), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(near, connectivity=8)
    marks = np.zeros(mean.shape, bool)
    for number, (x, y, w, h, _) in enumerate(stats.tolist()):
        middle = (y + h / 2) / height
        beside = x <= 2 or y <= 2 or x + w >= width - 2 or y + h >= height - 2
        if number == 0 or beside or 0.28 < middle < 0.72:
            continue
        if max(w, h) < 0.07 * short or min(w, h) < 0.03 * short or h > 0.3 * height or w > 0.4 * width:
            continue
        own = (labels[y : y + h, x : x + w] == number) & steady[y : y + h, x : x + w]
        edges = np.count_nonzero(own)
        if edges < max(EDGES * short**2, DENSE * w * h) or mean[y : y + h, x : x + w][own].mean() < STRONG:
            continue
        if _moves_around(x, y, w, h, steady, textured, labels == number):
            marks[y : y + h, x : x + w] |= _filled(own, grey, (x, y, w, h), join)
    return marks


def _moves_around(x: int, y: int, w: int, h: int, steady: Marks, textured: Marks, own: Marks) -> bool:
    """Whether the picture moves: all of it, or the part around a mark has edges and most of them do not stay."""
    other = textured & ~own
    if np.count_nonzero(other) >= 0.08 * other.size and np.count_nonzero(
        other & steady
    ) <= MOVING * np.count_nonzero(other):
        return True
    reach = max(w, h, min(steady.shape) // 6)
    part = np.s_[max(0, y - reach) : y + h + reach, max(0, x - reach) : x + w + reach]
    edges = np.count_nonzero(other[part])
    return bool(edges >= 0.15 * other[part].size and np.count_nonzero((other & steady)[part]) <= 0.15 * edges)


def _filled(own: Marks, grey: Floats, box: tuple[int, int, int, int], join: int) -> Marks:
    """A mark's area from its edges: strokes closed, and its inside where that is steadier than the picture around."""
    x, y, w, h = box
    closed = cv2.morphologyEx(
        np.pad(own.astype(np.uint8), join), cv2.MORPH_CLOSE, np.ones((join, join), np.uint8)
    )[join:-join, join:-join]
    outlines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    solid = cv2.drawContours(np.zeros_like(closed), outlines, -1, (1,), cv2.FILLED)
    holes = (solid > 0) & (closed == 0)
    top, left = max(0, y - h // 2), max(0, x - w // 2)
    around = float(np.median(grey[top : y + h + h // 2, left : x + w + w // 2]))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(holes.astype(np.uint8), connectivity=4)
    filled = closed > 0
    for number in range(1, len(stats)):
        hole = labels == number
        small = stats[number, cv2.CC_STAT_AREA] <= join * join
        if small or float(np.median(grey[y : y + h, x : x + w][hole])) < 0.55 * around:
            filled |= hole
    return np.asarray(filled)


def _still_there(marks: Marks, sums: _Gradients, block: _Gradients) -> Marks:
    """The marks whose edges the latest frames have too."""
    _, labels = cv2.connectedComponents(marks.astype(np.uint8))
    count = int(labels.max()) + 1
    flat = labels.ravel()

    def total(values: Floats) -> npt.NDArray[np.float64]:
        return np.asarray(np.bincount(flat, values.sum(2).ravel(), count))

    along = total(sums.across * block.across + sums.down * block.down)
    lengths = np.sqrt(total(sums.across**2 + sums.down**2) * total(block.across**2 + block.down**2))
    there = along > 0.5 * lengths
    there[0] = False
    return np.asarray(there[labels])


def _grown(marks: Marks, pixels: int) -> Marks:
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * pixels + 1, 2 * pixels + 1))
    return np.asarray(cv2.dilate(marks.astype(np.uint8), element) > 0)


def _said(found: _Found) -> str:
    if found.indices:
        where = ", ".join(f"{x},{y} {w}x{h}" for x, y, w, h in sorted(found.boxes))
        return f"marks found in frames {spans(found.indices)}, at {where}"
    if found.undecided:
        return (
            "nothing was marked: the picture hardly moves, so a mark cannot be told from it; give box:x,y,w,h"
        )
    return "no mark was found; give box:x,y,w,h if there is one"
