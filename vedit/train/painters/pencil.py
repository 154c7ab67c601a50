"""Pencil: graphite in parallel strokes, layered to soft dark greys, on toothed paper, with crisper outlines."""

import numpy as np

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Picture, as_picture, blur, form_field, luminance, tones
from vedit.train.painters.pen import drawn_angle, flattered, hatchings, outlines

PAPER = np.array((0.96, 0.95, 0.925), np.float32)
GRAPHITE = np.array((0.185, 0.18, 0.18), np.float32)
# Each layer's darkest share, the tone under which it begins, and its turn from the hand's angle in degrees.
LAYERS = ((0.46, 0.92, 0.0), (0.50, 0.62, 14.0), (0.52, 0.34, -18.0))


def pencil(picture: Picture, chance: Chance) -> Picture:
    """Shade with a pencil, layer over layer (Sousa & Buchanan 1999, "Computer-Generated Graphite Pencil")."""
    height = picture.shape[0]
    warm = flattered(picture)
    light = luminance(warm)
    # Half the photograph's own light, so that faces model softly; half spread, so that dull frames have a range.
    light = light + 0.7 * (light - blur(light, height / 14))
    tone = blur(0.5 * tones(warm) + 0.5 * np.clip(light, 0, 1), height / 260)
    period = max(height / 44, 5)
    angle = drawn_angle(warm, period, height / 40, -50, 0.16)
    levels = hatchings([angle + np.radians(turn) for *_, turn in LAYERS], chance, period, height / 7, 0)
    tooth = chance.cloud(max(height / 40, 6), 4, 2)
    bare = np.ones(tone.shape, np.float32)
    for (share, begin, _), level in zip(LAYERS, levels, strict=True):
        wanted = np.clip((begin - tone) / begin, 0, 1) ** 0.9
        # A soft point: lines of graphite with grey between them, catching on the tooth of the paper.
        stroke = 1 + 0.46 * np.cos(np.pi * level) + 0.10 * tooth
        bare *= 1 - share * wanted * np.clip(stroke, 0, 1.5)
    drawn = outlines(tone, form_field(warm, height / 100), height / 250)
    bare *= 1 - 0.78 * drawn * np.clip(1 + 0.12 * tooth, 0.5, 1.2)
    paper = PAPER * (1 + 0.010 * tooth)[..., None]
    return as_picture(GRAPHITE + (paper - GRAPHITE) * bare[..., None])
