"""Oil: bristled strokes along the form, coarse to fine, lit by the height of the paint."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Field, Picture, Plane, as_picture, blur, form_field

# Brush width and spacing relative to the picture's height; how much detail (levels of 255, three colours together)
# calls for that brush.
LAYERS = ((1 / 10, 1 / 26, 0.0), (1 / 18, 1 / 38, 14.0), (1 / 32, 1 / 58, 18.0), (1 / 64, 1 / 98, 22.0))
BRISTLE = 1 / 75
POINTS = 9
# What each channel of chance decides: where the strokes of each layer begin (fine spots need channels 0 to 3), then
# their order, their colour and the load of their bristles.
SPOTS = (0, 1, 0, 0)
ORDER, VALUE, WARMTH, LOAD = 4, 5, 6, 7


def oil(picture: Picture, chance: Chance) -> Picture:
    """Paint in oil, after Hertzmann (1998), "Painterly Rendering with Curved Brush Strokes"."""
    height = picture.shape[0]
    source = _richer(picture)
    # Fourth channel: height of the paint. One drawing call then lays colour and relief together.
    canvas = np.full((*picture.shape[:2], 4), 90, np.uint8)
    canvas[..., :3] = blur(source, height / 20)
    for channel, (width, spacing, detail) in zip(SPOTS, LAYERS, strict=True):
        starts = chance.spots(spacing * height, channel)
        starts = starts[_at(_detail(source, width * height), starts) >= detail]
        # Each stroke has its own place in the order, so a shift of the picture does not reorder the strokes. What
        # stands out from its surroundings (eyes, highlights) comes late, so that it is not painted over.
        accent = np.abs(source - blur(source, width * height)).sum(-1)
        late = chance.at(starts, ORDER) + _at(blur(accent, width * height / 5), starts) / 90
        starts = starts[np.argsort(late, kind="stable")]
        if len(starts):
            # A broad brush follows the broad form.
            field = form_field(picture, width * height / 3)
            _paint_layer(canvas, source, field, width * height, starts, chance)
    return _lit(canvas)


def _richer(picture: Picture) -> NDArray[np.float32]:
    """More colour and contrast, lights warmer and shadows cooler than in the photograph; (H,W,3) in [0,255]."""
    source = np.asarray(picture, np.float32)
    grey = source.mean(-1, keepdims=True)
    vivid = grey + (source - grey) * 1.35
    vivid = (vivid - 128) * 1.08 + 128
    vivid += (grey - 128) / 128 * np.array((7, 3, -9), np.float32)
    # Small forms are drawn a little harder than they are, so that they survive the brush.
    vivid += 0.7 * (vivid - blur(vivid, picture.shape[0] / 100))
    return np.asarray(np.clip(vivid, 4, 250), np.float32)


def _detail(source: NDArray[np.float32], width: float) -> Plane:
    """How much a brush twice as wide would miss near each pixel. Of the picture alone, so as not to chain strokes."""
    missed = np.abs(blur(source, width / 6) - blur(source, width / 1.5)).sum(-1)
    return blur(missed, width / 2)


def _at(plane: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Values of an (H,W) or (H,W,C) array at points (N,2); outside, the border's."""
    x = np.clip(points[:, 0], 0, plane.shape[1] - 1).astype(int)
    y = np.clip(points[:, 1], 0, plane.shape[0] - 1).astype(int)
    return np.asarray(plane[y, x], np.float32)


def _paint_layer(
    canvas: Picture,
    source: NDArray[np.float32],
    field: Field,
    width: float,
    starts: NDArray[np.float32],
    chance: Chance,
) -> None:
    height = source.shape[0]
    reference = blur(source, width / 5)
    colours = _at(reference, starts)
    routes, ends = _trace(starts, colours, reference, field, width)
    # Broad strokes may be bold; what small ones draw has to stay readable.
    bold = 0.5 + 5 * width / height
    warm = chance.at(starts, WARMTH)[:, None] * np.array((8, 1, -9), np.float32)
    colours = colours * (1 + bold * 0.07 * chance.at(starts, VALUE)[:, None]) + bold * warm
    bristles = max(3, round(width / (BRISTLE * height)))
    lines, ribbons = _ribbons(routes, ends, width, bristles)
    # A bristle's load is the noise where it crosses the stroke's middle.
    load = chance.at(lines[:, :, POINTS // 2].reshape(-1, 2), LOAD).reshape(-1, bristles)
    load *= 1.0 if bristles > 3 else 0.2
    across = np.linspace(-1, 1, bristles)[None]
    shades = np.clip(colours[:, None] + load[..., None] * 8.0, 0, 255)
    # Paint stands higher along the middle of the stroke; loaded bristles leave ridges.
    relief = np.clip(150 - 70 * np.abs(across) ** 3 + load * 19, 0, 255)
    paints = np.concatenate((shades, relief[..., None]), -1)
    # From the outside in, so that the middle lies on top.
    order = np.argsort(-np.abs(across[0]), kind="stable")
    ribbons, paints = ribbons[:, order], paints[:, order]
    for ribbon, shade in zip(
        ribbons.reshape(-1, *ribbons.shape[2:]), paints.reshape(-1, 4).tolist(), strict=True
    ):
        cv2.fillPoly(canvas, [ribbon], shade, cv2.LINE_AA, 3)


def _ribbons(
    routes: NDArray[np.float32], ends: NDArray[np.intp], width: float, bristles: int
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Middle line (N,bristles,POINTS,2) and outline, in eighths of a pixel, of each bristle of each stroke."""
    # A shorter stroke keeps its number of points; those past its ends lie on its ends.
    first, last = ends[:, :1], ends[:, 1:]
    places = np.clip(np.arange(POINTS)[None], first, last)
    along = np.gradient(routes, axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True) + 1e-6
    along = np.take_along_axis(along, places[..., None], 1)[:, None]
    spine = np.take_along_axis(routes, places[..., None], 1)[:, None]
    normal = np.stack((-along[..., 1], along[..., 0]), -1)
    across = ((np.arange(bristles) + 0.5) / bristles - 0.5)[None, :, None, None] * width
    # A round brush: outer bristles touch down later and lift sooner. +1 at the first end, -1 at the last.
    tip = ((places == first) * 1.0 - (places == last))[:, None, :, None]
    lines = spine + normal * across + tip * along * (across**2 / width * 2.4 - width * 0.3)
    # Bristles overlap, so that a bent stroke shows no gaps, and thin out at both ends.
    half = 0.8 * width / bristles * (1 - 0.45 * np.abs(tip))
    outline = np.concatenate((lines + normal * half, (lines - normal * half)[:, :, ::-1]), 2)
    return np.asarray(lines, np.float32), np.rint(outline * 8).astype(np.int32)


def _trace(
    starts: NDArray[np.float32],
    colours: NDArray[np.float32],
    reference: NDArray[np.float32],
    field: Field,
    width: float,
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Follow the field both ways while the colour holds: routes (N,POINTS,2), first and last point to draw (N,2)."""
    middle = POINTS // 2
    routes = np.repeat(starts[:, None], POINTS, 1)
    ends = np.full((len(starts), 2), middle)
    for side, sign in enumerate((-1, 1)):
        position, heading = starts, _at(field.tangent, starts) * np.float32(sign)
        held = np.ones(len(starts), bool)
        for k in range(1, middle + 1):
            position = position + np.float32(width * 0.45) * heading
            routes[:, middle + sign * k] = position
            held &= (np.abs(_at(reference, position) - colours).sum(-1) < 48) | (k == 1)
            ends[:, side] += sign * held
            there = _at(field.tangent, position)
            # A tangent has no sign: keep going the way the stroke was going.
            heading = 0.6 * there * np.sign((there * heading).sum(-1, keepdims=True) + 1e-6) + 0.4 * heading
            heading /= np.linalg.norm(heading, axis=1, keepdims=True) + 1e-6
    return routes, ends


def _lit(canvas: Picture) -> Picture:
    """Light the paint from the upper left and let thick paint shine."""
    height = canvas.shape[0]
    relief = blur(np.asarray(canvas[..., 3], np.float32) / 255, height / 300)
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    slope = np.tanh(np.asarray(slope, np.float32) * (height / 384))
    colours = np.asarray(canvas[..., :3], np.float32) / 255 * (1 + 0.26 * slope[..., None])
    shine = np.clip(slope - 0.45, 0, 1)[..., None] * 0.13
    return as_picture(colours + shine)
