"""Photographs cut into layers that move over one another: occlusion with a known picture at any time."""

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

_Picture = npt.NDArray[np.uint8]


def moving_layers(pictures: list[Tensor], t: float, size: int, rng: np.random.Generator) -> Tensor:
    """Frames ``(3, 3, size, size)`` in [0, 1] at times 0, t and 1 of a scene whose parts all move evenly.

    A background and up to four cut-outs, each a piece of a photograph with its own pan, zoom and turn; then, each now
    and then: a caption that stands still, one blur for all, a change of brightness, grain, JPEG's blocks.

    Args:
        pictures: ``(3, H, W)`` uint8 photographs.
        t: in (0, 1).
        size: pixels per side.
        rng: of every choice.
    """
    times = (0.0, t, 1.0)
    reach = float(rng.choice([2.0, 8.0, 20.0, 45.0]))
    frames = [
        f.astype(np.float32)
        for f in _seen(_pick(pictures, rng), _motion(size, 0.4 * reach, rng), times, size)
    ]
    for _ in range(int(rng.integers(0, 5))):
        motion = _motion(size, reach, rng)
        layer, shape = _pick(pictures, rng), _shape(size, rng)
        colours, alphas = _seen(layer, motion, times, size), _seen(shape, motion, times, size, over=True)
        for i, (colour, alpha) in enumerate(zip(colours, alphas, strict=True)):
            share = alpha.astype(np.float32)[..., None] / 255
            frames[i] += share * (colour - frames[i])
    if rng.random() < 0.25:
        frames = _captioned(frames, size, rng)
    if rng.random() < 0.3:
        sigma = float(rng.uniform(0.5, 1.2))
        frames = [np.asarray(cv2.GaussianBlur(f, (0, 0), sigma), np.float32) for f in frames]
    if rng.random() < 0.2:
        gain, offset = rng.uniform(0.8, 1.2), rng.uniform(-20, 20)
        frames = [f * (1 + (gain - 1) * at) + offset * at for f, at in zip(frames, times, strict=True)]
    return torch.stack([_recorded(f, rng) for f in _grained(frames, rng)])


def _pick(pictures: list[Tensor], rng: np.random.Generator) -> _Picture:
    picture = pictures[int(rng.integers(len(pictures)))].permute(1, 2, 0).numpy()
    turned = np.rot90(picture, int(rng.integers(4)))
    scale = float(rng.choice([1.0, 0.7, 0.5]))
    return np.ascontiguousarray(cv2.resize(turned, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def _motion(size: int, reach: float, rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], ...]:
    """Where a layer is, as (dx, dy, zoom, turn): at time 0 and how that changes until time 1."""
    begin = np.array(
        [rng.uniform(-0.3, 0.3) * size, rng.uniform(-0.3, 0.3) * size, 0.0, rng.uniform(-0.3, 0.3)]
    )
    change = np.array([*rng.normal(0, reach / 1.5, 2), rng.normal(0, 0.02), rng.normal(0, 0.02)])
    return begin, change


def _seen(
    layer: _Picture,
    motion: tuple[npt.NDArray[np.float64], ...],
    times: tuple[float, ...],
    size: int,
    *,
    over: bool = False,
) -> list[_Picture]:
    """A layer at each time, its middle near the picture's; ``over``: nothing beyond its border, else mirrored."""
    begin, change = motion
    height, width = layer.shape[:2]
    border = cv2.BORDER_CONSTANT if over else cv2.BORDER_REFLECT_101
    out = []
    for t in times:
        dx, dy, zoom, turn = begin + t * change
        scale = np.exp(zoom)
        linear = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        offset = np.array([size / 2 + dx, size / 2 + dy]) - linear @ np.array([width / 2, height / 2])
        matrix = np.concatenate([linear, offset[:, None]], axis=1)
        seen = cv2.warpAffine(layer, matrix, (size, size), flags=cv2.INTER_CUBIC, borderMode=border)
        out.append(np.asarray(seen, np.uint8))
    return out


def _shape(size: int, rng: np.random.Generator) -> _Picture:
    """A cut-out ``(size, size)``: an ellipse, a polygon or a blob, 255 inside."""
    mask = np.zeros((size, size), np.uint8)
    middle, radius = size / 2, size * rng.uniform(0.05, 0.3)
    kind = int(rng.integers(3))
    if kind == 0:
        axes = (int(radius), max(2, int(radius * rng.uniform(0.15, 1))))
        cv2.ellipse(
            mask, (size // 2, size // 2), axes, float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA
        )
    else:
        corners = int(rng.integers(3, 7)) if kind == 1 else 24
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        away = radius * rng.uniform(0.4, 1.3, corners)
        if kind == 2:
            away = radius * (
                1 + 0.3 * np.sin(3 * angles + rng.uniform(0, 6)) + 0.15 * rng.normal(size=corners)
            )
        points = np.stack([middle + away * np.cos(angles), middle + away * np.sin(angles)], axis=1)
        cv2.fillPoly(mask, [points.astype(np.int32)], 255, cv2.LINE_AA)
    return mask


def _captioned(
    frames: list[npt.NDArray[np.float32]], size: int, rng: np.random.Generator
) -> list[npt.NDArray[np.float32]]:
    words = "".join(chr(int(c)) for c in rng.integers(65, 91, 8))
    place = (int(rng.integers(0, size // 2)), int(rng.integers(20, size)))
    scale = float(rng.uniform(0.5, 1.5))
    ink = np.zeros((size, size), np.uint8)
    cv2.putText(ink, words, place, cv2.FONT_HERSHEY_SIMPLEX, scale, 255, 2, cv2.LINE_AA)
    share = ink.astype(np.float32)[..., None] / 255
    colour = rng.uniform(0, 255, 3).astype(np.float32)
    return [f + share * (colour - f) for f in frames]


def _grained(
    frames: list[npt.NDArray[np.float32]], rng: np.random.Generator
) -> list[npt.NDArray[np.float32]]:
    if rng.random() < 0.5:
        return frames
    sigma = float(rng.uniform(1, 4))
    return [f + sigma * rng.standard_normal(f.shape).astype(np.float32) for f in frames]


def _recorded(frame: npt.NDArray[np.float32], rng: np.random.Generator) -> Tensor:
    """To 8 bits, half of the time through JPEG."""
    picture = np.clip(frame, 0, 255).round().astype(np.uint8)
    if rng.random() < 0.5:
        _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))])
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).float() / 255
