"""Pictures that are missing though the times do not say so: everything that moves goes several steps at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vedit.analysis.anomalies.evidence import Numbers, Step, difference
from vedit.analysis.anomalies.moment import Suspicion

REACH = 24
"""Steps on either side by which it is known what is usual."""
ENOUGH = 8
"""Of them that must be known."""
REPEATS = 0.2
"""Change of a step, in parts of those beside it, under which it shows the same again and is passed over."""
GROWS = 0.5
"""Levels by which a block that moves differs more over two steps than over one."""
VISIBLE = 5.0
"""Levels by which the tenth of the blocks that change most must change: less is a coder's doing."""
GOES_ON = 0.35
"""What the steps before change, in parts of those after, or the other way round: the motion is the same after the loss.
What leaps or comes to rest has no such other side."""
LONGER = 1.35
"""How many times as long its flow is, on the mean, as that of any step beside it: what a coder makes anew changes as
much, and does not move."""
AHEAD = (2, 4, 6)
"""Pictures before and after the step between which what moves is where it changes as well."""
TIMES = 1.5
"""How many times as much a block may change as it does over so many pictures, and still be where things move."""
SOFT = 1.0
"""Levels of change that say nothing."""
ELSEWHERE = 0.13
"""Part of the change that may be where nothing moves. Cuts, things that appear and pictures that a coder makes anew
change there too."""
UNUSUAL = 2.7
"""How far outside of what is usual around it a step is, in deviations, mean of the three measures."""
MOST = 5.0
"""Deviations more than which add nothing."""
SPREADS = (0.2, 0.12, 0.15)
"""The least deviation that is believed."""
NOISE = 0.3
"""Levels of residual that are noise."""
UNFORESEEN = 2.5
"""dB by which the step is foreseen worse than those beside it."""

Measures = NDArray[np.float64]


def drop(window: Sequence[Step], at: int) -> Suspicion | None:
    """Whether pictures are missing before the one at a place."""
    step = window[at]
    if step.moved < VISIBLE or not _far(window, at) or (here := measures(window, at)) is None:
        return None
    if _elsewhere(window, at) > ELSEWHERE:
        return None
    others = [
        other
        for k in range(max(0, at - REACH), min(len(window), at + REACH + 1))
        if abs(k - at) > 2 and (other := measures(window, k)) is not None
    ]
    if len(others) < ENOUGH:
        return None
    unusual = float(deviations(here, np.array(others)).clip(-1, MOST).mean())
    if unusual < UNUSUAL:
        return None
    return Suspicion("drop", step.index, step.index + 1, unusual / UNUSUAL, UNFORESEEN)


def deviations(here: Measures, others: Measures) -> Measures:
    """How far measures are above the median of others ``(n, 3)``, in robust deviations."""
    centre = np.median(others, axis=0)
    usual = 1.48 * np.median(np.abs(others - centre), axis=0)
    upper = (np.quantile(others, 0.9, axis=0) - centre) / 1.28
    return np.asarray((here - centre) / np.maximum(np.maximum(usual, upper), SPREADS))


def measures(window: Sequence[Step], at: int) -> Measures | None:
    """How far a step goes, by three measures, against the two before it and the two after it.

    Its change on a scale where theirs is 0 and that of two of them together 1 (see `vedit.edits.repair.jumps`); the
    part of the blocks that move which change more than in any of them; the logarithm of how many times as much of it
    motion leaves unexplained. None where these are not known, or nothing moves.
    """
    step, sides = window[at], _sides(window, at)
    if sides is None or step.change is None or step.residual is None:
        return None
    near = [*sides[0], *sides[1]]
    ones = [one.change for one in near if one.change is not None]
    rest = max(float(one.residual.mean()) for one in near if one.residual is not None)
    one, two = np.mean(ones, axis=0), np.mean(_twos(sides), axis=0)
    grows = two - one > GROWS
    if not grows.any():
        return None
    advance = float((step.change - one)[grows].sum() / (two - one)[grows].sum())
    more = float((step.change > np.max(ones, axis=0))[grows].mean())
    left = float(np.log((step.residual.mean() + NOISE) / (rest + NOISE)))
    return np.array([min(max(advance, -1.0), 4.0), more, left])


def _far(window: Sequence[Step], at: int) -> bool:
    """Whether a step goes as far as two of those before it and as two of those after it, which are alike."""
    step, sides = window[at], _sides(window, at)
    if sides is None or step.change is None:
        return False
    if _length(step) < LONGER * max(_length(one) for side in sides for one in side):
        return False
    speeds = [sum(one.moved for one in side) for side in sides]
    twos = _twos(sides)
    ones = [one.change for side in sides for one in side if one.change is not None]
    grows = np.mean(twos, axis=0) - np.mean(ones, axis=0) > GROWS
    most = max(float(two[grows].sum()) for two in twos)
    return min(speeds) >= GOES_ON * max(speeds) and float(step.change[grows].sum()) >= most > 0


def _length(step: Step) -> float:
    """The mean length of a step's flow."""
    return 0.0 if step.flow is None else float(np.hypot(step.flow[..., 0], step.flow[..., 1]).mean())


def _elsewhere(window: Sequence[Step], at: int) -> float:
    """The part of a step's change that lies where little else changes for some pictures before it and after it."""
    moves = [
        difference(window[base].picture, window[base + way * k].picture)
        for base, way in ((at - 1, -1), (at, 1))
        for k in AHEAD
        if 0 <= base + way * k < len(window)
        and not any(
            step.cut for step in window[min(base, base + way * k) + 1 : max(base, base + way * k) + 1]
        )
    ]
    change = window[at].change
    if change is None or not moves:
        return 1.0
    most = TIMES * np.max(moves, axis=0) + SOFT
    return float(np.maximum(change - most, 0).sum() / max(1e-3, np.maximum(change - SOFT, 0).sum()))


Sides = tuple[list[Step], list[Step]]


def _twos(sides: Sides) -> list[Numbers]:
    """The changes over two steps before and over two after."""
    return [step.change2 for step in (sides[0][0], sides[1][1]) if step.change2 is not None]


def _sides(window: Sequence[Step], at: int) -> Sides | None:
    """The two steps before one and the two after it that show something new; None across a cut."""
    before, after = (_side(window, at, way) for way in (-1, 1))
    return None if before is None or after is None else (before, after)


def _side(window: Sequence[Step], at: int, way: int) -> list[Step] | None:
    found: list[Step] = []
    k = at + way
    while 0 < k < len(window) and abs(k - at) < 8 and not window[k].cut:
        beside = max(window[j].moved for j in range(max(0, k - 2), min(len(window), k + 3)) if j != k)
        if window[k].moved >= REPEATS * beside and window[k].flow is not None:
            found.append(window[k])
        if len(found) == 2:
            return found
        k += way
    return None
