"""The pictures of a shot at the times at which they are true, and the frames that a film at even pace has."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import islice

from vedit.edits.drawings import Drawing
from vedit.edits.repair.jumps import NEAR
from vedit.edits.repair.steps import Judged
from vedit.frame import Finding, Flaw, Frame, Shot


@dataclass
class Marks:
    """What is wrong with frames whose pictures have not been shown yet, by their pts."""

    flaws: dict[int, Flaw] = field(default_factory=dict)


def drawings(
    frames: Iterable[Judged], shot: Shot, *, duplicates: bool, dropped: bool, preview: bool, marks: Marks
) -> Iterator[Drawing]:
    """The different pictures of a shot at their times, each with the (pts, index) of the frames that would show it.

    A repeat is no picture of its own. Where a repeat and a jump belong together the pictures between them are a frame
    late or early and are put right. Frames that are missing in the times are added to the picture before them, except
    in a preview, which changes no time.
    """
    ahead: deque[Judged] = deque()
    source = iter(frames)
    shift, after_repeat = 0, False
    waiting: Drawing | None = None
    last: Frame | None = None
    while True:
        ahead.extend(islice(source, NEAR + 1 - len(ahead)))
        if not ahead:
            break
        one = ahead.popleft()
        repeat, jump = one.repeat and duplicates, one.jump and dropped
        paired = False
        if repeat:
            paired, shift = shift == 1, 0 if shift else -_follows(ahead, jump=True)
        elif jump:
            paired, shift = shift == -1, 0 if shift else _follows(ahead, jump=False)
            paired = paired or shift == 1
        if not duplicates or not dropped:
            shift, paired = 0, False
        # A frame that shows the one beside it instead of its own picture is one flaw, not two.
        beside = after_repeat or bool(ahead and ahead[0].repeat)
        lost = one.hole if one.hole and dropped else int(jump and not beside)
        _tell(
            one.frame, shot, marks, repeat=repeat, lost=lost, mended=not preview, made=paired or one.hole > 0
        )
        after_repeat = one.repeat
        if one.hole and dropped and not preview and waiting is not None and last is not None:
            made = _missing(last, one.frame, one.hole, one.frame.index + shot.notes.added)
            shot.notes.added += len(made)
            waiting = replace(waiting, shown=(*waiting.shown, *made))
        index = one.frame.index + shot.notes.added
        slot = (one.frame.pts, index)
        if repeat and waiting is not None:
            waiting = replace(waiting, shown=(*waiting.shown, slot), end=one.frame.end)
        else:
            if waiting is not None:
                yield waiting
            time = one.frame.pts
            if not preview and shift == -1 and last is not None:
                time = last.pts
            elif not preview and shift == 1:
                time = one.frame.end
            waiting = Drawing(one.frame, (slot,), one.frame.end, Fraction(time))
        last = one.frame
    if waiting is not None:
        yield waiting


def _follows(ahead: Iterable[Judged], *, jump: bool) -> int:
    """1 if what goes with a flaw comes soon, before another of the same kind; else 0."""
    for one in ahead:
        if one.hole:
            return 0
        if one.jump:
            return int(jump)
        if one.repeat:
            return int(not jump)
    return 0


def _missing(before: Frame, after: Frame, count: int, index: int) -> list[tuple[int, int]]:
    """(pts, index) of frames at even times in a hole."""
    span = after.pts - before.pts
    return [(before.pts + k * span // (count + 1), index + k - 1) for k in range(1, count + 1)]


def _tell(
    frame: Frame, shot: Shot, marks: Marks, *, repeat: bool, lost: int, mended: bool, made: bool
) -> None:
    seconds = float(shot.timing.time(frame.pts))
    if repeat:
        shot.notes.find(Finding("duplicate", frame.index, seconds, mended=mended))
    if lost:
        shot.notes.find(Finding("dropped", frame.index, seconds, lost, mended=mended and made))
    if repeat or lost:
        marks.flaws[frame.pts] = "duplicate" if repeat else "dropped"
