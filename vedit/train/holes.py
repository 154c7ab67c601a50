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
