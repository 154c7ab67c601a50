"""Halftone: a comic page, dots of cyan, magenta, yellow and black at four angles, and a black outline."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.field import Picture, Plane, as_picture, blur, contours, form_field, luminance

PAPER = np.array((0.985, 0.965, 0.915), np.float32)
# Each ink's colour, its screen's angle in degrees, and how much of it lies flat under its dots.
CYAN = (np.array((0.0, 0.64, 0.88), np.float32), 15.0, 0.3)
MAGENTA = (np.array((0.91, 0.10, 0.50), np.float32), 75.0, 0.3)
YELLOW = (np.array((1.0, 0.90, 0.08), np.float32), 0.0, 0.4)
BLACK = (np.array((0.10, 0.09, 0.11), np.float32), 45.0, 0.1)


def halftone(picture: Picture, rng: np.random.Generator) -> Picture:
    """Print the picture as a comic: flattened colours through four dot screens, outlined in black."""
    height, width = picture.shape[:2]
    flat = np.asarray(cv2.bilateralFilter(cv2.bilateralFilter(picture, 7, 40, 5), 7, 40, 5), np.uint8)
    source = np.asarray(flat, np.float32) / 255
    grey = source.mean(-1, keepdims=True)
    vivid = np.clip((grey + (source - grey) * 1.5 - 0.5) * 1.15 + 0.55, 0, 1)
    cmy = 1 - vivid
    black = cmy.min(-1)
    # Grey is carried by the black screen alone: colour dots in greys would be dirt.
    key = np.clip((black - 0.06) / 0.94, 0, 1) ** 1.1
    inks = (cmy - black[..., None]) / (1 - 0.8 * black[..., None] + 1e-3)
    page = np.ones((height, width, 3), np.float32) * PAPER
    pitch = height / 42
    plates = ((inks[..., 2], YELLOW), (inks[..., 1], MAGENTA), (inks[..., 0], CYAN), (key, BLACK))
    for plate, (colour, angle, share) in plates:
        amount = blur(plate, pitch / 6)
        # Part of the ink has spread, as on cheap paper: dots alone would be too coarse to read.
        cover = np.maximum(_dots(amount, pitch, angle, rng.uniform(0, 1, 2)), share * amount**0.8)
        page *= 1 - cover[..., None] * (1 - colour)
    line = contours(luminance(flat), form_field(picture, height / 90), height / 200, 0.03)
    return as_picture(page * (1 - 0.9 * line)[..., None])


def _dots(amount: Plane, pitch: float, angle: float, phase: NDArray[np.float64]) -> Plane:
    """Ink cover of round dots on a turned grid whose area is the wanted amount."""
    height, width = amount.shape
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32) / np.float32(pitch)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u, v = c * xs + s * ys + phase[0], -s * xs + c * ys + phase[1]
    # Distance to the centre of the pixel's dot, in pitches; corners of the grid are at 0.707.
    distance = np.hypot(u - np.rint(u), v - np.rint(v))
    radius = np.sqrt(np.clip(amount, 0, 1) / np.pi) * (1 + 0.22 * np.clip(amount - 0.5, 0, 1) * 2)
    cover = np.clip((radius - distance) * pitch * 0.8 + 0.5, 0, 1) * np.clip(amount * 12 - 0.5, 0, 1)
    return np.asarray(cover, np.float32)
