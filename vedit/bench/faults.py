"""Faults planted into films of which it is known where they are."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from vedit.analysis.anomalies.moment import Kind

Picture = NDArray[np.uint8]
Pictures = list[Picture]
"""Of one size, ``(H, W, 3)`` RGB."""

FAULTS: dict[Kind, tuple[int, int, str]] = {
    "freeze": (6, 15, "one picture instead of the ones that follow it"),
    "drop": (2, 5, "so many pictures taken out, and the ones after them come earlier"),
    "foreign frame": (1, 3, "pictures of another clip instead"),
    "flash": (1, 4, "35 to 90 percent of the way to white, fading or not"),
    "glitch": (1, 5, "5 to 40 percent of the picture garbled, shifted, green, in squares or noise"),
    "reversal": (8, 30, "the pictures in the opposite order"),
    "appearing object": (
        1,
        1,
        "a piece of another clip, 15 to 35 percent high, from there to the shot's end",
    ),
}
"""The fewest and most pictures of each kind of fault, and what is done to them."""
MOVING: tuple[Kind, ...] = ("freeze", "drop", "reversal")
"""What is only planted where things move: elsewhere nobody could see it."""
PLAIN = 16
"""Levels that a pasted thing or broken part must differ by from what it covers, mean."""


@dataclass(frozen=True)
class Fault:
    """The pictures ``start`` to ``stop - 1`` of a film, as it is with the fault; of a drop the one after the loss.

    ``visible``: whether a person could see it, see `vedit.bench.jumps.visible`.
    """

    kind: Kind
    start: int
    stop: int
    detail: str = ""
    visible: bool = True


class Dice:
    """Random numbers from one generator."""

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def whole(self, low: int, high: int) -> int:
        """From ``low`` to ``high``, both included."""
        return int(torch.randint(low, max(low, high) + 1, (1,), generator=self._generator))

    def real(self, low: float, high: float) -> float:
        return low + (high - low) * float(torch.rand(1, generator=self._generator))

    def shuffled(self, count: int) -> list[int]:
        return [int(i) for i in torch.randperm(count, generator=self._generator)]


def plant(
    kind: Kind, pictures: Pictures, start: int, length: int, end: int, others: Sequence[Picture], dice: Dice
) -> Fault | None:
    """Change pictures in place so that a fault begins at ``start``; ``end`` is where the shot ends.

    None where it would not be seen: a flash over white, or a thing that looks like what it covers.
    """
    stop = start + length
    if kind == "freeze":
        pictures[start:stop] = [pictures[start - 1]] * length
        return Fault(kind, start - 1, stop)
    if kind == "drop":
        del pictures[start:stop]
        return Fault(kind, start, start + 1, f"{length} missing")
    if kind == "reversal":
        pictures[start:stop] = pictures[start:stop][::-1]
        return Fault(kind, start, stop)
    if kind == "foreign frame":
        first = dice.whole(0, len(others) - length)
        made = [_fitted(other, pictures[start]) for other in others[first : first + length]]
        if _apart(made[0], pictures[start]) < PLAIN:
            return None
        pictures[start:stop] = made
        return Fault(kind, start, stop)
    if kind == "flash":
        return _flash(pictures, start, stop, dice)
    if kind == "glitch":
        return _glitch(pictures, start, stop, dice)
    return _object(pictures, start, end, others, dice)


def _flash(pictures: Pictures, start: int, stop: int, dice: Dice) -> Fault | None:
    peak, fades = dice.real(0.35, 0.9), dice.real(0.5, 1.0)
    made = []
    for k, picture in enumerate(pictures[start:stop]):
        share = peak * fades**k
        made.append((picture + (255.0 - picture) * share).round().astype(np.uint8))
    if _apart(made[0], pictures[start]) < PLAIN:
        return None
    pictures[start:stop] = made
    return Fault("flash", start, stop, f"{peak:.0%}")


def _glitch(pictures: Pictures, start: int, stop: int, dice: Dice) -> Fault | None:
    height, width = pictures[start].shape[:2]
    wide = dice.real(0.3, 0.8)
    high = dice.real(0.05, 0.4) / wide
    w, h = max(16, int(wide * width)), max(16, int(min(0.9, high) * height))
    x, y = dice.whole(0, width - w), dice.whole(0, height - h)
    name, spoil = GLITCHES[dice.whole(0, len(GLITCHES) - 1)]
    made = []
    for picture in pictures[start:stop]:
        broken = picture.copy()
        broken[y : y + h, x : x + w] = spoil(picture, (y, x, h, w), dice)
        made.append(broken)
    if _apart(made[0][y : y + h, x : x + w], pictures[start][y : y + h, x : x + w]) < PLAIN:
        return None
    pictures[start:stop] = made
    return Fault("glitch", start, stop, f"{name}, {w * h / width / height:.0%}")


Box = tuple[int, int, int, int]


def _garbled(picture: Picture, box: Box, dice: Dice) -> Picture:
    """Blocks of 16 pixels from anywhere."""
    y, x, h, w = box
    out = picture[y : y + h, x : x + w].copy()
    height, width = picture.shape[:2]
    for top in range(0, h, 16):
        for left in range(0, w, 16):
            tall, wide = min(16, h - top), min(16, w - left)
            a, b = dice.whole(0, height - tall), dice.whole(0, width - wide)
            out[top : top + tall, left : left + wide] = picture[a : a + tall, b : b + wide]
    return out


def _shifted(picture: Picture, box: Box, dice: Dice) -> Picture:
    """Rows of 16 pixels moved sideways."""
    y, x, h, w = box
    out = picture[y : y + h, x : x + w].copy()
    width = picture.shape[1]
    for top in range(0, h, 16):
        by = dice.whole(width // 10, width // 2)
        out[top : top + 16] = np.roll(picture[y + top : y + min(h, top + 16)], by, axis=1)[:, x : x + w]
    return out


def _green(picture: Picture, box: Box, dice: Dice) -> Picture:
    """What decoders show where there is nothing."""
    return np.full((box[2], box[3], 3), (0, dice.whole(100, 160), 0), np.uint8)


def _squares(picture: Picture, box: Box, dice: Dice) -> Picture:
    """Squares of one colour, from rows that belong elsewhere."""
    y, x, h, w = box
    part = np.roll(picture, dice.whole(picture.shape[0] // 5, picture.shape[0] // 2), axis=0)[
        y : y + h, x : x + w
    ]
    small = cv2.resize(part, (max(1, w // 24), max(1, h // 24)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), np.uint8)


def _noise(picture: Picture, box: Box, dice: Dice) -> Picture:
    grey = np.random.default_rng(dice.whole(0, 1 << 30)).integers(0, 256, (box[2], box[3], 1), np.uint8)
    return grey.repeat(3, axis=2)


GLITCHES: tuple[tuple[str, Callable[[Picture, Box, Dice], Picture]], ...] = (
    ("garbled", _garbled),
    ("shifted", _shifted),
    ("green", _green),
    ("squares", _squares),
    ("noise", _noise),
)


def _object(pictures: Pictures, start: int, end: int, others: Sequence[Picture], dice: Dice) -> Fault | None:
    """A blob cut from another clip, still or moving on evenly."""
    height, width = pictures[start].shape[:2]
    h = int(height * dice.real(0.15, 0.35))
    w = min(int(h * dice.real(0.6, 1.6)), width // 3)
    donor = _fitted(others[dice.whole(0, len(others) - 1)], pictures[start])
    top, left = dice.whole(0, height - h), dice.whole(0, width - w)
    piece = donor[top : top + h, left : left + w].astype(np.float32)
    rows, columns = np.mgrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
    radius = np.abs(rows) ** 2.5 + np.abs(columns) ** 2.5
    alpha = np.clip((1 - radius) * h / 4, 0, 1)[..., None].astype(np.float32)
    margin = height // 12
    y = dice.real(margin, height - h - margin)
    x = dice.real(margin, max(margin, width - w - margin))
    speed = (0.0, 0.0) if dice.whole(0, 1) else (dice.real(-1, 1), dice.real(-1.5, 1.5))
    at = pictures[start][int(y) : int(y) + h, int(x) : int(x) + w]
    if float((np.abs(piece - at) * alpha).mean() / alpha.mean()) < PLAIN:
        return None
    for k in range(start, end):
        a = round(min(max(y + (k - start) * speed[0], margin), height - h - margin))
        b = round(min(max(x + (k - start) * speed[1], margin), width - w - margin))
        picture = pictures[k].copy()
        under = picture[a : a + h, b : b + w]
        picture[a : a + h, b : b + w] = (under + (piece - under) * alpha).round().astype(np.uint8)
        pictures[k] = picture
    return Fault("appearing object", start, start + 1, f"{w}x{h}" + (" moving" if any(speed) else " still"))


def _fitted(picture: Picture, to: Picture) -> Picture:
    height, width = to.shape[:2]
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _apart(first: Picture, second: Picture) -> float:
    return float(cv2.absdiff(first, second).mean())
