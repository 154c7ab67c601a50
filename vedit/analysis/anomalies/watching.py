"""The search for anomalies, beside the one pass over a film's pictures and the one over its sound."""

from collections import deque
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vedit.analysis.anomalies.appearances import appearance
from vedit.analysis.anomalies.drops import drop
from vedit.analysis.anomalies.flashes import flash
from vedit.analysis.anomalies.foresight import Foresight
from vedit.analysis.anomalies.freezes import Freezes
from vedit.analysis.anomalies.interruptions import interruption
from vedit.analysis.anomalies.moment import PICTURED, Suspicion
from vedit.analysis.anomalies.ranking import explained
from vedit.analysis.anomalies.reversals import reversal
from vedit.analysis.anomalies.sounds import Heard, Listener
from vedit.analysis.anomalies.surprise import surprise
from vedit.analysis.picture import thumbnail
from vedit.steps.drops import Drops
from vedit.steps.evidence import REACH, Step, Watch
from vedit.steps.picture import Picture

UNFORESEEN = 2.5
"""dB by which places are foreseen worse than what is beside them where it begins to mean something. Of places taken at
random on 15 clips nine in ten were below 2.7, of planted faults all above 3.3."""
MOST = 6.0
"""Times that, more than which adds nothing."""
LATELY = 20
"""Suspicions among which what explains a new one is looked for."""


class Anomalies:
    """Shown the pictures of a film one after the other, small, and then its sound; remembers what is suspicious.

    ``REACH`` pictures are held on either side of the one that is judged, however long the film.
    """

    def __init__(self) -> None:
        self._watch, self._freezes, self._drops = Watch(), Freezes(), Drops()
        self._foresight = Foresight()
        self.window: deque[Step] = deque()
        self._centre = 0
        self._found: list[Suspicion] = []
        self._listener: Listener | None = None

    def take(self, index: int, picture: Picture, flow: Tensor | None, *, cut: bool) -> None:
        """The next picture, as `Watch.step` takes it."""
        step = self._watch.step(index, picture, flow, cut=cut)
        self.window.append(step)
        if (frozen := self._freezes.take(step)) is not None:
            self._add(frozen)
        if len(self.window) - 1 - self._centre == REACH:
            self._judge()
            if self._centre > REACH:
                self.window.popleft()
                self._centre -= 1

    def _judge(self) -> None:
        window, at = list(self.window), self._centre
        seen = surprise(window, at)
        lost = drop(self._drops, window, at)
        new = appearance(window, at, seen, lost)
        # What the first of them find explains what the later ones find.
        for found in (
            reversal(window, at),
            flash(window, at),
            interruption(window, at, seen),
            lost if new is None else new,
        ):
            if found is not None:
                self._add(found)
        self._centre += 1

    def _add(self, one: Suspicion) -> None:
        """Remember a suspicion, if nothing explains it and, where that is asked for, it is hard to foresee."""
        if explained(one, self._found[-LATELY:]):
            return
        first = self.window[0].index
        surprise = self._foresight.shortfall(list(self.window), one.start - first, one.stop - first)
        if (UNFORESEEN if surprise is None else surprise) < one.unforeseen:
            return
        if surprise is not None:
            one = replace(one, odds=(one.odds * min(MOST, max(1.0, surprise / UNFORESEEN))) ** 0.5)
        held = {step.index: step.picture for step in self.window}
        picture = held.get(one.start, held.get(one.stop - 1))
        self._found.append(one if picture is None else replace(one, thumbnail=thumbnail(picture)))
        pictured = [k for k, other in enumerate(self._found) if other.thumbnail is not None]
        if len(pictured) > 2 * PICTURED:  # some are explained by others yet
            least = min(pictured, key=lambda k: self._found[k].odds)
            self._found[least] = replace(self._found[least], thumbnail=None)

    def suspicions(self) -> list[Suspicion]:
        """All of them, when the film is over."""
        while self._centre < len(self.window):
            self._judge()
        return self._found

    def hear(self, rate: int, block: NDArray[np.float32]) -> None:
        """The next samples ``(N, channels)`` of the sound, so many of them a second."""
        if self._listener is None:
            self._listener = Listener(rate)
        self._listener.take(block)

    def heard(self) -> list[Heard]:
        """What is wrong with the sound, when it is over."""
        if self._listener is None:
            return []
        self._listener.finish()
        return self._listener.heard
