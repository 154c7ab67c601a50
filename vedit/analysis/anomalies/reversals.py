"""A run of pictures that is played backward: the film is shorter when it is turned round."""

from collections.abc import Sequence

from vedit.analysis.anomalies.moment import Suspicion
from vedit.steps.evidence import BACK, Step, distance, middle

SHORTEST = 6
"""Pictures of such a run at least."""
JUMP = 1.8
"""How many times as far as a usual step the film jumps at both ends of it."""
FLOOR = 0.3
"""Levels that a usual step counts as at least: what is less is noise."""
GAIN = 2.0
"""How many times as far the two jumps are as the steps that would be there if the run were turned round."""


def reversal(window: Sequence[Step], at: int) -> Suspicion | None:
    """Whether a run that begins at a place is reversed: turning it round replaces two jumps by two steps."""
    if at < 1 or not len(window[at].back):
        return None
    near = [
        float(step.back[0])
        for step in [*window[max(1, at - 12) : at], *window[at + 1 : at + 13]]
        if len(step.back)
    ]
    usual = max(FLOOR, middle(near))
    enters = distance(window, at - 1, at)
    if enters < JUMP * usual:
        return None
    best, found = 0.0, 0
    for stop in range(at + SHORTEST, min(len(window), at + BACK)):
        leaves = distance(window, stop - 1, stop)
        if leaves < JUMP * usual:
            continue
        turned = distance(window, at - 1, stop - 1), distance(window, at, stop)
        inside = max(usual, middle([distance(window, k - 1, k) for k in range(at + 1, stop)]))
        # Each jump and each of the steps that would be in its place.
        gain = min(enters, leaves) / max(inside, *turned)
        if gain > best:
            best, found = gain, stop
    if best < GAIN:
        return None
    return Suspicion("reversal", window[at].index, window[found].index, best / GAIN)
