"""Frames that only show the one before again, in a rhythm: drawings held for two frames, 24 pictures shown as 30."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from torch import Tensor

SEEN = 13
"""Frames in which a rhythm is looked for: two whole periods of the longest, and one more."""
LONGEST = 6
"""Frames of a period."""
STILL = 0.25
"""Of the median step; a smaller one shows the same picture again."""


def rhythm(frames: Sequence[Tensor]) -> list[bool]:
    """Which of the last frames ``(C, H, W)`` showed something new: of the last period, the next frame's place first.

    ``[False, True]`` says that the next frame repeats the last one and the one after it does not. Where there is no
    rhythm, or too few frames to tell one, ``[True]``.
    """
    steps = [float((b - a).abs().mean()) for a, b in pairwise(frames)]
    moving = [step for step in steps if step > 0]
    if not moving:
        return [True]
    # Of the larger half: in a film on twos every other step is still.
    usual = median(sorted(moving)[len(moving) // 2 :])
    new = [step >= STILL * usual for step in steps]
    if all(new):
        return [True]
    for period in range(2, LONGEST + 1):
        known = new[len(new) % period :] if len(new) >= 2 * period else []
        last = known[len(known) - period :]
        if any(last) and not all(last) and known == last * (len(known) // period):
            return last
    return [True]


def without_repeats(frames: Sequence[Tensor], new: Sequence[bool]) -> list[Tensor]:
    """The frames that show something new, given `rhythm`; the first one counts as new."""
    kept = [frames[0]]
    for back, frame in zip(range(len(frames) - 2, -1, -1), frames[1:], strict=True):
        if new[-1 - back % len(new)]:
            kept.append(frame)
        else:
            kept[-1] = frame
    return kept
