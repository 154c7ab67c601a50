"""Ink: fine pen hatching that follows the form, one direction more for every darker tone, and drawn outlines."""

import numpy as np

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Picture, as_picture, blur, form_field, luminance, tones
from vedit.train.painters.pen import drawn_angle, flattered, hatchings, outlines, under

PAPER = np.array((0.965, 0.94, 0.88), np.float32)
INK = np.array((0.11, 0.10, 0.14), np.float32)
# Under this tone a layer of hatching begins, turned by degrees from the first, up to a share of its period.
HATCHES = ((0.60, 0.0, 0.33), (0.36, 48.0, 0.30), (0.18, -42.0, 0.34))


def ink(picture: Picture, chance: Chance) -> Picture:
    """Draw with pen and ink, tone by lines that are laid across each other (Winkenbach & Salesin 1994)."""
    height = picture.shape[0]
    warm = flattered(picture)
    tone = 0.7 * tones(warm) + 0.3 * luminance(warm)
    # Small things part from the hatching around them by weight of line.
    detailed = blur(tone + 0.9 * (tone - blur(tone, height / 40)), height / 220)
    period = max(height / 46, 5)
    angle = drawn_angle(warm, period, height / 28, -50, 0.035)
    levels = hatchings([angle + np.radians(turn) for _, turn, _ in HATCHES], chance, period, height / 11, 0)
    bare = np.ones(tone.shape, np.float32)
    for (begin, _, share), level in zip(HATCHES, levels, strict=True):
        # Lines taper in and thicken as the tone falls, so shading is continuous inside a layer.
        depth = (begin - detailed) / begin
        weight = 0.16 * np.clip(depth * 9, -2, 1) + (share - 0.16) * np.clip(depth, 0, 1)
        bare *= 1 - 0.93 * under(level, weight, 18)
    # Only the very deepest places are filled, for accents: a night stays a net of lines.
    bare *= 1 - 0.85 * under(blur(tone, height / 150), 0.02, 90)
    amount = 1 - bare * (1 - outlines(tone, form_field(warm, height / 80), height / 230))
    paper = PAPER * (1 + 0.010 * chance.cloud(height / 30, 5))[..., None]
    return as_picture(paper + (INK - paper) * amount[..., None])
