"""Numbers that change over a film, such as ``strength="0: 0.3; 48: 0.8"``."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from vedit.diffusion.timeline import START, Timeline, read_timeline, table_pairs
from vedit.errors import UsageError

Number = float | str | Mapping[int | str, float]
"""A number, or numbers by frame, time or shot (see `vedit.diffusion.timeline`)."""


@dataclass(frozen=True)
class Ramp:
    """A number for every frame of a film, straight between keys. Equal ramps are equal values."""

    timeline: Timeline
    values: tuple[Fraction, ...]

    def at(self, index: int, time: Fraction, shot: int = 1) -> float:
        """The number at a frame: its index, seconds from the film's start, and its shot's number from 1.

        Raises:
            UsageError: keys are not in this film's order (see `Timeline.span`).
        """
        before, after, weight = self.timeline.span(index, time, shot)
        return float(self.values[before] * (1 - weight) + self.values[after] * weight)


def parse_ramp(name: str, given: Number) -> Ramp:
    """A ramp from ``0.6``, ``"0: 0.3; 48: 0.8"`` or ``{0: 0.3, "2s": 0.8}``.

    Args:
        name: the setting's, for errors.
        given: as above.

    Raises:
        UsageError: a key or a number cannot be read, or a number is not from 0 to 1.
    """
    remedy = f'Give numbers from 0 to 1: {name}=0.6, or "0: 0.3; 48: 0.8" by frame or time.'
    pairs: list[tuple[int | str, object]]
    if isinstance(given, Mapping):
        pairs = table_pairs(given)
    elif isinstance(given, str) and ":" in given:
        pairs = []
        for part in given.split(";"):
            key, _, value = part.rpartition(":")
            if part.strip():
                pairs.append((key, value.strip()))
    else:
        pairs = [(str(START), given)]
    if not pairs:
        raise UsageError(f"{name} is empty", remedy)
    timeline = read_timeline(name, [key for key, _ in pairs])
    values = tuple(_number(name, value, remedy) for _, value in pairs)
    if len(values) == 1:
        timeline = Timeline((START,))  # held all through, wherever its key is
    return Ramp(timeline, values)


def _number(name: str, given: object, remedy: str) -> Fraction:
    try:
        value = float(str(given))
    except ValueError as error:
        raise UsageError(f"{name} has the value {given!r}, which is no number", remedy) from error
    if not 0 <= value <= 1:
        raise UsageError(f"{name} is {given}", remedy)
    return Fraction(repr(value))
