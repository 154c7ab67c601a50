"""A frame that is missing though the times do not say so: everything that moves goes further than it should at once.

The search of `vedit analyse --anomalies` (`vedit.steps.drops`), for frames that wait until it is known.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from vedit.edits.repair.steps import Judged
from vedit.steps.drops import LIKELY, Drops
from vedit.steps.evidence import Step, Watch, flow_between
from vedit.steps.picture import PLAIN, Picture, contrast

BEFORE, AHEAD = 36, 14
"""Steps before one, and after it, by which it is judged: after it fewer, because the frames have to be held."""
NEAR = 8
"""Frames within which a repeat and a jump belong together: a recorder showed a picture twice and lost another."""
LIKELY_NEAR = 1.0
"""Odds, as `LIKELY`, from which a jump is believed that near to a repeat."""


def with_jumps(frames: Iterable[Judged]) -> Iterator[Judged]:
    """Each frame of a shot with whether one is missing before it in the motion alone. `AHEAD` frames are held."""
    drops, watch = Drops(), Watch()
    steps: deque[Step] = deque()
    passed: deque[bool] = deque(maxlen=NEAR)
    """Whether the last frames were repeats."""
    waiting: deque[Judged] = deque()

    def first() -> Judged:
        at = len(steps) - len(waiting)
        one = waiting.popleft()
        if not (one.repeat or one.hole):
            near = any(passed) or any(other.repeat for other in islice(waiting, NEAR))
            odds = drops.odds(list(steps), at)
            one = replace(one, jump=odds is not None and odds >= (LIKELY_NEAR if near else LIKELY))
        passed.append(one.repeat)
        if at >= BEFORE:
            steps.popleft()
        return one

    before: Picture | None = None
    for index, one in enumerate(frames):
        picture = one.seen.picture
        flow = None
        if before is not None and not one.hole and contrast(picture) >= PLAIN:
            flow = flow_between(before, picture)
        steps.append(watch.step(index, picture, flow, cut=one.hole > 0))
        waiting.append(one)
        before = picture
        if len(waiting) > AHEAD:
            yield first()
    while waiting:
        yield first()
