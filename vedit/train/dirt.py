"""Dirt painted into films, and films drawn of things that move: from these it is learned what dirt is and is not."""

import cv2
import numpy as np
import numpy.typing as npt

from vedit.edits.repair.candidates import scale_of

Pictures = npt.NDArray[np.uint8]
Plane = npt.NDArray[np.float32]

RADIUS = 1.2, 7.0
"""Pixels in a picture of 640."""
LENGTH = 8.0, 50.0
"""Of a hair."""
FAINT = 0.4
"""The least part of a pixel that dirt covers."""
SEEN = 5.0
"""Levels by which dirt must change a pixel to be there."""
SIZES = (640, 360), (640, 480), (480, 360), (512, 512)
"""Of films that are drawn."""
FRACTION = 4
"""Bits of a pixel to which places are drawn."""


def dirtied(run: Pictures, each: float, rng: np.random.Generator) -> tuple[Pictures, npt.NDArray[np.bool_]]:
    """A run of pictures ``(F, H, W, 3)`` with about ``each`` specks and hairs in every one, and where these are."""
    out = run.astype(np.float32)
    marks = np.zeros(run.shape[:3], bool)
    height, width = run.shape[1:3]
    scale = scale_of(out[0, ..., 0])
    for picture, mark in zip(out, marks, strict=True):
        for _ in range(rng.poisson(each)):
            cover = (_hair if rng.random() < 0.2 else _speck)(scale, rng)
            radius = cover.shape[0] // 2
            y, x = int(rng.integers(height)), int(rng.integers(width))
            rows, columns = (slice(max(0, n - radius), n + radius + 1) for n in (y, x))
            part, seen = picture[rows, columns], mark[rows, columns]
            top, left = rows.start - y + radius, columns.start - x + radius
            share = cover[top : top + part.shape[0], left : left + part.shape[1], None]
            colour = np.float32(_level(rng) + 3 * rng.standard_normal(3))
            new = (part + share * (colour - part)).clip(0, 255)
            seen |= np.abs(new - part).max(-1) > SEEN
            part[:] = new
    return out.round().astype(np.uint8), marks


def _level(rng: np.random.Generator) -> float:
    """White, black, or now and then between them."""
    which = rng.random()
    return float(
        rng.uniform(205, 255) if which < 0.45 else rng.uniform(0, 50) if which < 0.9 else rng.uniform(50, 205)
    )


def _speck(scale: float, rng: np.random.Generator) -> Plane:
    """How much of each pixel an ellipse or a blot covers, in a square around it."""
    radius = float(np.exp(rng.uniform(*np.log(RADIUS)))) * scale
    longer, angle = rng.uniform(1, 2.2), rng.uniform(0, np.pi)
    reach = int(radius * longer + 6)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1] + rng.uniform(-0.5, 0.5, (2, 1, 1))
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    away = np.hypot(along / longer, across * longer)
    if rng.random() < 0.4:
        ragged = cv2.GaussianBlur(rng.standard_normal(away.shape), (0, 0), max(1.0, radius / 2))
        away = away + 0.35 * radius * ragged / (ragged.std() + 1e-6)
    return _softened(np.asarray((radius - away + 0.5).clip(0, 1), np.float32), scale, rng)


def _hair(scale: float, rng: np.random.Generator) -> Plane:
    length = rng.uniform(*LENGTH) * scale
    bends = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, rng.uniform(0, 0.5), 12))
    points = np.cumsum(np.stack([np.cos(bends), np.sin(bends)], 1) * length / 12, 0)
    points -= points.mean(0)
    reach = int(np.abs(points).max() + 6)
    cover = np.zeros((2 * reach + 1,) * 2, np.uint8)
    thick = max(1, round(rng.uniform(1, 2.6) * scale))
    cv2.polylines(cover, [_fixed(points + reach)], False, [255], thick, cv2.LINE_AA, FRACTION)
    return _softened(np.asarray(cover / 255, np.float32), scale, rng)


def _softened(cover: Plane, scale: float, rng: np.random.Generator) -> Plane:
    if rng.random() < 0.5:
        cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.4, 1.3) * scale), np.float32)
    return np.asarray(cover * rng.uniform(FAINT, 1), np.float32)


def worn(run: Pictures, rng: np.random.Generator) -> Pictures:
    """Half of the runs with grain, or as a coder leaves them, or both."""
    which = rng.random()
    if which < 0.25:
        grain = rng.uniform(2, 7) * rng.standard_normal((*run.shape[:3], 1))
        run = np.asarray((run + grain).clip(0, 255).round(), np.uint8)
    if 0.15 < which < 0.5:
        how = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 96))]
        coded = [cv2.imencode(".jpg", picture, how)[1] for picture in run]
        run = np.stack([np.asarray(cv2.imdecode(one, cv2.IMREAD_COLOR), np.uint8) for one in coded])
    return run


def drawn(photos: list[Pictures], frames: int, rng: np.random.Generator) -> Pictures:
    """A run ``(F, H, W, 3)``: polygons, rings and lines move and turn before a photograph that is panned over."""
    width, height = SIZES[int(rng.integers(len(SIZES)))]
    photo = photos[int(rng.integers(len(photos)))]
    size = max(height / photo.shape[0], width / photo.shape[1]) * rng.uniform(1.15, 1.6)
    ground = cv2.resize(
        photo, None, fx=size, fy=size, interpolation=cv2.INTER_AREA if size < 1 else cv2.INTER_LINEAR
    )
    if rng.random() < 0.25:
        ground = np.full_like(ground, int(rng.integers(256)))
    room = np.array([ground.shape[1] - width, ground.shape[0] - height])
    start, speed = rng.uniform(0, 1, 2) * room, rng.normal(0, rng.choice([0, 1, 4]), 2)
    things = [_Thing((width, height), photos, rng) for _ in range(int(rng.integers(2, 9)))]
    out = []
    for k in range(frames):
        x, y = (start + speed * k).clip(0, room)
        at = np.array([[1, 0, x], [0, 1, y]], np.float32)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        picture = np.asarray(cv2.warpAffine(ground, at, (width, height), flags=how), np.float32)
        for thing in things:
            picture = thing.over(picture, k)
        out.append(picture.round().astype(np.uint8))
    return np.stack(out)


class _Thing:
    """A shape of one colour or with a photograph on it, which moves evenly, turns and grows."""

    def __init__(self, size: tuple[int, int], photos: list[Pictures], rng: np.random.Generator) -> None:
        corners = int(rng.integers(2, 8))
        radius = float(np.exp(rng.uniform(np.log(4), np.log(110))))
        self._points = rng.standard_normal((corners, 2)) * radius * (1, rng.uniform(0.1, 1))
        if corners > 4 and rng.random() < 0.5:
            turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            self._points = radius * np.stack([np.cos(turn), rng.uniform(0.3, 1) * np.sin(turn)], 1)
        self._place, self._speed = rng.uniform(0, size), rng.normal(0, rng.choice([1, 4, 12]), 2)
        self._turn, self._grow = rng.normal(0, rng.choice([0, 0.05, 0.2])), np.exp(rng.normal(0, 0.02))
        self._thick = round(rng.uniform(1, 4)) if corners < 4 or rng.random() < 0.2 else 0
        self._cover = float(rng.choice([1, 1, rng.uniform(0.3, 1)]))
        self._soft = float(rng.choice([0, 0.6, 1.2]))
        self._colour = np.full((size[1], size[0], 3), rng.uniform(0, 255, 3), np.float32)
        self._printed = rng.random() < 0.4
        if self._printed:
            photo = photos[int(rng.integers(len(photos)))]
            self._colour = np.asarray(cv2.resize(photo, size), np.float32)

    def over(self, picture: Plane, k: int) -> Plane:
        """The picture ``(H, W, 3)`` with the thing where it is after ``k`` frames."""
        cos, sin = np.cos(self._turn * k), np.sin(self._turn * k)
        points = (
            self._grow**k * self._points @ np.array([[cos, -sin], [sin, cos]]) + self._place + self._speed * k
        )
        cover = np.zeros(picture.shape[:2], np.uint8)
        if self._thick:
            cv2.polylines(cover, [_fixed(points)], True, [255], self._thick, cv2.LINE_AA, FRACTION)
        else:
            cv2.fillPoly(cover, [_fixed(points)], [255], cv2.LINE_AA, FRACTION)
        share = cover[..., None] * np.float32(self._cover / 255)
        if self._soft:
            share = np.asarray(cv2.GaussianBlur(share, (0, 0), self._soft), np.float32)[..., None]
        colour = self._colour
        if self._printed:
            along = np.array([[1, 0, self._speed[0] * k], [0, 1, self._speed[1] * k]], np.float32)
            size = (picture.shape[1], picture.shape[0])
            colour = np.asarray(
                cv2.warpAffine(colour, along, size, borderMode=cv2.BORDER_REFLECT), np.float32
            )
        return np.asarray(picture + share * (colour - picture), np.float32)


def _fixed(points: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
    return np.asarray((points * 2**FRACTION).round(), np.int32)
