"""Clicks of the sound: a few samples that nothing before them leads to and nothing after them follows from.

What is on both sides of such samples is taken for one autoregressive process, and the samples between are interpolated
by it with the least error (Godsill and Rayner, "Digital Audio Restoration", Springer 1998, chapter 5). A click is off
by many times what the model then leaves unexplained next to it. A beat, a footstep or a drop of water begins as
suddenly but goes on, and as much of that is not explained.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Samples = NDArray[np.float32]

LEAST = 0.1
"""What a click is off by at least, of full scale."""
CLICK = 18.0
"""The same, in parts of what is left unexplained next to it."""
QUIET = 0.001
"""What is left unexplained counts as so much at least."""
REACH = 3
"""Samples on either side of its middle that a click has at most."""
NEXT = 240
"""Samples on either side of it that are next to it."""
ORDER = 24
"""Samples that the model foresees one by."""
WITHIN = 48
"""Samples of which one may be a click's middle."""
BENDS = 6.0
"""How many times as much as the samples next to it (the median) the middle bends: less is not looked at closely."""


def clicks(samples: Samples) -> list[tuple[int, float]]:
    """The middles of the clicks in samples ``(N,)`` of full scale 1, and by how many times the evidence suffices."""
    bends = np.abs(np.diff(samples, 2))
    found = []
    for start in range(0, len(bends) - WITHIN, WITHIN):
        top = start + int(bends[start : start + WITHIN].argmax())
        middle = top + 1
        low, high = middle - REACH - NEXT - ORDER, middle + REACH + 1 + NEXT + ORDER
        if bends[top] < LEAST or low < 0 or high > len(samples):
            continue
        beside = max(
            np.median(side) for side in (bends[top - NEXT : top - REACH], bends[top + REACH + 1 : top + NEXT])
        )
        if bends[top] < max(BENDS * beside, *bends[max(0, top - WITHIN // 2) : top + WITHIN // 2]):
            continue
        off, left = _interpolated(samples[low:high].astype(np.float64))
        times = off / max(left, QUIET)
        if off >= LEAST and times > CLICK:
            found.append((middle, times / CLICK))
    return found


def _interpolated(window: NDArray[np.float64]) -> tuple[float, float]:
    """By how much the samples in the middle of a window are off, and the most that is unexplained once they are not."""
    window = window - window.mean()
    gap = slice(len(window) // 2 - REACH, len(window) // 2 + REACH + 1)
    runs = sliding_window_view(window, ORDER + 1)
    sound = np.ones(len(runs), bool)
    sound[gap.start - ORDER : gap.stop] = False
    pasts, nexts = runs[sound, :ORDER], runs[sound, ORDER]
    power = pasts.T @ pasts
    power[np.diag_indices(ORDER)] += 1e-6 * power.trace() / ORDER + 1e-9
    errors = np.append(-np.linalg.solve(power, pasts.T @ nexts), 1.0)
    effect = sliding_window_view(np.eye(len(window))[gap], ORDER + 1, axis=1) @ errors
    off = np.linalg.lstsq(effect.T, runs @ errors, rcond=None)[0]
    return float(np.abs(off).max()), float(np.abs(runs @ errors - off @ effect).max())
