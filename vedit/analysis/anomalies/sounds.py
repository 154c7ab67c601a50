"""Faults of the sound: it drops out for a moment, or clicks."""

from dataclasses import dataclass
from math import log2
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vedit.analysis.anomalies.clicks import Samples, clicks

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
NEAR = 2
"""Milliseconds from the ends of a drop-out within which a click is part of it."""
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
    """Listens to a sound as it goes by; holds some seconds of it."""

    def __init__(self, rate: int) -> None:
        self._size = max(1, rate // 1000)
        self._rate = rate
        self._rest = np.zeros(0, np.float32)
        self._power: Power = np.zeros(0)
        self._samples = np.zeros(0, np.float32)
        self._first = 0
        self.heard: list[Heard] = []

    def take(self, block: Samples) -> None:
        """The next samples ``(N, channels)``."""
        samples = np.concatenate([self._rest, block.mean(axis=1)])
        whole = len(samples) // self._size
        used, self._rest = np.split(samples, [whole * self._size])
        cells = used.reshape(whole, self._size).astype(np.float64)
        self._power = np.concatenate([self._power, np.square(cells).mean(axis=1)])
        self._samples = np.concatenate([self._samples, used])
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
        self._power, self._samples = self._power[keep:], self._samples[keep * self._size :]
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
        places = [(middle // self._size, odds) for middle, odds in clicks(self._samples)]
        return [Heard("click", place, place + 1, 1 + log2(odds)) for place, odds in places]
