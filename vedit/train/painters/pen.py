"""Lines drawn with a point: hatching at any angle, outlines of one width, and the grey that flatters a face."""

import cv2
import numpy as np

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Field, Picture, Plane, blur, form_field, luminance, paths, smear

ANGLES = 16
"""Waves that hatching is made of; every angle is between two of them."""


def flattered(picture: Picture) -> Picture:
    """Grey as through a portraitist's yellow filter, which keeps skin light."""
    grey = cv2.transform(picture, np.array(((0.46, 0.44, 0.10),) * 3, np.float32))
    return np.asarray(grey, np.uint8)


def outlines(plane: Plane, field: Field, sigma: float) -> Plane:
    """Drawn outlines, 1 = ink, as `contours` but of one width, about 2 `sigma`, at weak edges and strong ones."""
    difference = blur(plane, sigma) - blur(plane, sigma * 1.7)
    flowing = blur(smear(difference, paths(field, sigma * 5, 4)), sigma * 0.6)
    around = np.sqrt(blur(difference * difference, sigma * 2.5))
    return under(np.asarray(flowing / (around + 0.008), np.float32), -0.7, 8)


def under(level: Plane, bound: Plane | float, sharpness: float) -> Plane:
    """1 where the level is under the bound, 0 where it is over; a greater sharpness gives a harder edge."""
    cover = 1 / (1 + np.exp(np.clip((level - bound) * sharpness, -30, 30)))
    return np.asarray(cover, np.float32)


def _stride(period: float) -> int:
    """Lines that are far apart are found on a coarser grid: pixels per sample, a divisor of a cell."""
    return 1 if period < 7 else 2 if period < 16 else 4


def drawn_angle(picture: Picture, period: float, sigma: float, rest: float, pull: float) -> Plane:
    """The angle of strokes on the grid of `hatchings`, radians: along the form, where none is a hand's `rest`.

    `rest` is in degrees; `pull` is the deviation of light around at which both count alike.
    """
    stride = _stride(period)
    size = (-(-picture.shape[1] // stride), -(-picture.shape[0] // stride))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    field, light = (
        form_field(np.asarray(small, np.uint8), sigma / stride),
        luminance(np.asarray(small, np.uint8)),
    )
    spread = blur((light - blur(light, sigma / stride)) ** 2, sigma / stride)
    x, y = field.tangent[..., 0], field.tangent[..., 1]
    # Directions without a sign are blended as their doubled angles.
    weight, hand = field.coherence**2 * spread / pull**2, np.radians(2 * rest)
    doubled = np.arctan2(weight * 2 * x * y + np.sin(hand), weight * (x * x - y * y) + np.cos(hand))
    return np.asarray(doubled / 2, np.float32)


def hatchings(angles: list[Plane], chance: Chance, period: float, length: float, channel: int) -> list[Plane]:
    """For each plane of angles, lines along it about `period` apart, as a level in [0,1] spread evenly.

    Phasor noise (Tricard et al. 2019): noise is filtered by waves of every direction; the phase of the wave that
    runs across the wanted line is the level, 0 in a line's middle. Black where the level is under a wanted
    darkness gives lines of that weight. Unlike line integrals it is one convolution of the noise, `length` wide.
    """
    stride = _stride(period)
    grain = np.ascontiguousarray(chance.grain(period / 2, channel)[::stride, ::stride])
    along, across, step = length / 2.4 / stride, 0.8 * period / stride, np.pi / ANGLES
    reach = int(2.2 * max(along, across)) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    real = [np.zeros(grain.shape, np.float32) for _ in angles]
    imaginary = [np.zeros(grain.shape, np.float32) for _ in angles]
    for k in range(ANGLES):
        c, s = np.cos(k * step), np.sin(k * step)
        u, v = c * x + s * y, c * y - s * x
        window = np.exp(-0.5 * ((u / along) ** 2 + (v / across) ** 2))
        phase = 2 * np.pi * stride / period * v
        even = cv2.filter2D(grain, cv2.CV_32F, window * np.cos(phase), borderType=cv2.BORDER_REFLECT)
        odd = cv2.filter2D(grain, cv2.CV_32F, window * np.sin(phase), borderType=cv2.BORDER_REFLECT)
        for i, angle in enumerate(angles):
            # Half a turn on, the same line has the opposite sine.
            turn = angle / step - k
            halves = np.round(turn / ANGLES)
            near = np.maximum(1 - np.abs(turn - halves * ANGLES), 0).astype(np.float32)
            real[i] += near * even
            imaginary[i] += near * odd * np.where(halves % 2 == 0, 1, -1).astype(np.float32)
    found = []
    for a, b in zip(real, imaginary, strict=True):
        wave = np.stack((a, np.sqrt(a * a + b * b)), -1)
        large = cv2.resize(wave, None, fx=stride, fy=stride, interpolation=cv2.INTER_CUBIC)
        large = large[: chance.height, : chance.width]
        level = np.arccos(np.clip(large[..., 0] / np.maximum(large[..., 1], 1e-6), -1, 1)) / np.pi
        found.append(np.asarray(level, np.float32))
    return found
