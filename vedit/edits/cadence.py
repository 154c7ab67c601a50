"""Which rhythm drawings come in, and when they would come if it were even."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import islice

from vedit.edits.drawings import Drawing

PULLDOWNS = tuple(Fraction(a, b) for a, b in ((5, 4), (6, 5), (5, 2), (12, 5), (3, 2), (4, 3), (5, 3)))
"""Frames per drawing where a film was brought to a higher rate by repeating frames: 24 and 25 in 30 or 60, 16 2/3 in
25, 20 in 30, 18 in 24, 18 in 30. Its drawings are even by themselves and uneven as shown."""
ENOUGH = 12
"""Drawings in a row that have to come in the rhythm of a pulldown: with fewer a frame repeated by chance would do, or
they might come in the rhythm of another."""
LISTENED = 240
"""Drawings of a shot by which its cadence is named."""


def evened(drawings: Iterable[Drawing]) -> Iterator[Drawing]:
    """The drawings of a shot, moved to the even times they had before a pulldown; others stay at their first frame.

    A drawing is first shown in the first frame that comes at or after its time: in frame ceil(phase + k p), p the
    frames per drawing. Where that explains twelve drawings in a row, each is moved back to phase + k p, by less than
    a frame. At most twelve drawings are held.
    """
    source = iter(drawings)
    ahead: deque[Drawing] = deque()
    # Which frame, counted in the shot, first shows each drawing near the current one, which is firsts[behind].
    firsts: deque[int] = deque()
    behind, count, before = 0, 0, None
    while True:
        for drawing in islice(source, ENOUGH - len(ahead)):
            ahead.append(drawing)
            firsts.append(count)
            count += len(drawing.shown)
        if not ahead:
            return
        drawing = ahead.popleft()
        early = _early(firsts, behind)
        if before is not None and early:
            frame = drawing.shown[0][0] - before
            drawing = replace(drawing, time=drawing.time - early * frame)
        before = drawing.shown[-1][0]
        yield drawing
        behind += 1
        if behind >= ENOUGH:
            firsts.popleft()
            behind -= 1


def _early(firsts: Sequence[int], at: int) -> Fraction:
    """By how many frames the drawing at a place comes before the frame that first shows it."""
    near = list(firsts)
    for step in PULLDOWNS:
        for start in range(max(0, at - ENOUGH + 1), min(at, len(near) - ENOUGH) + 1):
            # Each drawing says between which two frames the first one came: (first - 1, first].
            latest = [first - k * step for k, first in enumerate(near[start : start + ENOUGH])]
            if max(latest) - 1 < min(latest):
                return near[at] - min(latest) - (at - start) * step
    return Fraction(0)


def cadence(lengths: Sequence[int]) -> str:
    """The rhythm of a shot's drawings, each shown for so many frames.

    Such as ``2, 2, 2…`` or ``2, 3, 2, 3…``; ``mixed``; or ``now and then`` where nearly all are shown for one.
    """
    whole = lengths[:-1] if len(lengths) > 1 else lengths  # a cut ends the last
    for period in range(1, 6):
        again = [a == b for a, b in zip(whole, whole[period:], strict=False)]
        if len(again) >= period and sum(again) >= 0.7 * len(again):
            cycles = Counter(
                min(tuple(whole[i + k : i + period]) + tuple(whole[i : i + k]) for k in range(period))
                for i in range(len(whole) - period + 1)
            )
            (cycle, _) = cycles.most_common(1)[0]
            if cycle == (1,):
                return "now and then"
            return ", ".join(str(n) for n in (cycle * 3)[: max(3, 2 * period)]) + "…"
    return "mixed"
