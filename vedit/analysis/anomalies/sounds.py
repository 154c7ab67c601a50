"""Faults of the sound: it drops out for a moment, or clicks."""

from dataclasses import dataclass
from math import log2
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]
Power = NDArray[np.float64]

SILENT = 1e-8
"""Mean square of a millisecond that is silence: -80 dB of full scale."""
HEARD = 1e-6
"""Mean square beside a drop-out: -60 dB."""
SHORTEST, LONGEST = 15, 1000
"""Milliseconds of a drop-out; longer ones are pauses."""
BESIDE, EDGE = 50, 4
"""Milliseconds beside it that must be heard, and right at it."""
SUDDEN = 0.02
"""Power right at it in parts of that beside it: sound that ends by itself fades."""
CLICK = 15.0
"""How many times as large the bend of a click must be as that of the sound on either side of it (RMS)."""
LEAST_BEND = 0.03
"""The bend (the second difference of the samples) that a click has at least, of full scale."""
QUIET_BEND = 0.001
"""What the sound beside it counts as bending at least."""
NEAR, AROUND = 2, 14
"""Milliseconds on either side of a click between which the sound is looked at: what goes on after it is a beat."""
PART = 8000
"""Milliseconds that are looked at together."""


@dataclass(frozen=True)
class Heard:
    """Something wrong with the sound, in milliseconds from the first picture; ``odds`` as of a suspicion."""

    kind: Literal["drop-out", "click"]
    start: int
    stop: int
    odds: float


class Listener:
    """Listens to a sound as it goes by; holds some seconds of numbers, a few for each millisecond."""

    def __init__(self, rate: int) -> None:
        self._size = max(1, rate // 1000)
        self._rate = rate
        self._rest = np.zeros(0, np.float32)
        self._power, self._peak, self._bend = (np.zeros(0) for _ in range(3))
        self._first = 0
        self.heard: list[Heard] = []

    def take(self, block: Samples) -> None:
        """The next samples ``(N, channels)``."""
        samples = np.concatenate([self._rest, block.mean(axis=1)])
        whole = (len(samples) - 2) // self._size
        if whole < 1:
            self._rest = samples
            return
        used = samples[: whole * self._size + 2]
        bends = np.abs(np.diff(used, 2)).reshape(whole, self._size).astype(np.float64)
        cells = used[: whole * self._size].reshape(whole, self._size).astype(np.float64)
        self._power = np.concatenate([self._power, np.square(cells).mean(axis=1)])
        self._peak = np.concatenate([self._peak, bends.max(axis=1)])
        self._bend = np.concatenate([self._bend, np.square(bends).mean(axis=1)])
        self._rest = samples[whole * self._size :]
        if len(self._power) >= PART:
            self._judge(len(self._power) - LONGEST - BESIDE)

    def finish(self) -> None:
        """The sound is over."""
        self._judge(len(self._power))

    def _judge(self, until: int) -> None:
        """Look for what begins before a millisecond of those held; let go of what is not needed any more."""
        since = min(self._first and LONGEST + BESIDE, until)
        gaps = self._drop_outs()
        edges = [edge for gap in gaps for edge in (gap.start, gap.stop)]
        clicks = [one for one in self._clicks() if all(abs(one.start - edge) > NEAR for edge in edges)]
        for one in (*gaps, *clicks):
            if since <= one.start < until:
                begins, ends = (self._time(k) for k in (one.start, one.stop))
                self.heard.append(Heard(one.kind, begins, ends, one.odds))
        keep = max(0, until - LONGEST - BESIDE)
        self._power, self._peak, self._bend = (a[keep:] for a in (self._power, self._peak, self._bend))
        self._first += keep

    def _time(self, place: int) -> int:
        return round((self._first + place) * self._size * 1000 / self._rate)

    def _drop_outs(self) -> list[Heard]:
        silent = np.concatenate([[False], self._power < SILENT, [False]])
        starts, stops = (np.flatnonzero(np.diff(silent.astype(np.int8)) == way) for way in (1, -1))
        found = []
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True):
            if not SHORTEST <= stop - start <= LONGEST or start < BESIDE or stop + BESIDE > len(self._power):
                continue
            before, after = self._power[start - BESIDE : start], self._power[stop : stop + BESIDE]
            level = min(float(np.median(before)), float(np.median(after)))  # a click is no sound
            edges = (
                (before[-EDGE:].mean() / before.mean(), after[:EDGE].mean() / after.mean()) if level else (0,)
            )
            if level >= HEARD and min(edges) >= SUDDEN:
                found.append(Heard("drop-out", start, stop, float(1 + np.log10(level / HEARD))))
        return found

    def _clicks(self) -> list[Heard]:
        found = []
        for place in np.flatnonzero(self._peak > LEAST_BEND).tolist():
            low, high = place - AROUND, place + AROUND + 1
            if (
                low < 0
                or high > len(self._peak)
                or self._peak[place] < self._peak[place - 2 : place + 3].max()
            ):
                continue
            sides = self._bend[low : place - NEAR + 1], self._bend[place + NEAR : high]
            usual = max(QUIET_BEND, *(float(np.sqrt(side.mean())) for side in sides))
            times = float(self._peak[place]) / usual
            if times > CLICK:
                found.append(Heard("click", place, place + 1, 1 + log2(times / CLICK)))
        return found
