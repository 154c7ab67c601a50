"""The frames of an interpolated shot, planned in order and made ahead of their turn."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from vedit.edits.gaps import Making
from vedit.edits.retime import Moment
from vedit.frame import Frame
from vedit.workers import Workers


@dataclass(frozen=True, eq=False)
class Planned:
    """A frame to come: a source frame shown at a moment, or the new picture that is being made for it.

    ``anchor`` and ``cut`` are the frame's, see `vedit.frame.Frame`; ``making`` gives None where the source frame is
    held after all.
    """

    source: Frame
    moment: Moment
    cut: bool
    anchor: int | None
    making: Making | None

    def frame(self) -> Frame:
        """The frame, when its picture is done."""
        m, pixels = self.moment, self.making and self.making()
        if pixels is None:
            return self.source.at(m.pts, m.duration, m.index, cut=self.cut, anchor=self.anchor)
        return Frame(m.pts, m.duration, pixels, index=m.index, cut=self.cut, anchor=self.anchor)


def made_ahead(plan: Iterable[Planned], workers: Workers) -> Iterator[Frame]:
    """The frames in their order, made while the ones before are taken: by every worker one."""
    waiting: deque[Planned] = deque()
    making = 0
    for planned in plan:
        waiting.append(planned)
        making += planned.making is not None
        while waiting and (waiting[0].making is None or max(making, len(waiting) // 2) > workers.count):
            making -= waiting[0].making is not None
            yield waiting.popleft().frame()
    while waiting:
        yield waiting.popleft().frame()
