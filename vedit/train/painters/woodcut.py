"""Woodcut: bold black lines that swell and taper, solid blacks, one tint block, bare paper."""

import cv2
import numpy as np

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Picture, as_picture, blur, contours, form_field, luminance, tones
from vedit.train.painters.pen import drawn_angle, flattered, hatchings, under

PAPER = np.array((0.955, 0.915, 0.82), np.float32)
TINT = np.array((0.85, 0.56, 0.33), np.float32)
INK = np.array((0.085, 0.07, 0.07), np.float32)


def woodcut(picture: Picture, chance: Chance) -> Picture:
    """Cut the picture in wood and print it from two blocks: a tint, then black (Mizuno et al. 1998)."""
    height = picture.shape[0]
    warm = flattered(picture)
    tone = 0.8 * tones(warm) + 0.2 * luminance(warm)
    # Small things part from the lines around them by weight of line.
    calm = blur(tone + 1.0 * (tone - blur(tone, height / 40)), height / 170)
    period = max(height / 30, 5)
    (level,) = hatchings([drawn_angle(warm, period, height / 26, 8, 0.006)], chance, period, height / 6, 0)
    # Light areas are cut away whole, dark ones left whole; between them a gouge leaves tapering lines.
    wanted = 1.25 * np.clip((0.50 - calm) / 0.48, -0.2, 1) - 0.06
    # No hairlines: what would be thinner than a gouge's or a ridge's edge is left out.
    wanted = wanted + 0.25 * (wanted > 0.84) - 0.25 * (wanted < 0.1)
    black = under(level, wanted, 16)
    black = np.maximum(black, contours(tone, form_field(warm, height / 90), height / 210, 0.036))
    # A median rounds the tint's shapes but leaves no rim of tint around blacks.
    round_off = 2 * min(int(height / 80), 12) + 1
    middle = cv2.medianBlur(np.asarray(tone * 255, np.uint8), round_off)
    flat = blur(np.asarray(middle, np.float32) / 255, height / 250)
    tint = under(flat, 0.61 + 0.015 * chance.cloud(height / 16, 4, 2), 80)
    # Neither block takes the ink quite evenly.
    worn = 1 - 0.05 * np.clip(chance.cloud(height / 24, 5, 3), 0, 2)
    paper = PAPER * (1 + 0.010 * chance.cloud(height / 40, 1, 3))[..., None]
    sheet = paper + (TINT - paper) * (tint * worn)[..., None]
    return as_picture(sheet + (INK - sheet) * (black * worn)[..., None])
