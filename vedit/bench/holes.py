"""The holes that the inpainting bench cuts into films, as published protocols draw them, and a user's own."""

import math

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

WIDTH, HEIGHT = 432, 240
"""The size that inpainting papers measure at."""
KINDS = {
    "square": "a 3x3 grid of squares, still",
    "logo": "a line of large text, still",
    "random": "one random shape of 6 to 8 corners, joined by curves, still",
    "object": "such a shape in random motion",
}
"""Masks drawn here, in words."""
GROWN = 4
"""How often every mask is dilated by a 3x3 cross, as the protocol of STTN and its followers does."""
CURVE = 12
"""Points of each curve of a random shape."""
SPEED = 3.0
"""Pixels a frame: a moving shape's first speed is below this, and changes by half of it, at random, a frame."""
TURN = 0.25
"""Radians by which its direction changes at random from frame to frame (a standard deviation)."""

Mask = NDArray[np.uint8]


def drawn(kind: str, frames: int, seed: int = 0) -> Tensor:
    """Masks of a kind that `KINDS` has: ``(F, 1, 240, 432)`` float32, 1 = hole, not grown yet.

    The random ones follow the numbers of the training masks of STTN (Zeng et al., ECCV 2020) and ProPainter (Zhou et
    al., ICCV 2023): 6 to 8 corners, joined by cubic Bezier curves whose points lie off the unit circle by up to 0.6 to
    0.8; a speed of up to 3 pixels a frame that is accelerated at random, and drawn anew at the frame's edges. Their
    shapes measure, as drawn, about a quarter to two thirds of the frame's sides.
    """
    if kind == "square":
        canvases = [_squares()] * frames
    elif kind == "logo":
        canvases = [_text()] * frames
    else:
        dice = np.random.default_rng(seed)
        shape = _shape(dice)
        if kind == "random":
            y, x = (int(dice.integers(0, s + 1)) for s in _room(shape))
            canvases = [_placed(shape, y, x)] * frames
        else:
            canvases = _wandering(shape, frames, dice)
    return torch.from_numpy(np.stack(canvases)).float()[:, None]


def grown(mask: Tensor) -> Tensor:
    """A mask ``(1, H, W)`` brought to 432x240 by its nearest pixels and dilated: float32 of 0 and 1."""
    small = cv2.resize(mask[0].numpy(), (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    wide = cv2.dilate((small > 0).astype(np.uint8), cross, iterations=GROWN)
    return torch.from_numpy(np.asarray(wide)).float()[None]


def _squares() -> Mask:
    canvas = _empty()
    for y in range(20, HEIGHT - 36, 75):
        for x in range(30, WIDTH - 36, 150):
            canvas[y : y + 36, x : x + 36] = 1
    return canvas


def _text() -> Mask:
    canvas = _empty()
    cv2.putText(canvas, "VEDIT 24", (20, HEIGHT - 40), cv2.FONT_HERSHEY_DUPLEX, 2.2, (1,), 9)
    return canvas


def _shape(dice: np.random.Generator) -> Mask:
    """A random outline, filled, cut to its own bounding box."""
    corners, rough = int(dice.integers(6, 9)), float(dice.integers(6, 9)) / 10
    count = 3 * corners
    angles = 2 * math.pi * np.arange(count) / count
    radii = 1 - rough + 2 * rough * dice.random(count)
    points = np.stack([np.cos(angles), np.sin(angles)], 1) * radii[:, None]
    t = np.linspace(0, 1, CURVE, endpoint=False)[:, None]
    outline = np.concatenate(
        [
            (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t**2 * (1 - t) * c + t**3 * d
            for a, b, c, d in (points[[i, i + 1, i + 2, (i + 3) % count]] for i in range(0, count, 3))
        ]
    )
    low, high = outline.min(0), outline.max(0)
    side = np.array([dice.integers(s // 4, s * 2 // 3 + 1) for s in (WIDTH, HEIGHT)])
    pixels = np.round((outline - low) / (high - low) * (side - 1)).astype(np.int32)
    canvas = np.zeros((side[1], side[0]), np.uint8)
    cv2.fillPoly(canvas, [pixels], (1,))
    return canvas


def _wandering(shape: Mask, frames: int, dice: np.random.Generator) -> list[Mask]:
    """The shape in every frame, wholly inside."""
    room = np.array(_room(shape))
    at = dice.random(2) * room
    speed, angle = dice.random() * SPEED, dice.random() * 2 * math.pi
    canvases = []
    for _ in range(frames):
        canvases.append(_placed(shape, round(at[0]), round(at[1])))
        there = at + speed * np.array([math.cos(angle), math.sin(angle)])
        at = there.clip(0, room)
        if (at != there).any():
            speed, angle = abs(dice.normal(0, SPEED / 2)), dice.random() * 2 * math.pi
        else:
            speed, angle = speed + dice.normal(0, SPEED / 2), angle + dice.normal(0, TURN)
    return canvases


def _room(shape: Mask) -> tuple[int, int]:
    """How far down and to the right it can go."""
    return HEIGHT - shape.shape[0], WIDTH - shape.shape[1]


def _placed(shape: Mask, y: int, x: int) -> Mask:
    canvas = _empty()
    canvas[y : y + shape.shape[0], x : x + shape.shape[1]] = shape
    return canvas


def _empty() -> Mask:
    return np.zeros((HEIGHT, WIDTH), np.uint8)
