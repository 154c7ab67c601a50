"""Watercolour: transparent washes with wobbled, darkened edges, backruns and granulating pigment on white paper."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Picture, Plane, as_picture, blur

PAPER = np.array((0.99, 0.98, 0.955), np.float32)
# Densities at which one glaze after another begins; under the first, the paper stays white.
GLAZES = (0.08, 0.25, 0.5, 0.85, 1.3)
# What each channel of chance decides: where outlines wander, where water ran back, how pigment flowed and settled.
WANDER_X, WANDER_Y, BACKRUN, FLOW, DRIFT, GRANULE = 0, 1, 2, 5, 6, 7


def watercolour(picture: Picture, chance: Chance) -> Picture:
    """Paint in watercolour, with pigment as optical density as in Bousseau et al. (2006)."""
    height = picture.shape[0]
    colours = _wandering(_diluted(picture), chance)
    density = -np.log(np.clip(_flat(colours), 0.1, 1)).astype(np.float32)
    depth = density.mean(-1)
    flow = chance.grain(height / 5, FLOW)
    laid = _glazes(depth, flow, height) + _accents(colours, height)
    # Pigments run further than tones, so their mixture comes from a wider neighbourhood; it drifts warm and cool.
    hue = blur(density, height / 120) / (blur(depth, height / 120) + 0.03)[..., None]
    # Less of what all three share is less grey: a painter's mixtures are cleaner than a photograph's shadows.
    hue -= 0.3 * hue.min(-1, keepdims=True) * np.exp(-depth / 0.9)[..., None]
    hue += chance.grain(height / 6, DRIFT)[..., None] * np.array((-0.10, 0.0, 0.10), np.float32)
    laid *= 1 + 0.16 * flow + _backruns(chance, height)
    # Pigment settles in the hollows of rough paper, the more of it the darker the wash.
    granule = chance.grain(height / 44, GRANULE)
    laid *= 1 + 0.24 * np.clip(granule, -1.2, 2.5) * np.clip(laid, 0.25, 0.9)
    light = 1 + 0.006 * (granule - np.roll(granule, 3, (0, 1)))
    return as_picture(PAPER * np.exp(-hue * laid[..., None]) * light[..., None])


def _diluted(picture: Picture) -> NDArray[np.float32]:
    """Lighter and purer, as pigment on white paper is; (H,W,3) in [0,1]."""
    source = np.asarray(picture, np.float32) / 255
    grey = source.mean(-1, keepdims=True)
    vivid = np.clip(grey + (source - grey) * 1.75, 0, 1)
    return np.asarray(np.clip(vivid**0.66 * 1.07 + 0.03, 0, 1), np.float32)


def _wandering(colours: NDArray[np.float32], chance: Chance) -> NDArray[np.float32]:
    """Outlines moved by a few pixels, as a loaded brush does."""
    height, width = colours.shape[:2]
    xs, ys = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    xs += chance.grain(height / 15, WANDER_X) * (height / 210)
    ys += chance.grain(height / 15, WANDER_Y) * (height / 210)
    moved = cv2.remap(colours, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.float32)


def _flat(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without texture but with its edges: bilateral filtering at half size (Winnemöller et al. 2006)."""
    height, width = colours.shape[:2]
    small = cv2.resize(colours, (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_AREA)
    for _ in range(4):
        small = cv2.bilateralFilter(small, 9, 0.2, height / 130)
    large = np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    return blur(large, height / 330)


def _glazes(depth: Plane, flow: Plane, height: int) -> Plane:
    """Pigment laid in glazes, each darker along the inside of its outline, where it gathers as it dries."""
    laid = 0.3 * np.maximum(depth - GLAZES[0], 0)
    gathered = np.zeros_like(depth)
    before = 0.0
    for begins in GLAZES:
        wet = np.clip((depth + 0.03 * flow - begins) / (0.025 + 0.035 * begins), -20, 20)
        covered = blur(np.asarray(1 / (1 + np.exp(-2 * wet)), np.float32), height / 380)
        gathered = np.maximum(gathered, covered - blur(covered, height / 80))
        laid += np.float32((begins - before) * 0.72) * covered
        before = begins
    return np.asarray(laid * (1 + 2.0 * gathered), np.float32)


def _accents(colours: NDArray[np.float32], height: int) -> Plane:
    """The last, darkest touches of a small brush: what is much darker than its surroundings."""
    tone = np.asarray(colours.mean(-1), np.float32)
    darker = blur(tone, height / 36) - blur(tone, height / 220)
    return np.asarray(0.7 * np.clip(np.tanh((darker - 0.07) * 14), 0, 1), np.float32)


def _backruns(chance: Chance, height: int) -> Plane:
    """Blooms: water ran back into a wash and pushed its pigment to a crinkled rim. A change of density."""
    water = chance.cloud(height / 2.5, BACKRUN, 3) - 0.75
    inside = 1 / (1 + np.exp(-np.clip(water / 0.05, -20, 20)))
    far = np.maximum(water, 0)
    return np.asarray(inside * (0.5 * np.exp(-far / 0.2) - 0.36 * (1 - np.exp(-far / 0.3))), np.float32)
