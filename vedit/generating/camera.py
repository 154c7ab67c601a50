"""Where a camera looks while it moves over a still picture."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from vedit.generating.storyboard import Camera, Panel

PER_SECOND = 0.03
"""How much larger, or how far along its width, a picture gets in a second: slow enough to be looked at."""
LEAST, MOST = 0.05, 0.16
"""Of the whole move."""
SPARE_PER_SECOND = 0.06
"""Of the view's side that a camera goes besides, each second, over what of a tall or wide picture does not fit."""
TALL = 0.7
"""The part of a picture's side that fits, below which the camera goes along that side unless it is told otherwise."""
MARGIN = 0.04
"""Of the picture that is never shown, so that parallax has something to draw from at the edges."""
DEEP = 0.35
"""The part of a move by which near things get ahead of the average, and far ones lag behind."""


@dataclass(frozen=True)
class View:
    """What is seen of a picture: centre in [0, 1] of its sides, size as a part of its largest fitting view.

    ``shift`` is by how much of the view's width and height the nearest things are moved besides, ``swell`` how much
    nearer than the average they have come.
    """

    x: float
    y: float
    size: float
    shift: tuple[float, float] = (0.0, 0.0)
    swell: float = 0.0


@dataclass(frozen=True)
class Path:
    """A straight way at a constant pace, so that it neither stops nor starts within a transition."""

    first: View
    last: View

    def at(self, way: float) -> View:
        """The view at a part of the way, in [0, 1]."""
        a, b = self.first, self.last

        def between(first: float, last: float) -> float:
            return first + (last - first) * way

        return View(
            between(a.x, b.x),
            between(a.y, b.y),
            # Constant in proportion: a picture that grows evenly by the pixel seems to slow down.
            a.size * (b.size / a.size) ** way,
            (between(a.shift[0], b.shift[0]), between(a.shift[1], b.shift[1])),
            between(a.swell, b.swell),
        )


def chosen(panels: Sequence[Panel], seed: int) -> list[Camera]:
    """The camera of every panel: what it says, or by chance, but not the same twice in a row."""
    found: list[Camera] = []
    for number, panel in enumerate(panels):
        dice = random.Random(f"{seed if panel.seed is None else panel.seed} {number}")  # noqa: S311 - no secret
        free: list[Camera] = ["in", "out", "left", "right"]
        left = [camera for camera in free if camera not in found[-1:]]
        found.append(dice.choice(left) if panel.camera is None else panel.camera)
    return found


def suited(camera: Camera, room: tuple[float, float]) -> Camera:
    """A camera left to chance, made to go along a picture that is much taller or wider than the film."""
    onward = camera in ("in", "right", "down")
    if room[1] < TALL:
        return "down" if onward else "up"
    if room[0] < TALL:
        return "right" if onward else "left"
    return camera


def path(camera: Camera, seconds: float, focus: tuple[float, float], room: tuple[float, float]) -> Path:
    """The way of a camera.

    Args:
        camera: where it goes.
        seconds: for how long.
        focus: where what matters is, in [0, 1] of the picture's sides.
        room: the sides of the largest view that fits, as parts of the picture's.
    """
    far = min(max(PER_SECOND * seconds, LEAST), MOST)
    whole = 1 - MARGIN

    def held(x: float, y: float, size: float) -> tuple[float, float]:
        """The nearest centre with which a view lies within the picture."""
        half = [side * size / 2 + MARGIN / 2 * side for side in room]
        return min(max(x, half[0]), 1 - half[0]), min(max(y, half[1]), 1 - half[1])

    if camera == "still":
        view = View(*held(*focus, whole), whole)
        return Path(view, view)
    if camera in ("in", "out"):
        wide = View(*held((0.5 + focus[0]) / 2, focus[1], whole), whole, swell=-DEEP * far / 2)
        near = whole / (1 + far)
        close = View(*held(*focus, near), near, swell=DEEP * far / 2)
        return Path(wide, close) if camera == "in" else Path(close, wide)
    size = whole / (1 + far * (1 + DEEP))
    axis, sign = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}[camera]
    half = room[axis] * (size + MARGIN + DEEP * far) / 2
    spare = min((1 - room[axis]) / room[axis], SPARE_PER_SECOND * seconds)
    reach = min((far + spare) * room[axis] / 2, 0.5 - half)
    middle = list(held(*focus, size))
    middle[axis] = min(max(middle[axis], half + reach), 1 - half - reach)
    ends = []
    for way in (-sign, sign):
        place, shift = list(middle), [0.0, 0.0]
        place[axis] += way * reach
        # What is near moves against the camera.
        shift[axis] = -way * DEEP * min(reach / room[axis], far / 2)
        ends.append(View(place[0], place[1], size, (shift[0], shift[1])))
    return Path(*ends)
