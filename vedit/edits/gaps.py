"""The time between one drawing of a shot and the next, and the new pictures in it."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import cached_property
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
        first, last = (None if side is None else side._pair for side in known)
        lengths = [1.0 if side is None else float(side._length / self._length) for side in known]
        self._pair.between(first, last, (lengths[0], lengths[1]))
        return self._pair

    @cached_property
    def _pair(self) -> "Pair":
        from vedit.inbetween.pair import Pair

        return Pair(self._first, self._second, self._quality)

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


def gaps(drawings: Iterable[Drawing], quality: Quality, shot: Shot) -> Iterator[Gap]:
    """The gaps of a shot, in order, each with its neighbours; the last one leads nowhere. Reads two drawings ahead."""
    gap: Gap | None = None
    waiting: Drawing | None = None
    for drawing in drawings:
        if waiting is not None:
            later = Gap(waiting, drawing, quality, shot)
            if gap is not None:
                yield from _joined(gap, later)
            gap = later
        waiting = drawing
    if waiting is not None:
        last = Gap(waiting, None, quality, shot)
        if gap is not None:
            yield from _joined(gap, last)
        yield last


def _joined(gap: Gap, later: Gap) -> Iterator[Gap]:
    """A gap that now knows both its neighbours; when it is done, it lets go of the one before."""
    gap.after, later.before = later, gap
    yield gap
    gap.before = None
