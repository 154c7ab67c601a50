"""A chain of edits whose frames can be asked for at any time; asked in order, it runs as a render does."""

import logging
import warnings
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from math import floor
from threading import RLock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vedit.edits.edit import Edit
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.fx.served import served
from vedit.fx.source import ClipPictures, Pictures
from vedit.heap import give_back
from vedit.pace import Even, pace_of
from vedit.streaming import edited_shot, split_at_cuts
from vedit.video.read import Place

log = logging.getLogger("vedit.fx")

KEPT = 96 << 20
"""Bytes of finished pictures that are kept, but at least ``FEW``."""
FEW = 4
NEAR = 48
"""Source frames ahead to which a chain goes on rather than starting anew there."""
BACK = 8
"""Source frames before the one that is wanted at which edits begin that know nothing of earlier ones."""
JUMPS = 8
"""New beginnings after which the user is told that they are slow."""
SLACK = Fraction(1, 10_000)
"""Part of a frame by which a float time may be too early."""


class Shown(NamedTuple):
    """A finished picture ``(H, W, 3 or 4)`` uint8, and its ticks."""

    pts: int
    end: int
    picture: NDArray[np.uint8]


class Cuts:
    """Which frames start a shot, as far as the film has been looked at."""

    def __init__(self) -> None:
        self.starts = [0]
        self.seen = 0

    def note(self, frame: Frame) -> None:
        if frame.index == self.seen:  # what was skipped may hold cuts
            self.seen += 1
            if frame.cut and frame.index:
                self.starts.append(frame.index)

    def shot(self, index: int) -> int:
        """The number of the shot that a frame belongs to."""
        return bisect_right(self.starts, index) - 1


class Chain:
    """Pictures after a chain of edits, by time.

    Pictures asked for in order are made one after the other, each once, with no more in memory than the edits'
    windows and a few finished ones. Any other is made by starting anew: at the start of its shot, or shortly before it
    if no edit needs what came earlier; so it is the same picture either way.

    Args:
        pictures: what is edited.
        edits: in the order they run.
    """

    def __init__(self, pictures: Pictures, edits: Sequence[Edit] = (), cuts: Cuts | None = None) -> None:
        self.pictures = pictures
        self.edits = tuple(edits)
        self.timings = [pictures.timing]
        for edit in edits:
            self.timings.append(edit.timing(self.timings[-1]))
        self.timing = self.timings[-1]
        self.pace = pace_of(self.timings) or Even(Fraction(1))
        self._cuts = cuts or Cuts()
        self._reset()

    def _reset(self) -> None:
        self._lock = RLock()
        self._stream: Generator[Frame] | None = None
        self._position = self.timing.start
        self._trusted = True
        self._from = 0
        self._keep = self.timing.start
        self._jumps = -1
        width, height = self.pictures.size
        size = width * height * (4 if self.pictures.alpha else 3)
        self._done: deque[Shown] = deque(maxlen=max(FEW, KEPT // size))

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        for name in ("_lock", "_stream", "_done"):
            del state[name]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def then(self, edit: Edit) -> "Chain":
        """This chain with one more edit: read once, its cuts found once."""
        return Chain(self.pictures, [*self.edits, edit], self._cuts)

    def frames(self, notes: Notes) -> Generator[Frame]:
        """All frames in order, as a render has them; independent of what is asked for by time."""
        return self._edited(0, 0, notes)

    def at(self, t: float) -> NDArray[np.uint8]:
        """The picture shown ``t`` seconds after the first, ``(H, W, C)``, read-only; before and after, the nearest."""
        with self._lock:
            tick = self._tick(t)
            found = next((one for one in self._done if one.pts <= tick < one.end), None)
            return (found or self._made(tick)).picture

    @property
    def shots(self) -> int:
        """How many shots have been found so far."""
        return len(self._cuts.starts)

    def source_frames(self, tick: int) -> int:
        """How many source frames are over at a tick of the result."""
        return len(self.pictures.pts) if tick >= self.timing.end else self._index(tick)

    def close(self) -> None:
        """Stop reading and forget finished pictures; asked again, it starts anew."""
        with self._lock:
            if self._stream is not None:
                self._stream.close()
            self._stream = None
            self._done.clear()

    def _tick(self, t: float) -> int:
        """The tick that is meant: in the middle of a frame's time where the rate is known."""
        clock, seconds = self.timing, Fraction(float(t))
        if clock.rate is not None:
            seconds = (floor(seconds * clock.rate + SLACK) + Fraction(1, 2)) / clock.rate
        else:
            seconds += Fraction(1, 10**6)
        return min(max(clock.start, clock.start + floor(seconds / clock.time_base)), clock.end - 1)

    def _made(self, tick: int) -> Shown:
        if self._stream is None or not self._ahead(tick):
            self._start(tick)
        width, height = self.pictures.size
        while True:
            assert self._stream is not None  # noqa: S101 - _start makes one
            for frame in self._stream:
                self._position = frame.end
                if frame.anchor is not None and frame.anchor > self._from:
                    self._trusted = True
                if self._trusted and frame.pts >= self._keep:
                    self._done.append(Shown(frame.pts, frame.end, _bytes(frame)))
                give_back(width * height)
                if frame.end > tick:
                    break
            else:  # the film is over; its last picture stays on
                self._position = self.timing.end
                if self._done:
                    self._done[-1] = self._done[-1]._replace(end=self.timing.end)
            found = next((one for one in self._done if one.pts <= tick < one.end), None)
            if found is not None:
                return found
            if not self._began_later():
                return self._done[0] if tick < self._done[0].pts else self._done[-1]

    def _began_later(self) -> bool:
        """Begin anew further back, if something is there: edits needed it, or what is shown is of an earlier shot."""
        start = self._cuts.starts[self._cuts.shot(self._from)]
        if start == self._from and self._keep == self.timing.start:
            if start == 0:
                return False
            start = self._cuts.starts[self._cuts.shot(start) - 1]
        self._open(start, 0, start)
        return True

    def _ahead(self, tick: int) -> bool:
        """Whether going on is the way to a tick, rather than starting anew."""
        if tick < self._position:
            return False
        here, there = self._index(self._position), self._index(tick)
        if there - here <= NEAR:
            return True
        if self.edits:
            self._look(there)
        shot = self._cuts.starts[self._cuts.shot(there)]
        return shot <= here and not self._memoryless

    @property
    def _memoryless(self) -> bool:
        return all(edit.memoryless for edit in self.edits)

    def _start(self, tick: int) -> None:
        """Begin where what is shown at a tick can be made from."""
        self._jumps += 1
        if self._jumps == JUMPS and self.edits:
            warnings.warn(
                "frames of an edited clip are asked for out of order, so its edits keep starting anew, which is slow. "
                "Put effects that change the order of frames before vedit's, and apply vedit's to each part by itself.",
                stacklevel=2,
            )
        index = self._index(tick)
        if self.edits:
            self._look(index)
        shot = self._cuts.starts[self._cuts.shot(index)]
        # Who goes back once often goes on back: some pictures before it are kept as well.
        spare = (self._done.maxlen or FEW) // 2 if tick < self._position and self._jumps > 0 else 0
        first = max(shot, index - spare)
        start = max(shot, first - BACK * len(self.edits)) if self._memoryless else shot
        self._open(start, max(0, first - 1) if spare or first > start else 0, first)

    def _open(self, start: int, wanted: int, first: int) -> None:
        """Run the edits from a source frame on; what they make before frame ``first`` is not kept."""
        if self._stream is not None:
            self._stream.close()
        self._done.clear()
        self._from = start
        self._trusted = not self.edits or start in self._cuts.starts
        self._keep = self._shown(first) if first > start else self.timing.start
        if not all(edit.memoryless for edit in self.edits[1:]):
            wanted = 0  # only the first edit counts frames as the source does
        self._stream = self._edited(start, wanted, Notes(tell=log.warning, report=_phase))

    def _edited(self, start: int, wanted: int, notes: Notes) -> Generator[Frame]:
        """The edited frames from a source frame on."""
        edits, timings, cuts, clip = self.edits, self.timings, self._cuts, self.pictures
        if isinstance(clip, ClipPictures) and edits:
            # The thread must not hold the chain: a chain that nobody holds any more ends it.
            return served(
                clip.picture, lambda get: _run(clip.by(get), edits, timings, cuts, start, wanted, notes)
            )
        return _run(clip, edits, timings, cuts, start, wanted, notes)

    def _look(self, index: int) -> None:
        """Find the cuts up to a source frame, which takes decoding what was not looked at yet."""
        seen = self._cuts.seen
        if index < seen or index == 0:
            return
        place = Place(seen, self._cuts.starts[-1], None)
        with closing(self.pictures.read(place, Notes())) as frames:
            for frame in frames:
                self._cuts.note(frame)
                if frame.index >= index:
                    return

    def _index(self, tick: int) -> int:
        """The source frame that is shown, or followed by in-betweens, at a tick of the result."""
        source = self.timings[0]
        seconds = self.pace.source(self.timing.time(tick))
        at = source.start + floor(seconds / source.time_base)
        return min(max(0, bisect_right(self.pictures.pts, at) - 1), len(self.pictures.pts) - 1)

    def _shown(self, index: int) -> int:
        """The tick of the result at which a source frame is shown."""
        source = self.timings[0]
        seconds = self.pace.shown((self.pictures.pts[index] - source.start) * source.time_base)
        return self.timing.start + floor(seconds / self.timing.time_base)


def _run(
    source: Pictures,
    edits: Sequence[Edit],
    timings: Sequence[Timing],
    cuts: Cuts,
    start: int,
    wanted: int,
    notes: Notes,
) -> Generator[Frame]:
    """The frames of all shots from a source frame on after the edits; see `vedit.frame.Shot` for ``wanted``."""

    def followed(frames: Iterator[Frame]) -> Iterator[Frame]:
        for frame in frames:
            frame.anchor = frame.index
            cuts.note(frame)
            yield frame

    width, height = source.size
    number = cuts.shot(start)
    with closing(source.read(Place(start, cuts.starts[number], None), notes)) as frames:
        for shot, pictures in enumerate(split_at_cuts(followed(frames)), number):
            told = Shot(shot, timings[0], height, width, "auto", notes, wanted)
            yield from edited_shot(pictures, edits, timings, told)


def _bytes(frame: Frame) -> NDArray[np.uint8]:
    """A frame as MoviePy has pictures: ``(H, W, C)`` uint8, not to be written to."""
    pixels = (frame.pixels.detach().cpu().clamp(0, 1) * 255).round().byte()
    frame.forget()
    picture = np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
    picture.flags.writeable = False
    return picture


def _phase(name: str, done: float) -> None:
    log.info("%s: %.0f %%", name, 100 * done)
