"""Woodcut: black carved lines that follow the form, one tint block, bare paper."""

import numpy as np

from vedit.train.painters.field import (
    Picture,
    Plane,
    as_picture,
    blur,
    cloud,
    contours,
    form_field,
    stripes,
    tones,
)

PAPER = np.array((0.955, 0.915, 0.82), np.float32)
TINT = np.array((0.86, 0.56, 0.30), np.float32)
INK = np.array((0.075, 0.065, 0.07), np.float32)


def woodcut(picture: Picture, rng: np.random.Generator) -> Picture:
    """Cut the picture in wood and print it from two blocks: a tint, then black."""
    height = picture.shape[0]
    shape = (height, picture.shape[1])
    tone = tones(picture)
    # Small things part from the lines around them by weight of line.
    calm = blur(tone + 1.0 * (tone - blur(tone, height / 40)), height / 220)
    level = stripes(form_field(picture, height / 45), height / 40, height / 10, rng)
    # Light areas are cut away whole, dark ones left whole; between them a gouge leaves tapering lines.
    wanted = np.clip((0.60 - calm) / 0.60, 0, 1)
    black = _printed(level - 0.92 * wanted + 2.0 * (wanted <= 0.04) - 2.0 * (wanted >= 0.93), 14)
    black = np.maximum(black, contours(tone, form_field(picture, height / 90), height / 200, 0.035))
    tint = _printed(blur(tone, height / 60) - 0.60 + 0.02 * cloud(shape, height / 20, rng), 50)
    worn = np.clip(1 - 0.05 * np.maximum(cloud(shape, height / 24, rng, 3), 0), 0, 1)
    paper = PAPER * (1 + 0.010 * cloud(shape, height / 40, rng))[..., None]
    sheet = paper + (TINT - paper) * (tint * worn)[..., None]
    return as_picture(sheet + (INK - sheet) * (black * worn)[..., None])


def _printed(level: Plane, sharpness: float) -> Plane:
    """1 where the level is under nought; a greater sharpness gives a harder edge."""
    cover = 1 / (1 + np.exp(np.clip(level * sharpness, -30, 30)))
    return np.asarray(cover, np.float32)
