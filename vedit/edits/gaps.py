"""The time between one drawing of a shot and the next, and the new pictures in it."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from vedit.edits.drawings import Drawing
from vedit.edits.retime import Moment
from vedit.flow.quality import Quality
from vedit.frame import Shot

if TYPE_CHECKING:  # a film whose frames are only kept is done before torch is loaded
    from torch import Tensor

    from vedit.inbetween.pair import Pair
    from vedit.inbetween.picture import Picture


class Gap:
    """From a drawing to the one that follows, None at the shot's end; knows the gaps on both sides.

    What it knows of motion is worked out when first asked for, once, and serves its neighbours too.
    """

    def __init__(self, drawing: Drawing, following: Drawing | None, quality: Quality, shot: Shot) -> None:
        self.drawing, self.following = drawing, following
        self.before: Gap | None = None
        self.after: Gap | None = None
        self._asked = False
        self._quality: Quality = quality
        self._shot = shot

    def between(self, moments: Sequence[Moment]) -> "Iterator[Tensor]":
        """The pictures ``(C,H,W)`` at the given moments of this gap."""
        if not moments:
            return
        yield from (self._bent.at(float(m.between)).cpu() for m in moments)

    def doubt(self, moment: Moment) -> "Tensor":
        """How far the picture at a moment of this gap is a guess ``(1,H,W)``, see `vedit.inbetween.pair.Pair`."""
        return self._bent.doubt(float(moment.between)).cpu()

    def beyond(self, moments: Sequence[Moment]) -> "Iterator[Tensor | None]":
        """The pictures after the shot's last drawing, by the motion of the gap before; None where it is held.

        ``draft`` holds it: in a short shot the rest would cost as much as all pictures before.
        """
        if self.before is None or self._quality == "draft":
            yield from (None for _ in moments)
            return
        if not moments:
            return
        from vedit.edits.beyond import Beyond

        beyond = Beyond(self.before.drawing.frame.pixels, self.drawing.frame.pixels, self.before._pair.flow)
        for m in moments:
            yield None if beyond.held else beyond.at(float(m.between))

    @cached_property
    def _bent(self) -> "Pair":
        """The motion of this gap, bent as those beside it say."""
        sides = [self.before, self.after]
        known = [side if side is not None and side._moves else None for side in sides]
        self._asked = True
        if self.before is not None and self.before._asked:  # then those that follow will be asked too
            self._begin_ahead()
        first, last = (None if side is None else side._pair for side in known)
        lengths = [1.0 if side is None else float(side._length / self._length) for side in known]
        self._pair.between(first, last, (lengths[0], lengths[1]))
        return self._pair

    def _begin_ahead(self) -> None:
        """Search for the motion of the next two gaps meanwhile."""
        later = self.after
        for _ in range(2):
            if later is None or not later._moves:
                return
            later._pair.begin()
            later = later.after

    @cached_property
    def _pair(self) -> "Pair":
        from vedit.inbetween.pair import Pair

        assert self.following is not None  # noqa: S101 - the last gap has no pair
        second = self._picture(self.following) if self.after is None else self.after._first
        return Pair(self._first, second, self._quality)

    @cached_property
    def _first(self) -> "Picture":
        return self._picture(self.drawing)

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


def gaps(drawings: Iterable[Drawing], quality: Quality, shot: Shot) -> Iterator[Gap]:
    """The gaps of a shot, in order, each with its neighbours; the last one leads nowhere.

    Reads three drawings ahead: the motion of the gap after the next is searched for meanwhile.
    """
    waiting: deque[Gap] = deque()
    for drawing, following in pairwise(chain(drawings, [None])):
        assert drawing is not None  # noqa: S101 - only the last is not there
        gap = Gap(drawing, following, quality, shot)
        if waiting:
            waiting[-1].after, gap.before = gap, waiting[-1]
        waiting.append(gap)
        if len(waiting) > 2:
            yield from _done(waiting)
    while waiting:
        yield from _done(waiting)


def _done(waiting: deque[Gap]) -> Iterator[Gap]:
    """The first gap; when it is done, it lets go of the one before."""
    gap = waiting.popleft()
    yield gap
    gap.before = None
