"""Pictures that are missing though the times do not say so: everything that moves goes several steps at once.

Twelve measures of a step, of its change and of the paths that points take through it, each by itself and against those
of the steps around it, are weighed by a small net that `vedit train drops` made (`vedit.train.drops`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vedit.steps.evidence import Step, alike, difference
from vedit.steps.tracks import WITHIN as FOLLOWED
from vedit.steps.tracks import follow, fresh
from vedit.weight_files import read_weights, unreadable

WEIGHTS = Path(__file__).parents[1] / "weights" / "drops.safetensors"
REACH = 24
"""Steps on either side by which it is known what is usual."""
BESIDE = 4
"""Of them those next to the step, which show the loss as well."""
ENOUGH = 8
"""Of them that must be known."""
WITHIN = 8
"""Steps on either side among which the two next to a step are looked for."""
GROWS = 0.5
"""Levels by which a block that moves differs more over two steps than over one."""
VISIBLE = 5.0
"""Levels by which the tenth of the blocks that change most must change: less is a coder's doing."""
ADVANCE = 0.8
"""Advance from which a step is looked at closely: 99 in 100 planted drops have more, and 3 in 100 other steps."""
EVEN = 0.15
"""Change of the two steps before, in parts of that of the two after, or the other way round: 99 in 100 planted drops
have more than 0.19. What appears, or comes to rest, has no such other side."""
AHEAD = (2, 4, 6)
"""Pictures before and after the step between which what moves is where it changes as well."""
TIMES = 1.5
"""How many times as much a block may change as it does over so many pictures, and still be where things move."""
SOFT = 1.0
"""Levels of change that say nothing."""
ELSEWHERE = 0.35
"""Part of the change that may be where nothing moves. Cuts, things that appear and pictures that a coder makes anew
change there too; 99 in 100 planted drops have less than 0.23, cuts more than 0.8."""
SAME, EXPLAINED = 0.4, 0.8
"""Correlation of the pictures on either side from which they show the same, or else the part of the change that motion
may leave unexplained. Of planted drops 2 in 100 have less of the one, of cuts to another film 2 in 3; cuts leave 0.93
or more of the other."""
NOISE = 0.3
"""Levels of residual that are noise."""
UNUSUAL = 8.0
"""Deviations more than which add nothing."""
SPREADS = (0.12, 0.1, 0.2)
"""The least deviation that is believed: of what motion leaves unexplained, of the change, of the advance."""
LIKELY = 3.25
"""The net's logarithm of odds from which a step is told. Between 3 and 4 it finds 7 to 6 in 10 of the losses made in
films left out of its training, single pictures among them, and takes 1 in 600 to 1 in 1500 of their steps for one, of
which some are."""
KEPT = 128
"""Steps whose measures are remembered."""

Inputs = NDArray[np.float64]


@dataclass(frozen=True)
class Measures:
    """How far a step goes, against the two before it and the two after it.

    ``advance``: its change on a scale where theirs is 0 and that of two of them together 1: block changes grow with
    motion until they saturate, and how much they grow over two steps is seen on both sides, so the scale holds for
    texture and for plain things alike. ``more``: the part of the blocks that move which change more than in any of
    them. ``left``: the logarithm of how many times as much of it motion leaves unexplained. ``moved``: that of its
    change. ``flow``: that of how many times as long its flow is as any of theirs. ``longer`` and ``gained``: see
    `vedit.steps.tracks.Followed`. ``even``: the change on the side where there is less, in parts of the other's.
    """

    advance: float
    more: float
    left: float
    moved: float
    flow: float
    longer: float
    gained: float
    even: float


class Drops:
    """Looks for missing pictures; remembers the measures of the steps around the one it is shown."""

    def __init__(self) -> None:
        self._known: dict[int, Measures | None] = {}

    def odds(self, window: Sequence[Step], at: int) -> float | None:
        """The logarithm of the odds that pictures are missing before the one at a place of a window.

        None where they cannot be, or too little is known.
        """
        inputs = self.inputs(window, at)
        return None if inputs is None else float(odds(inputs[None], _net())[0])

    def inputs(self, window: Sequence[Step], at: int) -> Inputs | None:
        """What the net weighs, ``(12,)``; None where no pictures can be missing, or too little is known."""
        if window[at].moved < VISIBLE or (here := self._measures(window, at)) is None:
            return None
        if here.advance < ADVANCE or here.even < EVEN:
            return None
        elsewhere = _elsewhere(window, at)
        if elsewhere > ELSEWHERE or not _goes_on(window, at):
            return None
        places = range(max(0, at - REACH), min(len(window), at + REACH + 1))
        around = [self._measures(window, k) for k in places if abs(k - at) > BESIDE]
        return gathered(here, elsewhere, [one for one in around if one is not None])

    def _measures(self, window: Sequence[Step], at: int) -> Measures | None:
        index = window[at].index
        if index in self._known:
            return self._known[index]
        made = measures(window, at)
        if at + FOLLOWED < len(window):  # else more of what comes after it may be known the next time
            if len(self._known) >= KEPT:
                for old in list(islice(self._known, KEPT // 2)):
                    del self._known[old]
            self._known[index] = made
        return made


def gathered(here: Measures, elsewhere: float, around: Sequence[Measures]) -> Inputs | None:
    """The measures of a step, and how far they are from those around it."""
    if len(around) < ENOUGH:
        return None
    values = np.array([astuple(one) for one in around])
    advance, _, left, moved, _, _, gained, _ = values.T
    return np.array(
        [
            here.advance,
            here.more,
            here.left,
            elsewhere,
            here.flow,
            _deviations(here.left, left, SPREADS[0]),
            _deviations(here.moved, moved, SPREADS[1]),
            here.moved - moved.max(),
            _deviations(here.advance, advance, SPREADS[2]),
            here.longer,
            here.gained,
            here.gained - gained.max(),
        ]
    )


def _deviations(value: float, others: Inputs, least: float) -> float:
    """How far a value is above the median of others, in robust deviations."""
    centre = float(np.median(others))
    usual = 1.48 * float(np.median(np.abs(others - centre)))
    upper = (float(np.quantile(others, 0.9)) - centre) / 1.28
    return min((value - centre) / max(usual, upper, least), UNUSUAL)


def measures(window: Sequence[Step], at: int) -> Measures | None:
    """How far a step goes; None where the steps beside it are not known, or nothing moves."""
    step = window[at]
    before, after = (fresh(window, at, way, 2, WITHIN) for way in (-1, 1))
    if step.change is None or step.residual is None or min(len(before), len(after)) < 2:
        return None
    near = [*before, *after]
    ones = [one.change for one in near if one.change is not None]
    rest = max(float(one.residual.mean()) for one in near if one.residual is not None)
    twos = [one.change2 for one in (before[0], after[1]) if one.change2 is not None]
    one, two = np.mean(ones, axis=0), np.mean(twos, axis=0)
    grows = two - one > GROWS
    followed = follow(window, at) if grows.any() else None
    if followed is None:
        return None
    advance = float((step.change - one)[grows].sum() / (two - one)[grows].sum())
    more = float((step.change > np.max(ones, axis=0))[grows].mean())
    left = float(np.log((step.residual.mean() + NOISE) / (rest + NOISE)))
    flow = float(np.log((_length(step) + 0.05) / (max(_length(other) for other in near) + 0.05)))
    moved = float(np.log(step.moved + 0.1))
    sides = [sum(other.moved for other in side) for side in (before, after)]
    return Measures(
        min(max(advance, -1.0), 4.0),
        more,
        left,
        moved,
        flow,
        followed.longer,
        followed.gained,
        min(sides) / max(*sides, 1e-3),
    )


def _length(step: Step) -> float:
    """The mean length of a step's flow."""
    return 0.0 if step.flow is None else float(np.hypot(step.flow[..., 0], step.flow[..., 1]).mean())


def _goes_on(window: Sequence[Step], at: int) -> bool:
    """Whether the picture is of what the one before shows: it looks like it, or motion leads from one to the other.

    Where the film is taken to be cut, only motion can say otherwise.
    """
    step = window[at]
    if step.change is None or step.residual is None:
        return False
    if not step.cut and alike(window[at - 1].tiny, step.tiny) >= SAME:
        return True
    return float(step.residual.mean()) <= EXPLAINED * float(step.change.mean())


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


def odds(inputs: Inputs, net: Mapping[str, Inputs]) -> Inputs:
    """The logarithm of the odds that pictures are missing, of inputs ``(..., 12)``.

    ``hidden.weight`` is ``(5, 12)``, ``out.weight`` ``(5,)``; ``mean`` and ``deviation`` bring inputs to one scale.
    """
    scaled = ((inputs - net["mean"]) / net["deviation"]).clip(-4, 4)
    hidden = np.tanh(scaled @ net["hidden.weight"].T + net["hidden.bias"])
    return np.asarray(hidden @ net["out.weight"] + net["out.bias"])


@cache
def _net() -> dict[str, Inputs]:
    try:
        return {name: tensor.double().numpy() for name, tensor in read_weights(WEIGHTS).items()}
    except Exception as error:
        raise unreadable(WEIGHTS, error) from error
