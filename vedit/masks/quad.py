"""Masks of four grey levels, as some object removers write them: their black is what others have white.

0 is the object, 63 the object where it also affects its surroundings, 127 what it affects (its shadow, what will
move), 255 is kept (the "quadmask" of VOID, Netflix 2026).
"""

import torch
from torch import Tensor

LEVELS = (0, 63, 127, 255)
TOLERANCE = 8
"""Lossy films leave the levels by a few steps."""
CHANGED = 0.75
"""What is darker than between 127 and 255 is changed: the object and what it affects."""


def is_quad(mask: Tensor) -> bool:
    """Whether a mask in [0, 1] holds both middle levels and hardly anything between the four.

    A soft or lossy mask of two levels has its greys spread over the whole range, most of them off the levels.
    """
    grey = (mask * 255).flatten()
    near = torch.stack([(grey - level).abs() <= TOLERANCE for level in LEVELS]).float().mean(1)
    off = 1 - float(near.sum())
    return bool(min(near[1], near[2]) > 0.0005) and off < 0.25 * float(near[1] + near[2]) and off < 0.01


def changed(mask: Tensor) -> Tensor:
    """Which pixels of such a mask are to change, as a mask whose white means so."""
    return (mask < CHANGED).float()
