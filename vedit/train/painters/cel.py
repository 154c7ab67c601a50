"""Cel: an animation frame, flat paint in a few tones within dark coloured outlines."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import (
    Picture,
    Plane,
    as_picture,
    blur,
    contours,
    form_field,
    luminance,
    paths,
    smear,
)

TONES = 4
# Lab's a and b come in steps of this too, or large areas would look mottled.
HUES = 10.0
# What Lab's a and b lean to, as painters of animation mix them: grey shadows to blue, coloured ones to rose, lights
# to cream.
BLUE = np.array((5.0, -36.0), np.float32)
ROSE = np.array((14.0, -6.0), np.float32)
CREAM = np.array((-1.0, 5.0), np.float32)


def cel(picture: Picture, chance: Chance) -> Picture:
    """Paint a frame of animation: soft quantisation within edges and drawn lines (Winnemöller et al. 2006).

    Nothing in it is accidental, so `chance` is not read. Tones step softly instead of being cut into segments: a
    boundary moves as little between frames as the light does.
    """
    del chance
    height = picture.shape[0]
    lab = _calm(picture)
    light = lab[..., 0]
    low, high = np.percentile(light, (1, 99))
    # Animation is bright: middle tones are lifted.
    tone = np.clip((light - low) / max(float(high - low), 30.0), 0, 1) ** 0.8
    field = form_field(picture, height / 70)
    # Smearing along the form rounds the outline of a tone; stepping again makes it crisp.
    step = _steps(smear(_steps(tone, height, 8), paths(field, height / 90, 3)), height, 15)
    paint = _rgb(np.concatenate(((18 + 79 * step**0.85)[..., None], _chroma(lab[..., 1:], step)), -1))
    sketch = luminance(np.asarray(cv2.bilateralFilter(picture, 7, 28, max(height / 150, 1)), np.uint8))
    # Outlines, and finer lines for what a face needs.
    line = np.maximum(
        contours(sketch, field, height / 230, 0.024), contours(sketch, field, height / 330, 0.023)
    )
    line = np.asarray(np.clip((line - 0.25) * 2, 0, 1), np.float32)
    # Lines are a dark kin of the paint beside them, not black.
    ink = 0.24 * blur(paint, height / 150) ** 1.5 + np.array((0.04, 0.02, 0.06), np.float32)
    return as_picture(paint + (ink - paint) * line[..., None])


def _calm(picture: Picture) -> NDArray[np.float32]:
    """Lab of the picture without texture: mean shift flattens shapes (Comaniciu & Meer 2002), a median rounds them."""
    height = picture.shape[0]
    flat = cv2.pyrMeanShiftFiltering(picture, max(2, height // 55), 24, maxLevel=2)
    flat = cv2.medianBlur(flat, 2 * max(1, height // 100) + 1)
    return np.asarray(cv2.cvtColor(np.asarray(flat, np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)


def _chroma(chroma: NDArray[np.float32], step: Plane) -> NDArray[np.float32]:
    """Lab's a and b of the paint: livelier, rosier where it is skin or wood, tinted by light and shadow."""
    place = chroma / HUES
    chroma = HUES * (np.floor(place) + 0.5 + 0.5 * np.tanh((place - np.floor(place) - 0.5) * 5))
    norm = np.linalg.norm(chroma, axis=-1, keepdims=True)
    lively = chroma / (norm + np.float32(1e-3)) * 82 * np.tanh((1.5 * norm + 12 * norm / (norm + 8)) / 82)
    lively[..., 0] += 0.16 * np.clip(lively[..., 1], 0, 40) * (chroma[..., 0] > -4)
    dark, bright = np.clip(0.85 - step, 0, 0.6)[..., None], np.clip(step - 0.6, 0, 1)[..., None]
    grey = 1 / (1 + (norm / 9) ** 2)
    return np.asarray(lively + (BLUE * grey + ROSE * (1 - grey)) * dark + CREAM * bright, np.float32)


def _steps(tone: Plane, height: int, hardness: float) -> Plane:
    """Tones in [0,1] drawn to the nearest of TONES steps, with a soft riser between."""
    place = tone * (TONES - 1)
    middle = np.floor(place) + 0.5
    level = middle + 0.5 * np.tanh((place - middle) * hardness)
    return blur(np.asarray(level / (TONES - 1), np.float32), height / 400)


def _rgb(lab: NDArray[np.floating]) -> NDArray[np.float32]:
    return np.asarray(np.clip(cv2.cvtColor(np.asarray(lab, np.float32), cv2.COLOR_LAB2RGB), 0, 1), np.float32)
