"""Which pieces of a film make a reel of a length: interesting ones, of many shots, in the film's order."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vedit.analysis.found import Analysis
from vedit.analysis.interest import Values, interest, usable

PIECES = 6
"""That a reel should have at least, if they need not be too short."""
BRIEF, LONG = Fraction(1), Fraction(3)
"""Seconds that a piece should last: long enough to see what happens, short enough for several."""
SHORTEST = Fraction(1, 2)
"""Seconds under which a shot is too short to make a piece."""
ALIKE = 0.35
"""How much of its worth a piece loses when it looks just as one that was chosen does."""
SAME_SHOT = 0.25
"""How much it loses for each piece of its own shot that was chosen."""
APART = 0.25
"""Mean difference of signatures from which two shots look quite different."""
UNUSABLE = 1.0
"""How much worth a piece loses that has nothing but pictures which may not be shown."""


@dataclass(frozen=True)
class Choice:
    """Pictures ``start`` to ``stop - 1``, and how much they are worth showing, in [0, 1]."""

    start: int
    stop: int
    interest: float


def budget(found: Analysis, seconds: Fraction) -> tuple[NDArray[np.int64], int]:
    """How much of a reel each picture takes, and how much there is, in pictures or, where the rate varies, ticks."""
    if found.timing.rate is not None:
        return np.ones(found.frames, np.int64), max(1, round(seconds * found.timing.rate))
    ends = np.array([*found.pts[1:], found.timing.end], np.int64)
    return ends - np.array(found.pts, np.int64), max(1, round(seconds / found.timing.time_base))


def choose(found: Analysis, seconds: Fraction) -> list[Choice]:
    """The pieces of a reel, in the film's order, which together last as nearly so long as whole pictures allow.

    Pieces are chosen one by one, the best first, each worth less the more it looks like those before it; where they do
    not suffice they grow. Pieces that would follow each other without a gap become one. The film is returned whole when
    it is no longer than that.
    """
    lengths, whole = budget(found, seconds)
    worth, good = interest(found), usable(found)
    taken = np.zeros(found.frames, np.bool_)
    if int(lengths.sum()) <= whole:
        taken[:] = True
    else:
        _take_best(found, lengths, whole, worth, good, taken)
        _grow(found, lengths, whole, good, taken)
        if not taken.any():  # every picture is shown for much longer than that
            taken[np.where(good | ~good.any(), lengths, lengths.sum()).argmin()] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], taken, [0]])))
    pieces = []
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        pieces.append(Choice(int(start), int(stop), round(float(worth[start:stop].mean()), 4)))
    return pieces


def _take_best(
    found: Analysis,
    lengths: NDArray[np.int64],
    whole: int,
    worth: Values,
    good: NDArray[np.bool_],
    taken: NDArray[np.bool_],
) -> None:
    """Mark the pieces of about the usual length, best first, as long as another one fits."""
    clock = np.concatenate([[0], np.cumsum(lengths)])
    unit = found.duration / int(clock[-1])  # seconds of one part of the budget, on the average
    lasts = min(max(whole * unit / PIECES, BRIEF), LONG)
    count = max(1, round(whole * unit / lasts))
    usual, least = -(-whole // count), max(1, int(SHORTEST / unit))
    value = np.concatenate([[0.0], np.cumsum((worth - UNUSABLE * ~good) * lengths)])
    candidates = [
        (number, start, stop)
        for number, shot in enumerate(found.shots)
        for start, stop in _windows(clock, shot.start, shot.stop, usual, least)
    ]
    rated = [(value[stop] - value[start]) / (clock[stop] - clock[start]) for _, start, stop in candidates]
    likeness = np.zeros(len(found.shots))
    of_shot = np.zeros(len(found.shots), np.int64)
    marks = np.stack([shot.signature for shot in found.shots])
    left = whole
    while left >= min(least, whole) and candidates:
        merits = [
            rate - ALIKE * likeness[number] - SAME_SHOT * of_shot[number]
            for rate, (number, _, _) in zip(rated, candidates, strict=True)
        ]
        best = int(np.argmax(merits))
        number, start, stop = candidates[best]
        if rated[best] <= -UNUSABLE / 2:
            break
        while clock[stop] - clock[start] > left and stop > start + 1:  # the less worthy end goes
            if worth[start] < worth[stop - 1]:
                start += 1
            else:
                stop -= 1
        if clock[stop] - clock[start] > left:
            break
        taken[start:stop] = True
        left -= int(clock[stop] - clock[start])
        apart = np.abs(marks - marks[number]).mean(axis=(1, 2, 3))
        likeness = np.maximum(likeness, np.clip(1 - apart / APART, 0, 1))
        of_shot[number] += 1
        free = [i for i, (_, a, b) in enumerate(candidates) if b <= start or a >= stop]
        candidates, rated = [candidates[i] for i in free], [rated[i] for i in free]


def _windows(
    clock: NDArray[np.int64], start: int, stop: int, usual: int, least: int
) -> Sequence[tuple[int, int]]:
    """Runs of pictures of a shot, each of the usual length, a quarter of it apart; a short shot as a whole."""
    if clock[stop] - clock[start] < min(least, usual):
        return []
    if clock[stop] - clock[start] <= usual:
        return [(start, stop)]
    made = []
    for at in range(int(clock[start]), int(clock[stop]) - usual + 1, max(1, usual // 4)):
        first = int(np.searchsorted(clock, at))
        last = int(np.searchsorted(clock, clock[first] + usual, side="right")) - 1
        if first < last <= stop:
            made.append((first, last))
    return made


def _grow(
    found: Analysis,
    lengths: NDArray[np.int64],
    whole: int,
    good: NDArray[np.bool_],
    taken: NDArray[np.bool_],
) -> None:
    """Mark more pictures until as many are as fit best: beside pieces in their shots, usable ones first, then any."""
    left = whole - int(lengths[taken].sum())
    shot_of = np.zeros(found.frames, np.int64)
    for number, shot in enumerate(found.shots):
        shot_of[shot.start : shot.stop] = number
    inside = shot_of[1:] == shot_of[:-1]
    for rule in ("usable", "shot", "any"):
        while left > 0:
            after, before = np.zeros_like(taken), np.zeros_like(taken)
            joined = inside if rule != "any" else np.ones_like(inside)
            after[1:] = taken[:-1] & joined
            before[:-1] = taken[1:] & joined
            edge = (after | before) & ~taken
            if rule == "usable":
                edge &= good
            if rule == "any" and not taken.any():
                edge[:] = True
            places = np.flatnonzero(edge)
            if not len(places):
                break
            for place in places:
                # The last one is taken only if that is nearer to what was asked for.
                if 2 * left < lengths[place]:
                    return
                taken[place] = True
                left -= int(lengths[place])
                if left <= 0:
                    return
