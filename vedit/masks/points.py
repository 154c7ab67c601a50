"""Points written as words."""

from dataclasses import dataclass

import numpy as np

from vedit.errors import UsageError
from vedit.frame import Shot


@dataclass(frozen=True)
class Points:
    """Places ``(x, y)`` in pixels, on a thing and beside it."""

    on: tuple[tuple[float, float], ...]
    beside: tuple[tuple[float, float], ...]


def is_points(setting: object) -> bool:
    return isinstance(setting, str) and setting.startswith("point:")


def points(spec: str) -> Points:
    """What ``point:x,y x,y !x,y`` says; ``!`` stands before a place that is not on the thing.

    Raises:
        UsageError: the spec is not one.
    """
    on: list[tuple[float, float]] = []
    beside: list[tuple[float, float]] = []
    try:
        for word in spec.removeprefix("point:").split():
            x, y = (float(n) for n in word.removeprefix("!").split(","))
            (beside if word.startswith("!") else on).append((x, y))
    except ValueError:
        on = []
    if not on or not np.isfinite(on + beside).all():
        raise UsageError(
            f"mask {spec!r} marks no point",
            "Write point:x,y with a place on the thing, such as point:320,180; more of them, and !x,y for places "
            "beside it, may follow after spaces.",
        )
    return Points(tuple(on), tuple(beside))


def check_inside(spec: str, found: Points, shot: Shot) -> None:
    """Complain about points outside the picture.

    Raises:
        UsageError: one is.
    """
    for x, y in found.on + found.beside:
        if not (0 <= x < shot.width and 0 <= y < shot.height):
            raise UsageError(
                f"mask {spec!r} has a point outside the picture",
                f"Coordinates are in pixels; the picture is {shot.width}x{shot.height}.",
            )
