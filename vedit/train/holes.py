"""Holes and the poor guesses that fill them: what the denoiser learns to repair."""

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def random_holes(count: int, size: int, rng: np.random.Generator) -> Tensor:
    """Masks ``(count,1,size,size)``, 1 = hole: boxes, ellipses, strokes and ragged edges, 2 to 40% of the picture."""
    out = np.zeros((count, size, size), np.float32)
    for mask in out:
        for _ in range(int(rng.integers(1, 4))):
            x, y = (int(v) for v in rng.integers(0, size, 2))
            w, h = (int(v) for v in rng.integers(size // 12, size // 2, 2))
            kind = rng.integers(3)
            if kind == 0:
                cv2.rectangle(mask, (x - w // 2, y - h // 2), (x + w // 2, y + h // 2), 1.0, -1)
            elif kind == 1:
                cv2.ellipse(mask, (x, y), (w // 2, h // 2), float(rng.uniform(0, 180)), 0, 360, 1.0, -1)
            else:
                x2, y2 = (int(v) for v in rng.integers(0, size, 2))
                cv2.line(mask, (x, y), (x2, y2), 1.0, int(rng.integers(3, size // 8)))
    return torch.from_numpy(out)[:, None]


def marks(height: int, width: int, rng: np.random.Generator) -> Tensor:
    """A mask ``(1, H, W)`` of a thing people take out of films: boxes, lettering, ragged shapes, strokes."""
    mask = np.zeros((height, width), np.uint8)
    kind = rng.integers(5)
    if kind == 0:  # one box or a few alike
        w, h = (int(v) for v in rng.integers(12, min(height, width) // 2, 2))
        for _ in range(int(rng.choice([1, 1, 2, 4]))):
            x, y = int(rng.integers(-w // 2, width)), int(rng.integers(-h // 2, height))
            cv2.rectangle(mask, (x, y), (x + w, y + h), (1,), -1)
    elif kind == 1:  # boxes in rows
        side = int(rng.integers(16, 56))
        gap_x, gap_y = (int(side + rng.integers(side // 2, 2 * side)) for _ in range(2))
        for y in range(int(rng.integers(0, gap_y)), height, gap_y):
            for x in range(int(rng.integers(0, gap_x)), width, gap_x):
                mask[y : y + side, x : x + side] = 1
    elif kind == 2:  # lettering
        words = "".join(
            chr(c) for c in rng.choice([*range(48, 58), *range(65, 91), 32], int(rng.integers(3, 14)))
        )
        for line in range(int(rng.integers(1, 3))):
            size = float(rng.uniform(0.6, 2.6))
            place = (
                int(rng.integers(-20, width // 2)),
                int(rng.integers(20, height)) + line * int(32 * size),
            )
            cv2.putText(mask, words, place, int(rng.integers(0, 5)), size, (1,), int(rng.integers(2, 11)))
        mask = np.asarray(
            cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=int(rng.integers(1, 5))), np.uint8
        )
    elif kind == 3:  # something ragged
        middle = rng.uniform([0, 0], [width, height])
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(6, 14))))
        reach = rng.uniform(0.4, 1, (len(turns), 1)) * rng.uniform(12, min(height, width) / 2.5)
        corners = middle + reach * np.stack([np.cos(turns), np.sin(turns)], 1) * rng.uniform(0.5, 1.2, 2)
        cv2.fillPoly(mask, [corners.astype(np.int32)], (1,))
        mask = np.asarray(cv2.medianBlur(mask, int(rng.choice([1, 5, 9]))), np.uint8)
    else:  # strokes
        at = rng.uniform([0, 0], [width, height])
        for _ in range(int(rng.integers(2, 9))):
            to = at + rng.normal(0, min(height, width) / 5, 2)
            ends = [(int(p[0]), int(p[1])) for p in (at, to)]
            cv2.line(mask, ends[0], ends[1], (1,), int(rng.integers(4, 28)))
            at = to
    if mask.mean() < 0.01 or mask.mean() > 0.5:
        return marks(height, width, rng)
    return torch.from_numpy(mask)[None].float()


def moving_marks(count: int, height: int, width: int, rng: np.random.Generator) -> Tensor:
    """Masks ``(F, 1, H, W)`` of a run of frames: a mark that stands still, or one that wanders and sways."""
    mark = marks(height, width, rng)[0].numpy()
    if rng.random() < 0.5:
        return torch.from_numpy(mark)[None, None].repeat(count, 1, 1, 1)
    velocity, sway, speed = rng.normal(0, 2.5, 2), rng.uniform(0, 6, 2), rng.uniform(0.1, 0.6)
    out = []
    for i in range(count):
        dx, dy = velocity * (i - count / 2) + sway * np.sin(speed * i)
        shift = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        out.append(cv2.warpAffine(mark, shift, (width, height), flags=cv2.INTER_NEAREST))
    return torch.from_numpy(np.stack(out))[:, None]


def smooth_fill(frames: Tensor, masks: Tensor) -> Tensor:
    """Frames ``(F,3,H,W)`` with their holes filled from what is around them, coarse to fine (push-pull)."""
    levels = [(frames * (1 - masks), 1 - masks)]
    while min(levels[-1][0].shape[-2:]) > 1:
        colour, weight = levels[-1]
        levels.append((F.avg_pool2d(colour, 2, ceil_mode=True), F.avg_pool2d(weight, 2, ceil_mode=True)))
    colour, weight = levels.pop()
    filled = colour / weight.clamp_min(1e-6)
    for colour, weight in reversed(levels):
        below = F.interpolate(filled, size=colour.shape[-2:], mode="bilinear", align_corners=False)
        filled = colour + below * (1 - weight)
    return filled.clamp(0, 1)


def ghost_fill(frames: Tensor, masks: Tensor, rng: np.random.Generator) -> Tensor:
    """Frames whose holes show two shifted copies mixed: what blending two badly matched neighbours gives."""
    shifts = rng.integers(-10, 11, 4).tolist()
    first = torch.roll(frames, (shifts[0], shifts[1]), (-2, -1))
    second = torch.roll(frames, (shifts[2], shifts[3]), (-2, -1))
    return frames * (1 - masks) + 0.5 * (first + second) * masks
