"""Pictures that are missing though the times do not say so: everything that moves goes several steps at once."""

from collections.abc import Sequence

from vedit.analysis.anomalies.moment import Suspicion
from vedit.steps.drops import LIKELY, Drops
from vedit.steps.evidence import Step

UNFORESEEN = 0.0
"""dB by which the step is foreseen worse than those beside it: so are 97 in 100 of those found. Asking for more finds
fewer at the same number of alarms than a higher `LIKELY`."""


def drop(drops: Drops, window: Sequence[Step], at: int) -> Suspicion | None:
    """Whether pictures are missing before the one at a place of a window; ``drops`` remembers those around it."""
    found = drops.odds(window, at)
    if found is None or found < LIKELY:
        return None
    step = window[at]
    return Suspicion("drop", step.index, step.index + 1, 1 + (found - LIKELY) / LIKELY, UNFORESEEN)
