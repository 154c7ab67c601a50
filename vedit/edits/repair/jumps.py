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
from vedit.steps.picture import PLAIN, contrast

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
    waiting: deque[Judged] = deque()
    repeats: deque[int] = deque(maxlen=NEAR)

    def first() -> Judged:
        one, at = waiting.popleft(), len(steps) - len(waiting) - 1
        index = steps[at].index
        close = [index - k for k in repeats] + [
            k + 1 for k, other in enumerate(islice(waiting, NEAR)) if other.repeat
        ]
        if one.repeat:
            repeats.append(index)
        elif not one.hole:
            least = LIKELY_NEAR if min(close, default=NEAR + 1) <= NEAR else LIKELY
            odds = drops.odds(list(steps), at)
            one = replace(one, jump=odds is not None and odds >= least)
        if at >= BEFORE:
            steps.popleft()
        return one

    before: Judged | None = None
    for index, one in enumerate(frames):
        known = before is not None and not one.hole and contrast(one.seen.picture) >= PLAIN
        flow = flow_between(before.seen.picture, one.seen.picture) if known and before is not None else None
        steps.append(watch.step(index, one.seen.picture, flow, cut=one.hole > 0))
        waiting.append(one)
        before = one
        if len(waiting) > AHEAD:
            yield first()
    while waiting:
        yield first()
