"""A picture that stands still for a while amid motion, and then the film goes on."""

from collections import deque

from vedit.analysis.anomalies.moment import Suspicion
from vedit.steps.evidence import REACH, Step, middle

LEAST = 4
"""Steps that show nothing new: less is how animation is drawn, and a frame shown twice."""
STILL = 0.08
"""Change of such a step, in parts of what is usual around."""
EXACT = 0.35
"""Levels of change below which nothing has changed, whatever is usual."""
VISIBLE = 1.5
"""Levels by which the pictures around must change: that nothing moves where little does is no freeze."""
SUDDEN = 0.35
"""Change of the last step before and the first after it, in parts of what is usual there: motion comes to rest
slowly."""
AROUND = 6
"""Steps on either side that say what is usual."""
OFTEN = 0.25
"""Part of the steps before that may be still too; more is how the film was made."""


class Freezes:
    """Looks for freezes of any length; knows the steps before the one it is shown, and the length of a freeze."""

    def __init__(self) -> None:
        self._before: deque[float] = deque(maxlen=REACH)
        self._run: list[float] = []
        self._start = 0
        self._after: list[float] = []

    def take(self, step: Step) -> Suspicion | None:
        """The next picture; a freeze is known some pictures after its end.

        The jump at its end may look like a cut.
        """
        moved = step.moved
        if step.cut and not self._run:
            self._before.clear()
            return None
        if self._run and self._after:
            self._after.append(moved)
            if len(self._after) < AROUND:
                return None
            found = self._judged()
            self._begin_again()
            return found
        usual = middle([m for m in self._before if m > EXACT][-AROUND:])
        if usual >= VISIBLE and moved <= max(EXACT, STILL * usual):
            if not self._run:
                self._start = step.index
            self._run.append(moved)
        elif self._run:
            self._after.append(moved)
        else:
            self._before.append(moved)
        return None

    def _begin_again(self) -> None:
        """What was a freeze, or none, and the steps after it are now before."""
        self._before.extend([*self._run[-REACH:], *self._after])
        self._run, self._after = [], []

    def _judged(self) -> Suspicion | None:
        run, before, after = self._run, [m for m in self._before if m > EXACT][-AROUND:], self._after
        if len(run) < LEAST or len(before) < AROUND // 2 or len(after) < AROUND // 2:
            return None
        usual = min(middle(before), middle([m for m in after if m > EXACT]))
        still = sum(m <= max(EXACT, STILL * usual) for m in [*self._before, *after])
        if usual < VISIBLE or still > OFTEN * (len(self._before) + len(after)):
            return None
        if min(before[-1], after[0]) < SUDDEN * usual:
            return None
        worst = max(run)
        if worst > max(EXACT, STILL * usual):
            return None
        odds = min(usual / VISIBLE, len(run) / LEAST * 1.5)
        return Suspicion("freeze", self._start - 1, self._start + len(run), odds)
