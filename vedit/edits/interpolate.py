"""New frames between a film's own: more frames per second, or slow motion."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, pairwise
from math import ceil
from typing import TYPE_CHECKING, ClassVar, get_args

from vedit.edits.edit import apply_to_clip
from vedit.edits.retime import Grid, Moment, Pieces, Retime
from vedit.errors import UsageError
from vedit.flow.quality import Quality
from vedit.frame import Frame, Shot, Timing

if TYPE_CHECKING:
    from torch import Tensor

    from vedit.clip import Clip


@dataclass(frozen=True)
class Interpolate:
    """Make frames between frames, at exact times, never across a cut. Takes exactly one of the first three.

    Args:
        fps: frames per second of the new film, exact: 60, Fraction or "60000/1001". It starts and ends when
        the
            source does; a new frame that falls on a source frame is that frame, untouched.
        factor: every source frame becomes this many, whatever its length; 1 changes nothing.
        slowmo: the film lasts this many times longer at its own rate (a film of varying rate gets
            ceil(slowmo) frames for each of its own).
        quality: ``draft``, ``normal`` or ``best``. ``best`` hands places where the two frames tell different
            stories to the latent path.

    Raises:
        UsageError: a setting is missing, doubled or out of range.
    """

    memoryless: ClassVar[bool] = True

    fps: Fraction | float | str | None = None
    factor: int | None = None
    slowmo: Fraction | float | str | None = None
    quality: Quality = "normal"

    def __post_init__(self) -> None:
        given = [n for n in ("fps", "factor", "slowmo") if getattr(self, n) is not None]
        if len(given) != 1:
            raise UsageError(
                f"interpolate was given {' and '.join(given) or 'neither fps, factor nor slowmo'}",
                "Give exactly one of fps, factor and slowmo.",
            )
        if self.quality not in get_args(Quality):
            raise UsageError(f"quality is {self.quality!r}", f"Use one of {', '.join(get_args(Quality))}.")
        if self.factor is not None and (not isinstance(self.factor, int) or self.factor < 1):
            raise UsageError(f"factor is {self.factor!r}", "Give a whole number, 1 or more.")
        for name in ("fps", "slowmo"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _positive(name, getattr(self, name)))

    def timing(self, timing: Timing) -> Timing:
        return timing if self.factor == 1 else self._retime(timing).timing()

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        """Yield the shot's frames and those between them; at most two source frames are held."""
        if self.factor == 1:
            yield from frames
            return
        retime = self._retime(shot.timing)
        cut = True
        for frame, following in pairwise(chain(frames, [None])):
            assert frame is not None  # noqa: S101 - only the last of the chain is
            stop = frame.end if following is None else following.pts
            moments = list(retime.moments(frame, stop, last=following is None))
            between = [m for m in moments if m.between]
            new = iter(()) if following is None else self._between(frame, following, between, shot)
            anchor = frame.anchor
            for m in moments:
                if m.between:
                    yield Frame(m.pts, m.duration, next(new), index=m.index, cut=cut, anchor=anchor)
                else:
                    yield frame.at(m.pts, m.duration, m.index, cut=cut, anchor=anchor)
                cut, anchor = False, None

    def apply(self, clip: "Clip") -> "Clip":
        return apply_to_clip(self, clip)

    def _retime(self, timing: Timing) -> Retime:
        if self.factor is not None:
            return Pieces(timing, self.factor)
        if self.fps is not None:
            return Grid(timing, Fraction(self.fps))
        assert self.slowmo is not None  # noqa: S101 - one of the three is given
        slower = Fraction(self.slowmo)
        return (
            Grid(timing, timing.rate, slower) if timing.rate else Pieces(timing, max(1, ceil(slower)), slower)
        )

    def _between(self, frame0: Frame, frame1: Frame, moments: list[Moment], shot: Shot) -> Iterator["Tensor"]:
        """The pictures at the given moments between two frames."""
        if not moments:
            return
        # Here, because a film whose frames are only kept (factor 1) is done before torch is loaded.
        from vedit.edits.inbetween import Pair
        from vedit.edits.redraw import redraw

        pair = Pair(frame0.pixels, frame1.pixels, self.quality)
        if self.quality == "best":
            yield from redraw(pair, frame0.pixels, frame1.pixels, moments, shot.device)
        else:
            yield from (pair.at(float(m.between)).pixels for m in moments)


def _positive(name: str, value: Fraction | float | str) -> Fraction:
    try:
        number = Fraction(str(value))  # by its digits: 23.5 is 47/2 and 0.1 is 1/10
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            f"{name} is {value!r}", 'Give a number above 0, such as 60 or "60000/1001".'
        ) from error
    if number <= 0:
        raise UsageError(f"{name} is {value}", 'Give a number above 0, such as 60 or "60000/1001".')
    return number
