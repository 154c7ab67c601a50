"""The worst moments of a film, found as it goes by, without keeping the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOMENTS = 5
"""That are shown."""
APART = 1.0
"""Seconds between two of them, at least."""
KEPT = 3 * MOMENTS
"""Candidates kept: each one chosen rules out no more than the second before it and the one after."""


@dataclass(frozen=True)
class WorstMoment:
    """The worst picture of a second. ``index`` counts the reference's pictures, ``value`` is higher for worse.

    ``thumbnails`` are JPEGs of the reference and the result.
    """

    index: int
    seconds: float
    value: float
    thumbnails: tuple[bytes, bytes]


class Worst:
    """Of every second the worst picture; of those the worst ``KEPT``."""

    def __init__(self) -> None:
        self._kept: list[WorstMoment] = []
        self._now: WorstMoment | None = None

    def take(
        self, value: float, index: int, seconds: float, thumbnails: Callable[[], tuple[bytes, bytes]]
    ) -> None:
        """Look at the next picture; ``thumbnails`` is called only if it may be among the worst."""
        if self._now is not None and int(self._now.seconds) != int(seconds):
            self._settle()
        least = self._kept[-1].value if len(self._kept) == KEPT else 0.0
        if value > max(least, self._now.value if self._now else 0.0):
            self._now = WorstMoment(index, seconds, value, thumbnails())

    def _settle(self) -> None:
        if self._now is not None:
            self._kept = sorted([*self._kept, self._now], key=lambda moment: (-moment.value, moment.index))[
                :KEPT
            ]
            self._now = None

    @property
    def seconds(self) -> set[int]:
        """The whole seconds in which candidates lie."""
        return {int(moment.seconds) for moment in [*self._kept, *([self._now] if self._now else [])]}

    def chosen(self) -> Sequence[WorstMoment]:
        """The worst moments, worst first, ``APART`` from each other."""
        self._settle()
        found: list[WorstMoment] = []
        for moment in self._kept:
            if len(found) < MOMENTS and all(abs(moment.seconds - one.seconds) >= APART for one in found):
                found.append(moment)
        return found
