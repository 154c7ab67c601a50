"""Sound played slower or faster at its own pitch, by a speed that may change at any time."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]  # (channels, samples)

WINDOW = 1 / 24
"""Seconds of sound in a grain; FFmpeg's atempo takes as much. The longer, the lower the voice that stays whole."""
COARSE = 4
"""Samples averaged to one where grains are matched at first."""
STANDS = (0.01, 0.03)
"""Speeds between which sound fades out, down to where the picture stands still: its grains would only hum."""


class Tempo:
    """Overlap-add of grains that fit each other.

    The new sound is laid of overlapping grains of the old one. Each is taken from where the clock says, give or take a
    quarter of a grain, such that it continues the grain before it best: WSOLA (Verhelst and Roelands, "An overlap-add
    technique based on waveform similarity for high quality time-scale modification of speech", ICASSP 1993). So no
    error adds up, and a length is exact.

    Args:
        rate: samples a second.
        place: which sample of the old sound (a fraction) belongs to a sample of the new one; it never falls.
    """

    def __init__(self, rate: int, place: Callable[[int], float]) -> None:
        self._hop = max(8 * COARSE, round(rate * WINDOW / 2 / COARSE) * COARSE)
        self._reach = self._hop // 2
        self._place = place
        self._window = np.hanning(2 * self._hop + 1)[:-1].astype(np.float32)
        self._grain = -1  # the first one begins before the sound, so that its start is not faded in
        self._taken: int | None = None
        """Where the last grain begins in the old sound."""
        self._kept = 0
        """The sample of the old sound at which ``_old`` begins."""
        self._old: Samples | None = None
        self._new: Samples | None = None
        self._given = 0

    def stretched(self, samples: Samples) -> Iterator[Samples]:
        """The new sound that became ready with more of the old."""
        if self._old is None:
            # Silence before the start, which the first grain and the search reach into.
            self._kept = -(2 * self._hop + self._reach)
            self._old = np.zeros((len(samples), -self._kept), np.float32)
            self._new = np.zeros((len(samples), 2 * self._hop), np.float32)
        self._old = np.concatenate([self._old, samples], 1)
        while self._needed() <= self._kept + self._old.shape[1]:
            yield from self._step()

    def rest(self, length: int) -> Iterator[Samples]:
        """What is left of the new sound, so that it has ``length`` samples in all."""
        while self._old is not None and self._given < length:
            missing = self._needed() - self._kept - self._old.shape[1]
            if missing > 0:
                self._old = np.pad(self._old, ((0, 0), (0, missing)))
            for ready in self._step():
                yield ready[:, : length - (self._given - ready.shape[1])]

    def _needed(self) -> int:
        """The sample up to which the old sound has to be known for the next grain."""
        end = self._wanted() + self._reach + 2 * self._hop
        return end if self._taken is None else max(end, self._taken + 2 * self._hop)

    def _wanted(self) -> int:
        """Where the next grain should begin in the old sound: its middle belongs to the middle of the new one's."""
        return round(self._place((self._grain + 1) * self._hop)) - self._hop

    def _step(self) -> Iterator[Samples]:
        """Lay one more grain; what no later one will touch is ready."""
        assert self._old is not None  # noqa: S101 - both are made with the first samples
        assert self._new is not None  # noqa: S101
        wanted, hop = self._wanted(), self._hop
        start = wanted if self._taken is None else wanted + self._best(wanted, self._taken + hop)
        middle = (self._grain + 1) * hop
        speed = (self._place(middle + hop) - self._place(middle)) / hop
        loud = min(1.0, max(0.0, (speed - STANDS[0]) / (STANDS[1] - STANDS[0])))
        self._new += loud * self._window * self._part(start, 2 * hop)
        ready, self._new = self._new[:, :hop], np.pad(self._new[:, hop:], ((0, 0), (0, hop)))
        first, self._taken, self._grain = self._grain < 0, start, self._grain + 1
        drop = min(self._wanted() - self._reach, self._taken + hop) - self._kept
        if drop > 0:
            self._old, self._kept = self._old[:, drop:], self._kept + drop
        if not first:
            self._given += hop
            yield ready

    def _best(self, wanted: int, natural: int) -> int:
        """How far from the wanted place a grain continues best what would come by itself: by their correlation."""
        reach, hop = self._reach // COARSE * COARSE, self._hop
        there = self._part(wanted - reach, hop + 2 * reach).mean(0)
        goal = self._part(natural, hop).mean(0)
        rough = _alike(_averaged(there), _averaged(goal))
        near = int(rough.argmax()) * COARSE
        low, high = max(0, near - COARSE), min(2 * reach, near + COARSE)
        fine = _alike(there[low : high + hop], goal)
        return low + int(fine.argmax()) - reach

    def _part(self, start: int, length: int) -> Samples:
        assert self._old is not None  # noqa: S101
        return self._old[:, start - self._kept : start - self._kept + length]


def _averaged(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    whole = len(sound) // COARSE * COARSE
    return np.asarray(sound[:whole].reshape(-1, COARSE).mean(1))


def _alike(sound: NDArray[np.float32], goal: NDArray[np.float32]) -> NDArray[np.float32]:
    """The normalised correlation of a piece with every place of a sound; a little less away from the middle."""
    dot = np.correlate(sound, goal, "valid")
    power = np.convolve(sound * sound, np.ones(len(goal), np.float32), "valid")
    away = np.abs(np.arange(len(dot)) - len(dot) // 2) / max(1, len(dot))
    return np.asarray(dot / np.sqrt(power + 1e-6) - 1e-4 * away, np.float32)
