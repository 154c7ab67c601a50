"""New frames between a film's own: more frames per second, slow motion, speed ramps, repeats replaced."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, get_args

from vedit.edits.cadence import LISTENED, cadence, evened
from vedit.edits.drawings import Drawing, distinct, each_frame
from vedit.edits.edit import apply_to_clip
from vedit.edits.gaps import Gap, Making, gaps, workers_for
from vedit.edits.planned import Planned, made_ahead
from vedit.edits.ramp import Key, curve_over, ramp_keys
from vedit.edits.retime import Grid, Moment, Pieces, Ramp, Retime
from vedit.errors import UsageError
from vedit.flow.quality import Quality
from vedit.frame import Frame, Shot, Timing
from vedit.pretrained.spec import read_engine
from vedit.workers import Workers

if TYPE_CHECKING:
    from vedit.clip import Clip


@dataclass(frozen=True)
class Interpolate:
    """Make frames between frames, at exact times, never across a cut. Takes fps, factor, slowmo or ramp.

    Up to a cut, and to the film's end, the motion of the last two frames goes on; where it cannot be trusted the last
    frame is held.

    Args:
        fps: frames per second of the new film, exact: 60, Fraction or "60000/1001", which 59.94006 means too. It
            starts and ends when the source does; a new frame that falls on a source frame is that frame, untouched.
            With ``slowmo`` or ``ramp`` it is their rate, instead of the film's own.
        factor: every source frame becomes this many, whatever its length; 1 makes none.
        slowmo: the film lasts this many times longer at its own rate (a film of varying rate gets
            ceil(slowmo) frames for each of its own).
        ramp: a speed that changes: which second of the film is shown at which second of the new one, as
            "0=0,2=1,4=4" or {0: 0, 2: 1, 4: 4} (half speed for two seconds, then one and a half times). The speed
            changes smoothly; after the last key it is the film's own again.
        dedupe: frames that repeat the one before (drawings on twos, pulldown) are replaced by new ones, so that all
            moves evenly. A picture that stays for more than 7 frames or 1/3 s is left alone. With ``factor=1`` nothing
            else changes.
        quality: ``draft`` is fast, and holds the last frame before a cut; ``normal`` also follows motion that bends, by
            the frames before and after, and mixes with a dissolve where frames that are there would have come out worse
            than one; ``best`` takes the mean of two finer searches, and also asks what moves beside each place.
        engine: what makes the pixels where no motion explains both frames. "bundled" mixes those of the two; a
            pretrained one, LTX, LTX-2 or Wan VACE (see `vedit engines`), makes them anew. All others stay as the
            bundled engine makes them, bit for bit, and so does what follows the last frame before a cut. A film larger
            than 768 pixels has them made at that size, and enlarged.
        prompt: what is to be seen, in words (pretrained).
        steps: denoising steps (pretrained); None is 25, or what the engine was distilled for.
        seed: of all noise (pretrained).

    Raises:
        UsageError: a setting is missing, doubled or out of range.
        EngineError: the engine makes no in-betweens, or its files are not here.
    """

    fps: Fraction | float | str | None = None
    factor: int | None = None
    slowmo: Fraction | float | str | None = None
    ramp: str | Mapping[Key, Key] | None = None
    dedupe: bool = False
    quality: Quality = "normal"
    engine: str = "bundled"
    prompt: str | None = None
    steps: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        given = [n for n in ("fps", "factor", "slowmo", "ramp") if getattr(self, n) is not None]
        if given not in (["fps"], ["factor"], ["slowmo"], ["ramp"], ["fps", "slowmo"], ["fps", "ramp"]):
            raise UsageError(
                f"interpolate was given {' and '.join(given) or 'neither fps, factor, slowmo nor ramp'}",
                "Give one of fps, factor, slowmo and ramp; fps may go with slowmo or ramp.",
            )
        if self.quality not in get_args(Quality):
            raise UsageError(f"quality is {self.quality!r}", f"Use one of {', '.join(get_args(Quality))}.")
        if read_engine(self.engine) is None and (self.prompt is not None or self.steps is not None):
            raise UsageError(
                "prompt and steps are for pretrained engines", "Give engine= (see `vedit engines`)."
            )
        if self.steps is not None and self.steps < 1:
            raise UsageError(f"steps is {self.steps}", "Give at least 1.")
        if self.factor is not None and (not isinstance(self.factor, int) or self.factor < 1):
            raise UsageError(f"factor is {self.factor!r}", "Give a whole number, 1 or more.")
        for name in ("fps", "slowmo"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _positive(name, getattr(self, name)))
        if self.ramp is not None:
            object.__setattr__(self, "ramp", ramp_keys(self.ramp))

    @property
    def memoryless(self) -> bool:
        """Whether a drawing began can only be told from the frames before it."""
        return not self.dedupe

    def timing(self, timing: Timing) -> Timing:
        return timing if self.factor == 1 else self._retime(timing).timing()

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        """Yield the shot's frames and those between them.

        While one is taken the next are made: with four workers at most 13 source frames are held, to find repeats 30.
        """
        if self.factor == 1 and not self.dedupe:
            yield from frames
            return
        with workers_for(shot) as workers:
            yield from made_ahead(self._planned(frames, shot, workers), workers)

    def _planned(self, frames: Iterator[Frame], shot: Shot, workers: Workers) -> Iterator[Planned]:
        """The new film's frames, each as it comes to be known what it shows."""
        retime, between = self._retime(shot.timing), self._between(shot)
        drawings = self._without_repeats(frames, shot) if self.dedupe else each_frame(frames)
        waiting: deque[tuple[Fraction, Moment, int]] = deque()
        cut = True
        for gap in gaps(drawings, self.quality, shot, workers):
            drawing, following, before = gap.drawing, gap.following, gap.before
            waiting += _moments(retime, drawing, following)
            now: list[tuple[Fraction, Moment]] = []
            needed = not self.dedupe
            while waiting and (following is None or waiting[0][0] < following.time):
                time, moment, index = waiting.popleft()
                now.append((time, moment))
                needed = needed or index >= shot.wanted
            new: Iterator[Making]
            if following is not None:
                stop = drawing.time if drawing.held or not needed else following.time
                moments = _placed(now, drawing.time, stop)
                new = between(gap, _different(moments))
            else:
                held = before is None or before.drawing.held or not needed
                since = drawing.time if before is None or held else before.drawing.time
                moments = _placed(now, drawing.time, 2 * drawing.time - since)
                new = gap.beyond(_different(moments))
            # How things move before and after it bends the motion in a gap: from the drawing before, that is known.
            anchor = (drawing if before is None else before.drawing).frame.anchor
            making: Making | None = None
            last = Fraction(0)
            for m in moments:
                if m.between != last:
                    making = next(new) if m.between else None
                    last = m.between
                # What began a drawing can only be told from the shot's start.
                yield Planned(drawing.frame, m, cut, None if self.dedupe else anchor, making)
                cut, anchor = False, None

    def apply(self, clip: "Clip") -> "Clip":
        return apply_to_clip(self, clip)

    def _retime(self, timing: Timing) -> Retime:
        if self.factor is not None:
            return Pieces(timing, self.factor)
        rate = timing.rate if self.fps is None else Fraction(self.fps)
        if self.ramp is not None:
            if rate is None:
                raise UsageError(
                    "the film's rate varies, so a ramp does not know its own",
                    "Say how many frames a second the new film has, such as fps=30 (--fps 30).",
                )
            return Ramp(timing, rate, curve_over(ramp_keys(self.ramp), timing.seconds))
        slower = Fraction(1 if self.slowmo is None else self.slowmo)
        return Grid(timing, rate, slower) if rate else Pieces(timing, max(1, ceil(slower)), slower)

    def _between(self, shot: Shot) -> "Callable[[Gap, Sequence[Moment]], Iterator[Making]]":
        """What makes the pictures at moments of a gap."""
        checkpoint = read_engine(self.engine)
        if checkpoint is None:
            return Gap.between
        from vedit.edits.generated import InBetweens
        from vedit.edits.invent import Invention

        return InBetweens(Invention(checkpoint, self.prompt, self.steps, self.seed), shot).between

    def _without_repeats(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Drawing]:
        """The shot's drawings at even times; once all are known, what was found is noted."""
        lengths: list[int] = []
        repeats = 0
        for drawing in evened(distinct(frames, shot.timing.time_base)):
            repeats += len(drawing.shown) - 1
            if len(lengths) < LISTENED and not drawing.held:
                lengths.append(len(drawing.shown))
            yield drawing
        name = cadence(lengths)
        shot.notes.repeats[name] = shot.notes.repeats.get(name, 0) + repeats


def _moments(
    retime: Retime, drawing: Drawing, following: Drawing | None
) -> Iterator[tuple[Fraction, Moment, int]]:
    """The new frames while a drawing is shown: which source tick each shows, and of which source frame that is."""
    end = drawing.end if following is None else following.shown[0][0]
    for (pts, index), stop in zip(drawing.shown, [*(p for p, _ in drawing.shown[1:]), end], strict=True):
        for moment in retime.moments(pts, stop, index):
            yield pts + moment.between * (stop - pts), moment, index


def _placed(now: list[tuple[Fraction, Moment]], start: Fraction, stop: Fraction) -> list[Moment]:
    """The moments by where they lie from one tick to another, at most at its end; all at the start if both are one."""
    if start == stop:
        return [replace(m, between=Fraction(0)) for _, m in now]
    return [replace(m, between=min(Fraction(1), (time - start) / (stop - start))) for time, m in now]


def _different(moments: list[Moment]) -> list[Moment]:
    """Those that need a new picture: neither the source frame nor the same as the moment before."""
    last = [Fraction(0), *(m.between for m in moments)]
    return [m for m, before in zip(moments, last, strict=False) if m.between and m.between != before]


def _positive(name: str, value: Fraction | float | str) -> Fraction:
    try:
        number = Fraction(str(value))  # by its digits: 23.5 is 47/2 and 0.1 is 1/10
    except (ValueError, ZeroDivisionError) as error:
        raise UsageError(
            f"{name} is {value!r}", 'Give a number above 0, such as 60 or "60000/1001".'
        ) from error
    if number <= 0:
        raise UsageError(f"{name} is {value}", 'Give a number above 0, such as 60 or "60000/1001".')
    rate = Fraction(round(number * 1001 / 1000) * 1000, 1001)
    # 30000/1001 as it is printed, with five digits or more after the point.
    return rate if name == "fps" and number.denominator > 1001 and abs(rate - number) < 1e-5 else number
