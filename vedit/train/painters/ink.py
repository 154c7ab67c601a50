"""Ink: hatching in four tones that follows the form, and drawn outlines, on paper."""

import numpy as np

from vedit.train.painters.field import (
    Picture,
    as_picture,
    blur,
    cloud,
    contours,
    form_field,
    stripes,
    tones,
)

PAPER = np.array((0.965, 0.945, 0.895), np.float32)
INK = np.array((0.09, 0.10, 0.15), np.float32)
# Under this tone a layer of hatching begins, turned by degrees from the form.
HATCHES = ((0.62, 0.0), (0.36, 62.0), (0.19, -40.0))


def ink(picture: Picture, rng: np.random.Generator) -> Picture:
    """Draw with pen and ink: one more direction of lines for every darker tone, solid in the darkest."""
    height = picture.shape[0]
    shape = (height, picture.shape[1])
    tone = tones(picture)
    # Small things part from the hatching around them by weight of line.
    detailed = blur(tone + 0.8 * (tone - blur(tone, height / 45)), height / 250)
    field = form_field(picture, height / 50)
    bare = np.ones(shape, np.float32)
    for begin, degrees in HATCHES:
        level = stripes(field.turned(degrees), height / 50, height / 15, rng)
        # Lines thicken as the tone falls, so shading is continuous inside a layer.
        depth = np.clip((begin - detailed) / 0.40, 0, 1)
        weight = np.where(depth > 0, 0.20 + 0.22 * depth, -1)
        bare *= 1 - 0.95 / (1 + np.exp(np.clip((level - weight) * 26, -30, 30)))
    bare *= 1 - 1 / (1 + np.exp((blur(tone, height / 150) - 0.05) * 60))
    line = contours(tone, form_field(picture, height / 110), height / 240, 0.028)
    amount = 1 - bare * (1 - line)
    paper = PAPER * (1 + 0.012 * cloud(shape, height / 30, rng))[..., None]
    return as_picture(paper + (INK - paper) * amount[..., None])
