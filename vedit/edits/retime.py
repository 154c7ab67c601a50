"""When the frames of an interpolated film are shown: exact rational times, from one clock to another."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Protocol

from vedit.edits.ramp import Curve
from vedit.frame import Timing
from vedit.video.timing import common_time_base


@dataclass(frozen=True)
class Moment:
    """One frame of the new film: its ticks on the new clock, and where it lies between two source frames.

    ``between`` in [0, 1) is how far it is from the one frame to the next, or to the end of a shot's last frame; 0 is
    the source frame itself.
    """

    pts: int
    duration: int
    index: int
    between: Fraction


class Retime(Protocol):
    """How one film's clock becomes another's."""

    def timing(self) -> Timing:
        """The new film's clock."""
        ...

    def moments(self, pts: int, stop: int, index: int) -> Iterator[Moment]:
        """The new frames while source frame ``index`` is shown, from source tick ``pts`` up to ``stop``."""
        ...


@dataclass(frozen=True)
class Grid:
    """Even steps from the film's start: frame m is shown at start + m / rate, the last until the film's end.

    ``stretch`` makes the film last that many times longer. Where a source's times are its even grid rounded
    to ticks (24 frames a second in milliseconds), a grid point less than a tick from a source frame means
    that frame.
    """

    source: Timing
    rate: Fraction
    stretch: Fraction = Fraction(1)

    def timing(self) -> Timing:
        start, end = self._seconds(self.source.start), self._seconds(self.source.end)
        base = common_time_base(common_time_base(1 / self.rate, start), end)
        return Timing(base, self.rate, int(start / base), int(end / base))

    def moments(self, pts: int, stop: int, index: int) -> Iterator[Moment]:
        clock, step, slack = self.timing(), 1 / self.rate, _slack(self.source) * self.stretch
        here, there = self._seconds(pts), self._seconds(stop)
        ticks, final = int(step / clock.time_base), self._before(self.source.end) - 1
        for m in range(self._before(pts), self._before(stop)):
            time = self._seconds(self.source.start) + m * step
            at = clock.start + m * ticks
            duration = clock.end - at if m == final else ticks
            between = Fraction(0) if time <= here + slack else (time - here) / (there - here)
            yield Moment(at, duration, m, between)

    def _seconds(self, pts: int) -> Fraction:
        """When a source tick is shown in the new film."""
        start = self.source.start
        return (start + (pts - start) * self.stretch) * self.source.time_base

    def _before(self, pts: int) -> int:
        """How many grid points lie before a source tick."""
        slack = _slack(self.source) * self.stretch
        return max(0, ceil((self._seconds(pts) - slack - self._seconds(self.source.start)) * self.rate))


def _slack(source: Timing) -> Fraction:
    """How far from a source frame still means that frame, in seconds."""
    even = source.rate is None or (1 / (source.rate * source.time_base)).denominator == 1
    return Fraction(0) if even else source.time_base


@dataclass(frozen=True)
class Pieces:
    """Every source frame's time cut into equal pieces, whatever its length.

    ``stretch`` makes the film last that many times longer.
    """

    source: Timing
    pieces: int
    stretch: Fraction = Fraction(1)

    def timing(self) -> Timing:
        source = self.source
        unit = source.time_base * self.stretch / self.pieces
        base = common_time_base(unit, source.start * source.time_base)
        start = int(source.start * source.time_base / base)
        length = (source.end - source.start) * self.pieces * int(unit / base)
        rate = None if source.rate is None else source.rate * self.pieces / self.stretch
        return Timing(base, rate, start, start + length)

    def moments(self, pts: int, stop: int, index: int) -> Iterator[Moment]:
        source, clock = self.source, self.timing()
        unit = int(source.time_base * self.stretch / self.pieces / clock.time_base)
        first = clock.start + (pts - source.start) * self.pieces * unit
        duration = (stop - pts) * unit
        for k in range(self.pieces):
            yield Moment(first + k * duration, duration, index * self.pieces + k, Fraction(k, self.pieces))


@dataclass(frozen=True)
class Ramp:
    """Even steps of a new film whose speed follows a curve."""

    source: Timing
    rate: Fraction
    curve: Curve

    def timing(self) -> Timing:
        start = self.source.start * self.source.time_base
        end = start + self.curve.length
        base = common_time_base(common_time_base(1 / self.rate, start), end)
        return Timing(base, self.rate, int(start / base), int(end / base), self.curve)

    def moments(self, pts: int, stop: int, index: int) -> Iterator[Moment]:
        clock, slack = self.timing(), _slack(self.source)
        here, there = self._seconds(pts), self._seconds(stop)
        ticks, count = int(1 / self.rate / clock.time_base), ceil((self.curve.length - slack) * self.rate)
        # A film that ends standing still has moments at its very end.
        until = count if stop == self.source.end else self._before(there - slack, count)
        for m in range(self._before(here - slack, count), until):
            time = self._moment(m)
            at = clock.start + m * ticks
            duration = clock.end - at if m == count - 1 else ticks
            between = Fraction(0) if time <= here + slack else (time - here) / (there - here)
            yield Moment(at, duration, m, between)

    def _seconds(self, pts: int) -> Fraction:
        return (pts - self.source.start) * self.source.time_base

    def _moment(self, m: int) -> Fraction:
        """The moment of the film that new frame ``m`` shows."""
        return self.curve.source(m / self.rate)

    def _before(self, seconds: Fraction, count: int) -> int:
        """How many of the new frames show an earlier moment."""
        return bisect_left(range(count), seconds, key=self._moment)
