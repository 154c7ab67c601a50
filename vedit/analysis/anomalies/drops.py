"""Pictures that are missing though the times do not say so: everything moves several times as far at once."""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from vedit.analysis.anomalies.evidence import Numbers, Step, largest
from vedit.analysis.anomalies.moment import Suspicion

REACH = 24
"""Steps on either side by which it is known what is usual."""
ENOUGH = 8
"""Of them that must be known."""
REPEATS = 0.2
"""Change of a step, in parts of those beside it, under which it shows the same again and is passed over."""
MOVING = 0.25
"""Pixels of flow from which a block moves."""
LEAST = 0.01
"""Part of the blocks that must."""
GROWS = 0.5
"""Levels by which a block that moves differs more over two steps than over one."""
VISIBLE = 5.0
"""Levels by which the tenth of the blocks that change most must change: less is a coder's doing."""
EXPLAINED = 0.9
"""Part of the change that motion may leave unexplained: coders change whole pictures without any."""
ANOTHER = 0.97
"""The same from which it is another scene, and a cut whose colours are too much alike to have been found."""
ALONG = 1.5
"""How many times as far as usual the flow must lead where the change is not explained, or looks like a cut."""
UNUSUAL = 3.4
"""How far outside of what is usual around it a step is, in deviations, mean of the three measures."""
TWO = 2.5
"""The same of the second of them: one alone is chance."""
UNFORESEEN = 2.5
"""dB by which the step is foreseen worse than those beside it."""
SPREADS = (0.15, 0.2, 0.12)
"""The least deviation that is believed."""
HINTS = (0.25, 0.4, 0.25)
"""Measures of which two must be exceeded for a step to be looked at more closely."""

Measures = NDArray[np.float64]


def drop(window: Sequence[Step], at: int) -> Suspicion | None:
    """Whether pictures are missing before the one at a place."""
    step = window[at]
    if step.moved < VISIBLE or (here := measures(window, at)) is None or (here > HINTS).sum() < 2:
        return None
    others = [
        other
        for k in range(max(0, at - REACH), min(len(window), at + REACH + 1))
        if abs(k - at) > 2 and not window[k].cut and (other := measures(window, k)) is not None
    ]
    if len(others) < ENOUGH:
        return None
    apart = deviations(here, np.array(others)).clip(-1, 8)
    along = here[0] > log(ALONG) and apart[0] > TWO
    if not along and (step.cut or _unexplained(step) > EXPLAINED):
        return None
    unusual = float(apart.mean())
    if unusual < UNUSUAL or np.sort(apart)[1] < TWO:
        return None
    return Suspicion("drop", step.index, step.index + 1, unusual / UNUSUAL, UNFORESEEN)


def _unexplained(step: Step) -> float:
    """The part of the largest changes that motion leaves unexplained."""
    return 0.0 if step.residual is None else largest(step.residual, 0.1) / step.moved


def deviations(here: Measures, others: Measures) -> Measures:
    """How far measures are above the median of others ``(n, 3)``, in robust deviations."""
    centre = np.median(others, axis=0)
    usual = 1.48 * np.median(np.abs(others - centre), axis=0)
    upper = (np.quantile(others, 0.9, axis=0) - centre) / 1.28
    return np.asarray((here - centre) / np.maximum(np.maximum(usual, upper), SPREADS))


def measures(window: Sequence[Step], at: int) -> Measures | None:
    """How far a step goes, by three measures, against the two before it and the two after it.

    The logarithm of how many times as far its flow leads along theirs (the less of both sides); its change on a scale
    where theirs is 0 and that of two of them together 1 (see `vedit.edits.repair.jumps`); the part of the blocks that
    move which change more than in any of them. None where these are not known, or nothing moves.
    """
    step, before, after = window[at], _side(window, at, -1), _side(window, at, 1)
    if step.flow is None or step.change is None or before is None or after is None:
        return None
    ones = [one.change for one in (*before, *after) if one.change is not None]
    twos = [one.change2 for one in (before[0], after[1]) if one.change2 is not None]
    if len(ones) < 4 or not twos or (times := _times(step.flow, before, after)) is None:
        return None
    one, two = np.mean(ones, axis=0), np.mean(twos, axis=0)
    grows = two - one > GROWS
    if not grows.any():
        return None
    advance = float((step.change - one)[grows].sum() / (two - one)[grows].sum())
    more = float((step.change > np.max(ones, axis=0))[grows].mean())
    return np.array([log(max(times, 0.3)), min(max(advance, -1.0), 4.0), more])


def _times(flow: Numbers, before: Sequence[Step], after: Sequence[Step]) -> float | None:
    """How many times as far a flow leads as those before it and those after it, along theirs; the less of both."""
    times = []
    for side in (before, after):
        usual = np.mean([one.flow for one in side if one.flow is not None], axis=0)
        moves = np.hypot(usual[..., 0], usual[..., 1]) > MOVING
        if moves.mean() < LEAST:
            return None
        times.append(float((flow * usual).sum(-1)[moves].sum() / np.square(usual).sum(-1)[moves].sum()))
    return min(times)


def _side(window: Sequence[Step], at: int, way: int) -> list[Step] | None:
    """The two steps next to one, before it (``way`` -1) or after it, that show something new; None across a cut."""
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
