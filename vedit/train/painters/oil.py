"""Oil: bristled strokes along the form, coarse to fine, lit by the height of the paint."""

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.train.painters.field import Field, Picture, as_picture, blur, form_field

# (brush width, spacing) relative to the picture's height, and how far the canvas may be off (levels of 255).
LAYERS = ((1 / 10, 1 / 24, 0.0), (1 / 19, 1 / 42, 11.0), (1 / 34, 1 / 66, 13.0), (1 / 60, 1 / 115, 13.0))
BRISTLE = 1 / 100
POINTS = 8


def oil(picture: Picture, rng: np.random.Generator) -> Picture:
    """Paint in oil, after Hertzmann (1998), "Painterly Rendering with Curved Brush Strokes"."""
    height = picture.shape[0]
    source = _richer(picture)
    field = form_field(picture, height / 70)
    # Fourth channel: height of the paint. One drawing call then lays colour and relief together.
    canvas = np.empty((*picture.shape[:2], 4), np.uint8)
    canvas[..., :3] = source.mean((0, 1))
    canvas[..., 3] = 128
    for width, spacing, tolerance in LAYERS:
        _paint_layer(canvas, source, field, width * height, spacing * height, tolerance, rng)
    return _lit(canvas)


def _richer(picture: Picture) -> NDArray[np.float32]:
    """The picture with a little more colour and contrast, (H,W,3) in [0,255]."""
    source = np.asarray(picture, np.float32)
    grey = source.mean(-1, keepdims=True)
    vivid = grey + (source - grey) * 1.25
    return np.asarray(np.clip((vivid - 128) * 1.06 + 130, 0, 255), np.float32)


def _paint_layer(
    canvas: Picture,
    source: NDArray[np.float32],
    field: Field,
    width: float,
    spacing: float,
    tolerance: float,
    rng: np.random.Generator,
) -> None:
    reference = blur(source, width / 6)
    off = blur(np.abs(canvas[..., :3] - reference).sum(-1), spacing / 2)
    starts = _starts(off, spacing, tolerance * 3, rng)
    colours = reference[starts[:, 1].astype(int), starts[:, 0].astype(int)]
    routes, lengths = _trace(starts, colours, reference, field, width)
    colours = colours * rng.normal(1, 0.045, (len(starts), 1)) + rng.normal(0, 3.0, colours.shape)
    bristles = max(2, round(width / (BRISTLE * source.shape[0])))
    ribbons = _ribbons(routes, lengths, width, bristles, rng)
    load = rng.normal(0, 1, (len(starts), bristles))
    shades = np.clip(colours[:, None] + load[..., None] * 5.0, 0, 255)
    relief = np.clip(128 + load * 50, 0, 255)
    paints = np.concatenate((shades, relief[..., None]), -1).reshape(-1, 4).tolist()
    for ribbon, shade in zip(ribbons.reshape(-1, *ribbons.shape[2:]), paints, strict=True):
        cv2.fillPoly(canvas, [ribbon], shade, cv2.LINE_AA, 3)


def _ribbons(
    routes: NDArray[np.float32],
    lengths: NDArray[np.intp],
    width: float,
    bristles: int,
    rng: np.random.Generator,
) -> NDArray[np.int32]:
    """Outline of each bristle of each stroke, (N,bristles,2*POINTS,2) in eighths of a pixel."""
    # A shorter stroke keeps its number of points; those past its end lie on its end.
    last = np.minimum(np.arange(POINTS)[None], lengths[:, None] - 1)
    along = np.gradient(routes, axis=1)
    along /= np.linalg.norm(along, axis=2, keepdims=True) + 1e-6
    along = np.take_along_axis(along, last[..., None], 1)[:, None]
    spine = np.take_along_axis(routes, last[..., None], 1)[:, None]
    normal = np.stack((-along[..., 1], along[..., 0]), -1)
    across = ((np.arange(bristles) + 0.5) / bristles - 0.5)[None, :, None, None] * width
    # A round brush: outer bristles touch down later and lift sooner, each a little by chance.
    late = np.abs(across[..., 0, 0]) * 0.9 + rng.uniform(-0.25, 0.25, (len(routes), bristles)) * width
    lines = spine + normal * across
    lines[:, :, 0] += along[:, :, 0] * (late[..., None] - width * 0.3)
    ends = (last == lengths[:, None] - 1)[:, None, :, None]
    lines -= np.where(ends, along * (late[..., None, None] - width * 0.3), 0)
    # Bristles overlap, so that a bent stroke shows no gaps, and thin out at both ends.
    half = 0.85 * width / bristles * np.where(np.arange(POINTS) == 0, 0.55, 1.0)[None, :]
    half = np.where(last == lengths[:, None] - 1, half * 0.55, half)[:, None, :, None]
    outline = np.concatenate((lines + normal * half, (lines - normal * half)[:, :, ::-1]), 2)
    return np.rint(outline * 8).astype(np.int32)


def _starts(
    off: NDArray[np.float32], spacing: float, limit: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Where strokes begin, (N,2): a jittered grid, in random order, where the canvas is off by the limit."""
    height, width = off.shape
    ys, xs = np.mgrid[spacing / 2 : height : spacing, spacing / 2 : width : spacing]
    starts = np.stack((xs.ravel(), ys.ravel()), -1)
    starts += rng.uniform(-0.6, 0.6, starts.shape) * spacing
    starts = np.clip(starts, 0, (width - 1, height - 1))
    wanted = off[starts[:, 1].astype(int), starts[:, 0].astype(int)] >= limit
    return rng.permutation(starts[wanted]).astype(np.float32)


def _trace(
    starts: NDArray[np.float32],
    colours: NDArray[np.float32],
    reference: NDArray[np.float32],
    field: Field,
    width: float,
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Follow the field both for colour and form: routes (N,K,2) and how many points of each to draw."""
    rows, columns = field.coherence.shape
    step = width * 0.55
    position, heading = starts.copy(), np.zeros_like(starts)
    routes = np.empty((len(starts), POINTS, 2), np.float32)
    good = np.ones((len(starts), POINTS), bool)
    for k in range(POINTS):
        routes[:, k] = position
        x = np.clip(position[:, 0], 0, columns - 1).astype(int)
        y = np.clip(position[:, 1], 0, rows - 1).astype(int)
        if k > 2:
            good[:, k] = np.abs(reference[y, x] - colours).sum(-1) < 50
        there = field.tangent[y, x]
        there = there * np.sign((there * heading).sum(-1, keepdims=True) + 1e-6)
        heading = 0.6 * there + 0.4 * (heading if k else there)
        heading /= np.linalg.norm(heading, axis=1, keepdims=True) + 1e-6
        position = position + step * heading
    return routes, np.logical_and.accumulate(good, 1).sum(1)


def _lit(canvas: Picture) -> Picture:
    """Light the paint from the upper left and let thick paint shine."""
    relief = blur(np.asarray(canvas[..., 3], np.float32) / 255, canvas.shape[0] / 400)
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    light = 1 + 0.17 * np.tanh(np.asarray(slope, np.float32))
    return as_picture(np.asarray(canvas[..., :3], np.float32) / 255 * light[..., None])
