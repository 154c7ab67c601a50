"""What a storyboard says: panels, each a picture or words, for how long, and how one becomes the next."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal, get_args

from vedit.errors import UsageError

Camera = Literal["in", "out", "left", "right", "up", "down", "still"]
"""Where the camera goes: nearer, away, or along the picture."""
Transition = Literal["cut", "dissolve", "morph"]

CAMERAS: tuple[Camera, ...] = get_args(Camera)
TRANSITIONS: tuple[Transition, ...] = get_args(Transition)
RATE = Fraction(24)
SECONDS = Fraction(4)
"""How long a panel is where nothing says so."""
TRANSITION_SECONDS = Fraction(1)
SHARE = Fraction(1, 3)
"""The part of the shorter neighbour that a transition takes at most where its length is not given."""
LARGEST = 16384
MOST_FRAMES = 10_000_000
"""Of a film: more than four days. A typing error would otherwise fill the disk."""
TICKS = 10**7
"""What a file can count in a second, at most."""


@dataclass(frozen=True)
class Panel:
    """One shot of the film to be.

    Args:
        place: what errors call it, such as "board.toml, line 12 (shot 3)".
        picture: the file of a picture; None where the prompt says it all.
        prompt: what is to be seen, in words.
        seconds: how long, up to the next panel's beginning.
        seed: of what is left to chance; None takes the film's and the panel's number.
        look: one of the bundled engine's looks, or a file (see `vedit.edits.Restyle`).
        strength: of the look, or of the prompt over a picture, in [0, 1].
        negative_prompt: what is not to be seen (pretrained).
        camera: where it goes; None leaves it to the seed.
        transition: how the shot comes out of the one before it.
        transition_seconds: how long that takes, half of it in either shot; None takes 1, less for short shots.
        continues: the last frames of the shot before start this one (pretrained).
        caption: words to be read while the shot lasts, as a subtitle.
    """

    place: str
    picture: Path | None = None
    prompt: str | None = None
    seconds: Fraction = SECONDS
    seed: int | None = None
    look: str | None = None
    strength: float | None = None
    negative_prompt: str | None = None
    camera: Camera | None = None
    transition: Transition = "morph"
    transition_seconds: Fraction | None = None
    continues: bool = False
    caption: str | None = None


@dataclass(frozen=True)
class Storyboard:
    """Panels in order; ``size`` is (width, height), both even, ``sound`` a file with a sound track."""

    name: str
    panels: tuple[Panel, ...]
    size: tuple[int, int] | None = None
    rate: Fraction = RATE
    sound: Path | None = None
    path: Path | None = None


@dataclass(frozen=True)
class Span:
    """The frames of a panel, as indices in the film.

    It owns ``[start, stop)`` and is seen in ``[first, end)``, which the transitions at both ends share with its
    neighbours.
    """

    first: int
    start: int
    stop: int
    end: int


def spans(panels: Sequence[Panel], rate: Fraction) -> list[Span]:
    """Which frames belong to which panel: frame i is shown at i / rate, so no rounding adds up.

    Raises:
        UsageError: a panel has no frame, or its transitions are longer than it is.
    """
    times = [Fraction(0)]
    for panel in panels:
        times.append(times[-1] + panel.seconds)
    edges = [int(time * rate + Fraction(1, 2)) for time in times]
    if edges[-1] > MOST_FRAMES:
        raise UsageError(
            f"the film would have {edges[-1]} frames, {float(times[-1]):g} s of {float(rate):g} a second",
            f"Make it shorter; {MOST_FRAMES} are the most.",
        )
    reach = [(0, 0)]
    for i, panel in enumerate(panels):
        if edges[i] == edges[i + 1]:
            raise UsageError(
                f"{panel.place}: {float(panel.seconds):g} s hold no frame at {float(rate):g} frames per second",
                "Make it longer.",
            )
        if i:
            reach.append(_reach(panels[i - 1], panel, rate))
    reach.append((0, 0))
    found = []
    for i, panel in enumerate(panels):
        start, stop = edges[i], edges[i + 1]
        if reach[i][1] + reach[i + 1][0] > stop - start:
            raise UsageError(
                f"{panel.place}: the transitions around it are longer than the shot",
                "Make the shot longer, or set transition_seconds of it and of the next one lower.",
            )
        found.append(Span(start - reach[i][0], start, stop, stop + reach[i + 1][1]))
    return found


def _reach(before: Panel, panel: Panel, rate: Fraction) -> tuple[int, int]:
    """How many frames a transition takes of the shot before and of this one."""
    if panel.transition == "cut":
        return 0, 0
    seconds = panel.transition_seconds
    if seconds is None:
        seconds = min(TRANSITION_SECONDS, SHARE * before.seconds, SHARE * panel.seconds)
    frames = int(seconds * rate + Fraction(1, 2))
    return frames // 2, frames - frames // 2


def read_size(given: str | Sequence[int], where: str = "size") -> tuple[int, int]:
    """(width, height) from "1280x720" or a pair.

    Raises:
        UsageError: it is no size, a side is odd, or one is too small or too large.
    """
    if isinstance(given, str):
        match = re.fullmatch(r"\s*(\d{1,6})\s*[x×]\s*(\d{1,6})\s*", given)
        sides = [int(side) for side in match.groups()] if match else []
    else:
        sides = [side for side in given if isinstance(side, int) and not isinstance(side, bool)]
    if len(sides) != 2 or len(sides) != len(given if not isinstance(given, str) else sides):
        raise UsageError(f"{where} is {given!r}", 'Give width and height, such as "1280x720".')
    width, height = sides
    if width % 2 or height % 2:
        raise UsageError(
            f"{where} is {width}x{height}", "Give even numbers: films share colours by two pixels."
        )
    if not (min(sides) >= 16 and max(sides) <= LARGEST):
        raise UsageError(f"{where} is {width}x{height}", f"Give sides from 16 to {LARGEST} pixels.")
    return width, height


def read_rate(given: object, where: str = "rate") -> Fraction:
    """Frames per second, exact.

    Raises:
        UsageError: it is no number above 0, or one that no file can count in.
    """
    rate = read_number(given, where)
    if rate > 1000 or rate.numerator >= TICKS or rate.denominator >= TICKS:
        raise UsageError(
            f"{where} is {given!r}", 'Give a rate up to 1000, such as 25, 23.976 or "24000/1001".'
        )
    return rate


def read_number(given: object, where: str) -> Fraction:
    """An exact number above 0 from 24, 23.976, "24000/1001".

    Raises:
        UsageError: it is none.
    """
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str | Fraction):
            raise TypeError
        value = Fraction(str(given))  # 23.976 means just that
    except (TypeError, ValueError, ZeroDivisionError):
        raise UsageError(f"{where} is {given!r}", 'Give a number, such as 24, 2.5 or "24000/1001".') from None
    if not 0 < value <= 10**6:
        raise UsageError(f"{where} is {given!r}", "Give a number above 0 that is not huge.")
    return value
