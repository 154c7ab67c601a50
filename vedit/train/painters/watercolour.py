"""Watercolour: transparent washes with wobbled, darkened edges and granulating pigment on rough paper."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.field import Picture, Plane, as_picture, blur, cloud, grain

PAPER = np.array((0.985, 0.975, 0.945), np.float32)


def watercolour(picture: Picture, rng: np.random.Generator) -> Picture:
    """Paint in watercolour, with pigment as optical density as in Bousseau et al. (2006)."""
    height, width = picture.shape[:2]
    shape = (height, width)
    bright = _diluted(picture)
    broad = _wash(bright, height / 20, 32, rng)
    fine = _wash(bright, height / 60, 17, rng)
    # The broad wash carries the colour; the fine one goes over it where it is darker.
    density = 0.45 * _density(broad) + 0.55 * np.maximum(_density(broad), _density(fine))
    density *= (1 + _edges(broad, height / 130) * 0.7 + _edges(fine, height / 200) * 0.45)[..., None]
    flow = cloud(shape, height / 5, rng, 3) * 0.16
    granules = cloud(shape, height / 36, rng, 3) * 0.11
    tooth = grain(shape, height / 90, rng) * 0.05
    density *= np.clip(1 + flow + granules + tooth, 0.2, None)[..., None]
    relief = grain(shape, height / 80, rng)
    light = 1 + 0.012 * (relief - np.roll(relief, 2, (0, 1)))
    return as_picture(PAPER * np.exp(-density) * light[..., None])


def _diluted(picture: Picture) -> Picture:
    """Lighter and purer, as pigment on white paper is."""
    source = np.asarray(picture, np.float32) / 255
    grey = source.mean(-1, keepdims=True)
    vivid = np.clip(grey + (source - grey) * 1.45, 0, 1)
    return as_picture(vivid**0.72 * 0.95 + 0.05)


def _wash(picture: Picture, space: float, colour: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Flat areas whose outlines wander by a few pixels, (H,W,3) in [0,1]."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(width // 2, 1), max(height // 2, 1)), interpolation=cv2.INTER_AREA)
    flat = cv2.pyrMeanShiftFiltering(small, max(2, round(space / 2)), colour, maxLevel=1)
    flat = cv2.resize(np.asarray(flat), (width, height), interpolation=cv2.INTER_CUBIC)
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    reach = height / 190
    xs += cloud((height, width), height / 14, rng, 3) * reach
    ys += cloud((height, width), height / 14, rng, 3) * reach
    wandered = cv2.remap(flat, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(wandered / 255, np.float32)


def _density(wash: NDArray[np.float32]) -> NDArray[np.float32]:
    return -np.log(np.clip(wash, 0.09, 1)).astype(np.float32)


def _edges(wash: NDArray[np.float32], sigma: float) -> Plane:
    """Where pigment gathers as a wash dries: the inner, darker side of its outline, about [0,1]."""
    plane = wash.mean(-1)
    gathered = (blur(plane, sigma * 2.2) - blur(plane, sigma / 2)) * 9
    return np.asarray(np.clip(gathered, 0, 1), np.float32)
