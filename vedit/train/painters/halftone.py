"""Halftone: a comic page, dots of cyan, magenta, yellow and black at four angles, and a black outline."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.chance import CELL, Chance
from vedit.train.painters.field import Picture, Plane, as_picture, blur, contours, form_field, luminance

PAPER = np.array((0.99, 0.965, 0.90), np.float32)
# Each ink's colour, its screen's angle in degrees, and how much of it lies flat under its dots.
CYAN = (np.array((0.0, 0.60, 0.90), np.float32), 15.0, 0.40)
MAGENTA = (np.array((0.93, 0.08, 0.42), np.float32), 75.0, 0.25)
YELLOW = (np.array((1.0, 0.87, 0.05), np.float32), 0.0, 0.60)
BLACK = (np.array((0.07, 0.06, 0.09), np.float32), 45.0, 0.10)
# Deviation of the window that a screen's phase is read in, in pitches.
WINDOW = 1.8


def halftone(picture: Picture, chance: Chance) -> Picture:
    """Print the picture as a comic: flattened colours through four dot screens, outlined in black."""
    height, width = picture.shape[:2]
    calm = np.asarray(cv2.bilateralFilter(picture, 7, 28, 4), np.uint8)
    flat = np.asarray(cv2.bilateralFilter(cv2.bilateralFilter(calm, 9, 45, 6), 9, 45, 6), np.uint8)
    source = np.asarray(flat, np.float32) / 255
    low, high = np.percentile(source, (2, 98))
    source = np.clip((source - low) / max(float(high - low), 0.35), 0, 1)
    grey = source.mean(-1, keepdims=True)
    # Pale colours gain most: comics have no drab ones.
    colour = source - grey
    vivid = np.clip(
        grey**0.85 + colour * (1.25 + 1.1 * np.exp(-8 * np.abs(colour).max(-1, keepdims=True))), 0, 1
    )
    cmy = 1 - vivid
    black = cmy.min(-1)
    # Grey is carried by the black screen alone: colour dots in greys would be dirt.
    key = np.clip((black - 0.15) / 0.85, 0, 1) ** 1.5
    inks = (cmy - black[..., None]) / (1 - 0.8 * black[..., None] + 1e-3)
    page = np.ones((height, width, 3), np.float32) * PAPER
    pitch = max(height / 34, 2.0)
    plates = ((inks[..., 2], YELLOW), (inks[..., 1], MAGENTA), (inks[..., 0], CYAN), (key, BLACK))
    for channel, (plate, (pigment, angle, share)) in enumerate(plates):
        amount = blur(plate, pitch / 8)
        # Part of the ink has spread, as on cheap paper: dots alone would be too coarse to read.
        cover = np.maximum(_dots(amount, pitch, angle, chance, channel), share * amount**0.8)
        page *= 1 - cover[..., None] * (1 - pigment)
    # What is darkest is brushed in solid, like a comic's shadows.
    solid = blur(np.clip((key - 0.72) * 8, 0, 1), height / 200)
    field = form_field(picture, height / 90)
    # Broad outlines, and finer ones for what a face needs.
    broad = contours(luminance(flat), field, height / 180, 0.024)
    line = np.maximum(broad, contours(luminance(calm), field, height / 300, 0.023))
    drawn = np.maximum(solid, np.clip((line - 0.3) * 2.5, 0, 1))[..., None]
    return as_picture(page + (BLACK[0] - page) * 0.96 * drawn)


def _dots(amount: Plane, pitch: float, angle: float, chance: Chance, channel: int) -> Plane:
    """Ink cover of round dots on a turned grid whose area is the wanted amount."""
    u = _phase(pitch, angle, chance, channel)
    v = _phase(pitch, angle + 90, chance, channel)
    # Distance to the centre of the pixel's dot, in pitches; corners of the grid are at 0.707.
    distance = np.hypot(u, v)
    radius = np.sqrt(np.clip(amount, 0, 1) / np.pi) * (1 + 0.22 * np.clip(amount - 0.5, 0, 1) * 2)
    cover = np.clip((radius - distance) * pitch * 0.8 + 0.5, 0, 1) * np.clip(amount * 12 - 0.7, 0, 1)
    return np.asarray(cover, np.float32)


def _phase(pitch: float, angle: float, chance: Chance, channel: int) -> Plane:
    """Where each pixel is between two rows of a screen, in [-0.5,0.5]: 0 on a row of dots.

    It is the phase of the channel's noise through a Gabor filter of the rows' frequency (Gabor 1946), so the screen
    drifts slowly and belongs to the noise around, not to the corner of the picture. The noise is brought to frequency
    0, blurred, and brought back: the corner that both waves start from cancels.
    """
    wave = 2 * np.pi / pitch * np.array((np.cos(np.radians(angle)), np.sin(np.radians(angle))))
    noise = chance.noise[channel]
    rows, columns = noise.shape
    y, x = np.mgrid[0:rows, 0:columns] * CELL + (CELL - 1) / 2
    turn = x * wave[0] + y * wave[1]
    parts = np.stack((noise * np.cos(turn), -noise * np.sin(turn)), -1)
    smooth = _steady(np.asarray(parts, np.float32), WINDOW * pitch / CELL)
    large = cv2.resize(smooth, None, fx=CELL, fy=CELL, interpolation=cv2.INTER_LINEAR)
    large = large.reshape(rows * CELL, columns * CELL, 2)[: chance.height, : chance.width]
    y, x = np.mgrid[0 : chance.height, 0 : chance.width]
    phase = np.arctan2(large[..., 1], large[..., 0]) + x * wave[0] + y * wave[1]
    phase = phase / (2 * np.pi)
    return np.asarray(phase - np.rint(phase), np.float32)


def _steady(parts: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Blur phasors (H,W,2), set to length 1 in between so that weak places follow strong ones: dislocations close."""
    for _ in range(2):
        parts = blur(parts, sigma)
        parts /= np.hypot(parts[..., :1], parts[..., 1:]) + np.float32(1e-6)
    return blur(parts, sigma / 2)
