"""Paces: how the time of a film becomes the time of another, step after step."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from vedit.frame import Pace, Timing


@dataclass(frozen=True)
class Even:
    """Everything lasts ``stretch`` times as long."""

    stretch: Fraction

    def shown(self, seconds: Fraction) -> Fraction:
        return seconds * self.stretch

    def source(self, seconds: Fraction) -> Fraction:
        return seconds / self.stretch


@dataclass(frozen=True)
class Steps:
    """One pace after the other."""

    paces: tuple[Pace, ...]

    def shown(self, seconds: Fraction) -> Fraction:
        for pace in self.paces:
            seconds = pace.shown(seconds)
        return seconds

    def source(self, seconds: Fraction) -> Fraction:
        for pace in reversed(self.paces):
            seconds = pace.source(seconds)
        return seconds


def pace_of(timings: Sequence[Timing]) -> Pace | None:
    """How the first of these clocks became the last, each made from the one before; None when time stays as it is."""
    steps = [step(a, b) for a, b in pairwise(timings) if b is not a]
    changes = tuple(pace for pace in steps if pace != Even(Fraction(1)))
    return Steps(changes) if changes else None


def step(before: Timing, after: Timing) -> Pace:
    """How a clock became the next one."""
    return after.pace or Even(after.seconds / before.seconds)
