"""What two films show at the same time, in one pass over both."""

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

from vedit.frame import Frame, Notes
from vedit.video.read import read
from vedit.video.source import Source


@dataclass(frozen=True, eq=False)
class Moment:
    """What both films show from a time on, until one of them shows another picture.

    ``seconds`` is counted from each film's first picture. ``begins`` says that the reference shows another picture than
    before; where it does not, only the result does.
    """

    seconds: Fraction
    reference: Frame
    result: Frame
    begins: bool


def moments(reference: Source, result: Source, notes: Notes) -> Generator[Moment]:
    """Every time at which either film shows another picture, as long as both last.

    Films of a constant rate are taken at that rate, not at stamps that their container rounded; where one has none, two
    pictures within a tick of the coarser clock belong together.

    Args:
        reference: one film, ``as_edited``.
        result: the other.
        notes: remarks on both go here.

    Raises:
        InputError: while iterating, when a film can no longer be read.
    """
    ends = end_of(reference), end_of(result)
    slack = tolerance(reference, result)
    with closing(read(reference, notes)) as ours, closing(read(result, notes)) as theirs:
        first, second = next(ours, None), next(theirs, None)
        at, begins = Fraction(0), True
        while first is not None and second is not None:
            yield Moment(at, first, second, begins)
            over = ends[0](first), ends[1](second)
            at = min(over)
            begins = over[0] <= at + slack
            if begins:
                first = next(ours, None)
            if over[1] <= at + slack:
                second = next(theirs, None)


def end_of(film: Source) -> Callable[[Frame], Fraction]:
    """When a frame of the film goes, in seconds from its first picture."""

    def ends(frame: Frame) -> Fraction:
        return (frame.index + 1) / film.rate if film.rate else (frame.end - film.pts[0]) * film.time_base

    return ends


def length(film: Source) -> Fraction:
    """Seconds from the film's first picture to the end of its last, without the container's rounding if it can."""
    return film.frames / film.rate if film.rate else film.duration


def tolerance(reference: Source, result: Source) -> Fraction:
    """How far apart two pictures that belong together may be, in seconds: 0 where both films have a constant rate."""
    if reference.rate and result.rate:
        return Fraction(0)
    tick = max(reference.time_base, result.time_base)
    return min(tick, *(shortest(film) / 2 for film in (reference, result)))


def shortest(film: Source) -> Fraction:
    """Seconds that the film's shortest picture is shown."""
    return min((b - a for a, b in pairwise((*film.pts, film.end))), default=1) * film.time_base
