"""A frame that is missing though the times do not say so: everything moves twice as far at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vedit.edits.repair.steps import Blocks, Judged

MOVING = 0.5
"""Levels by which a block must differ more over two steps than over one: it moves."""
LEAST = 0.002
"""Part of the blocks that must."""
ENOUGH = 6
"""Steps around by which it is known what is usual in a shot."""
FAR = 0.4
"""Advance that a missing frame has at least."""
UNUSUAL = 3.3
"""How far outside of what is usual, in standard deviations, mean of the three measures. On 34 clips six steps in 800
are; of frames taken out, nearly all where the motion is even, and few where it is not."""
SPREADS = (0.1, 0.03, 0.12)
"""The least standard deviation that is believed."""


@dataclass(frozen=True)
class Advance:
    """How far a step goes, on a scale where the steps around it go 0 and two of them together 1.

    ``whole`` is that of all blocks that move, ``least`` the same against the largest of the steps around; ``all_more``
    is the part of these blocks that change more than in any step around: not one thing quickens, but everything.
    """

    whole: float
    all_more: float
    least: float


def advance(window: Sequence[Judged], at: int) -> Advance | None:
    """The advance of the step to one frame of a window.

    Block changes of one step grow with motion until they saturate; how much they grow over two steps is seen on both
    sides of the step in question, so the scale holds for texture and for plain things alike. None where the neighbours
    are missing or nothing moves. Repeats are passed over.
    """
    before = _side(window[:at][::-1], backwards=True)
    after = _side(window[at + 1 :], backwards=False)
    if before is None or after is None or not window[at].seen.changes:
        return None
    ones = np.stack([*before[:2], *after[:2]])
    one, two, here = ones.mean(0), (before[2] + after[2]) / 2, window[at].seen.changes[0]
    moves = two - one > MOVING
    if moves.mean() < LEAST:
        return None
    scale = float((two - one)[moves].sum())
    whole = float((here - one)[moves].sum()) / scale
    least = min(float((here - other)[moves].sum()) / scale for other in ones)
    return Advance(whole, float((here > ones.max(0))[moves].mean()), least)


def _side(window: Sequence[Judged], *, backwards: bool) -> tuple[Blocks, Blocks, Blocks] | None:
    """Changes of the two steps next to the one in question, on one side of it, and of both together.

    Frames are given from the near one on. Looking back the near frame ends the first step; looking ahead the near frame
    ends it too, but begins at the frame in question.
    """
    steps: list[int] = []
    for place, one in enumerate(window):
        if one.hole or not one.seen.changes:
            break
        if not one.repeat:
            steps.append(place)
        if len(steps) == 2:
            break
    if len(steps) < 2:
        return None
    near, far = (window[place].seen for place in steps)
    # Over a repeat the way back to the frame before both steps is one frame longer.
    later, skipped = (near, steps[1] - steps[0] - 1) if backwards else (far, steps[1] - steps[0] - 1)
    if len(later.changes) < 2 + skipped:
        return None
    return near.changes[0], far.changes[0], later.changes[1 + skipped]


def stands_out(step: Advance, others: Sequence[Advance]) -> bool:
    """Whether a step goes about twice as far as is usual around it."""
    if len(others) < ENOUGH or step.whole < FAR:
        return False
    measured = np.array([(o.whole, o.all_more, o.least) for o in others])
    middle = np.median(measured, axis=0)
    usual = 1.48 * np.median(np.abs(measured - middle), axis=0)
    upper = (np.quantile(measured, 0.9, axis=0) - middle) / 1.28
    spread = np.maximum(np.maximum(usual, upper), SPREADS)
    return bool(((np.array((step.whole, step.all_more, step.least)) - middle) / spread).mean() > UNUSUAL)
