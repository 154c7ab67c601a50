"""When the frames of an interpolated film are shown: exact rational times, from one clock to another."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Protocol

from vedit.frame import Frame, Timing
from vedit.video.timing import common_time_base


@dataclass(frozen=True)
class Moment:
    """One frame of the new film: its ticks on the new clock, and where it lies between two source frames.

    ``between`` in [0, 1) is how far it is from the one frame to the next; 0 is the source frame itself.
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

    def moments(self, frame: Frame, stop: int, *, last: bool) -> Iterator[Moment]:
        """The new frames from ``frame`` up to the source tick ``stop``; all hold a shot's ``last`` one."""
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

    def moments(self, frame: Frame, stop: int, *, last: bool) -> Iterator[Moment]:
        clock, step, slack = self.timing(), 1 / self.rate, self._slack()
        here, there = self._seconds(frame.pts), self._seconds(stop)
        ticks, final = int(step / clock.time_base), self._before(self.source.end) - 1
        for m in range(self._before(frame.pts), self._before(stop)):
            time = self._seconds(self.source.start) + m * step
            held = last or time <= here + slack
            pts = clock.start + m * ticks
            duration = clock.end - pts if m == final else ticks
            yield Moment(pts, duration, m, Fraction(0) if held else (time - here) / (there - here))

    def _seconds(self, pts: int) -> Fraction:
        """When a source tick is shown in the new film."""
        start = self.source.start
        return (start + (pts - start) * self.stretch) * self.source.time_base

    def _slack(self) -> Fraction:
        """How far from a source frame still means that frame, in seconds."""
        source = self.source
        even = source.rate is None or (1 / (source.rate * source.time_base)).denominator == 1
        return Fraction(0) if even else source.time_base * self.stretch

    def _before(self, pts: int) -> int:
        """How many grid points lie before a source tick."""
        return max(
            0, ceil((self._seconds(pts) - self._slack() - self._seconds(self.source.start)) * self.rate)
        )


@dataclass(frozen=True)
class Pieces:
    """Every source frame's time cut into equal pieces, whatever its length.

    A shot's last frame is held in all of its pieces. ``stretch`` makes the film last that many times longer.
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

    def moments(self, frame: Frame, stop: int, *, last: bool) -> Iterator[Moment]:
        source, clock = self.source, self.timing()
        unit = int(source.time_base * self.stretch / self.pieces / clock.time_base)
        first = clock.start + (frame.pts - source.start) * self.pieces * unit
        duration = (stop - frame.pts) * unit
        for k in range(self.pieces):
            between = Fraction(0) if last else Fraction(k, self.pieces)
            yield Moment(first + k * duration, duration, frame.index * self.pieces + k, between)
