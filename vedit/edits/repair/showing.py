"""The frames of a repaired shot: its pictures at their times, and new ones between them."""

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

from vedit.edits.drawings import Drawing
from vedit.edits.gaps import gaps, workers_for
from vedit.edits.repair.overlay import bordered
from vedit.edits.repair.retiming import Marks
from vedit.edits.retime import Moment
from vedit.frame import Frame, Shot


def shown(drawings: Iterable[Drawing], shot: Shot) -> Iterator[Frame]:
    """A frame for each (pts, index) of the drawings: a drawing at its own time, else one interpolated there.

    A frame that needs nothing is the very object that came in.
    """
    waiting: deque[tuple[int, int, int]] = deque()
    begun = False
    with workers_for(shot) as workers:
        for gap in gaps(drawings, "normal", shot, workers):
            drawing, following = gap.drawing, gap.following
            if not begun:
                waiting += _slots(drawing)
            begun = True
            if following is not None:
                waiting += _slots(following)
            now: list[tuple[int, int, int]] = []
            while waiting and (following is None or waiting[0][0] < following.time):
                now.append(waiting.popleft())
            moments = [
                Moment(pts, end - pts, index, _between(pts, drawing, following)) for pts, end, index in now
            ]
            new = gap.between([m for m in moments if m.between])
            for m in moments:
                if m.between:
                    yield Frame(m.pts, m.duration, next(new)(), index=m.index)
                else:
                    yield _moved(drawing.frame, m.pts, m.duration, m.index)


def previewed(drawings: Iterable[Drawing], marks: Marks) -> Iterator[Frame]:
    """The frames as they came in, those that are shown twice or follow a loss in a border of their flaw's colour."""
    for drawing in drawings:
        for pts, end, index in _slots(drawing):
            frame = _moved(drawing.frame, pts, end - pts, index)
            flaw = marks.flaws.pop(pts, None)
            yield frame if flaw is None else bordered(frame, flaw)


def _slots(drawing: Drawing) -> list[tuple[int, int, int]]:
    """(pts, end, index) of the frames in which a drawing would be shown."""
    ends = [*(pts for pts, _ in drawing.shown[1:]), drawing.end]
    return [(pts, end, index) for (pts, index), end in zip(drawing.shown, ends, strict=True)]


def _between(pts: int, drawing: Drawing, following: Drawing | None) -> Fraction:
    if following is None or pts <= drawing.time:
        return Fraction(0)
    return (pts - drawing.time) / (following.time - drawing.time)


def _moved(frame: Frame, pts: int, duration: int, index: int) -> Frame:
    if (frame.pts, frame.duration, frame.index) == (pts, duration, index):
        return frame
    return frame.at(pts, duration, index, cut=frame.cut and frame.pts == pts)
