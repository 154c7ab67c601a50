"""The time between one drawing of a shot and the next, and the new pictures in it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from vedit.edits.drawings import Drawing
from vedit.edits.retime import Moment
from vedit.flow.quality import Quality
from vedit.frame import Shot
from vedit.workers import MOST, Workers

if TYPE_CHECKING:  # a film whose frames are only kept is done before torch is loaded
    from torch import Tensor

    from vedit.inbetween.pair import Pair
    from vedit.inbetween.picture import Picture

Making = Callable[[], "Tensor | None"]
"""A picture that is being made, or will be: called, it gives the picture when it is done."""

LARGE, FEW = 1920 * 1088, 2
"""Pictures of more pixels are made by so many workers at once: between two of 4K one takes 0.7 GB."""


def _nothing() -> None:
    return None


class Gap:
    """From a drawing to the one that follows, None at the shot's end; knows the gaps on both sides.

    What it knows of motion is worked out when first asked for, once, by one of the workers, and serves its neighbours
    too.
    """

    def __init__(
        self, drawing: Drawing, following: Drawing | None, quality: Quality, shot: Shot, workers: Workers
    ) -> None:
        self.drawing, self.following = drawing, following
        self.before: Gap | None = None
        self.after: Gap | None = None
        self._quality: Quality = quality
        self._shot, self._workers = shot, workers

    def between(self, moments: Sequence[Moment]) -> "Iterator[Making]":
        """The pictures ``(C,H,W)`` at the given moments of this gap; each is begun when the iterator comes to it."""

        def at(bent: "Future[Pair]", t: float) -> "Tensor":
            return bent.result().at(t).cpu()

        yield from (self._workers.submit(at, self._bent, float(m.between)).result for m in moments)

    def doubt(self, moment: Moment) -> "Tensor":
        """How far the picture at a moment of this gap is a guess ``(1,H,W)``, see `vedit.inbetween.pair.Pair`."""
        return self._bent.result().doubt(float(moment.between)).cpu()

    def beyond(self, moments: Sequence[Moment]) -> "Iterator[Making]":
        """The pictures after the shot's last drawing, by the motion of the gap before; None where it is held.

        ``draft`` holds it: in a short shot the rest would cost as much as all pictures before.
        """
        if not moments or self.before is None or self._quality == "draft":
            yield from (_nothing for _ in moments)
            return
        from vedit.edits.beyond import Beyond

        pair, first, last = self.before._pair, self.before.drawing.frame.pixels, self.drawing.frame.pixels
        beyond = self._workers.submit(lambda: Beyond(first, last, pair.result().flow))

        def at(s: float) -> "Tensor | None":
            return None if beyond.result().held else beyond.result().at(s)

        yield from (self._workers.submit(at, float(m.between)).result for m in moments)

    @cached_property
    def _bent(self) -> "Future[Pair]":
        """The motion of this gap, bent as those beside it say."""
        pair = self._pair
        if self._quality == "draft":  # it is straight
            return pair
        sides = [side if side is not None and side._moves else None for side in (self.before, self.after)]
        beside = [None if side is None else side._pair for side in sides]
        lengths = [Fraction(1) if side is None else side._length / self._length for side in sides]

        def bent() -> "Pair":
            before, after = (None if other is None else other.result() for other in beside)
            pair.result().between(before, after, (lengths[0], lengths[1]))
            return pair.result()

        return self._workers.submit(bent)

    @cached_property
    def _pair(self) -> "Future[Pair]":
        from vedit.inbetween.pair import Pair

        return self._workers.submit(Pair, self._first, self._second, self._quality)

    @cached_property
    def _first(self) -> "Picture":
        return self._picture(self.drawing) if self.before is None else self.before._second

    @cached_property
    def _second(self) -> "Picture":
        assert self.following is not None  # noqa: S101 - nothing is asked of the last gap but its drawing
        return self._picture(self.following)

    def _picture(self, drawing: Drawing) -> "Picture":
        from vedit.inbetween.picture import Picture

        return Picture(drawing.frame.pixels, self._shot.device)

    @property
    def _moves(self) -> bool:
        return self.following is not None and not self.drawing.held

    @property
    def _length(self) -> Fraction:
        assert self.following is not None  # noqa: S101 - only asked of gaps that move
        return self.following.time - self.drawing.time


def workers_for(shot: Shot) -> Workers:
    """Those that make a shot's new pictures."""
    large = shot.height * shot.width > LARGE
    return Workers(lambda: shot.device, FEW if large else MOST)


def gaps(drawings: Iterable[Drawing], quality: Quality, shot: Shot, workers: Workers) -> Iterator[Gap]:
    """The gaps of a shot, in order, each with its neighbours; the last one leads nowhere. Reads two drawings ahead."""
    gap: Gap | None = None
    waiting: Drawing | None = None
    for drawing in drawings:
        if waiting is not None:
            later = Gap(waiting, drawing, quality, shot, workers)
            if gap is not None:
                yield from _joined(gap, later)
            gap = later
        waiting = drawing
    if waiting is not None:
        last = Gap(waiting, None, quality, shot, workers)
        if gap is not None:
            yield from _joined(gap, last)
        yield last


def _joined(gap: Gap, later: Gap) -> Iterator[Gap]:
    """A gap that now knows both its neighbours; when it is done, it lets go of the one before."""
    gap.after, later.before = later, gap
    yield gap
    gap.before = None
