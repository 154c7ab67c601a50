"""Frames shown twice and frames that are missing: found by what changes from frame to frame, and by their times."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import median

from vedit.edits.neighbours import windows
from vedit.edits.repair.jumps import with_jumps
from vedit.edits.repair.steps import Judged, Seen
from vedit.frame import Frame, Shot

REACH = 10
"""Frames on either side by which a rhythm is known."""
QUIET = 0.25
"""Change of a step, in parts of its neighbours', below which it shows the same again. On 34 clips no other step fell
below 0.3."""
EXACT = 0.04
"""The same of steps that show nothing new at all."""
VISIBLE = 0.5
"""Levels by which the neighbours must change: standing still is not noticed."""
SPOT = 2.0
"""The same for a small thing that moves before a still ground."""
OFTEN = 0.2
"""Part of the steps around that may be repeats; more is how the film was made."""
LONGEST = 3
"""Repeats in a row; a picture that stays for longer is meant to."""
HOLE = 0.2
"""Part of a frame's time by which a hole in the times may miss a whole number of frames."""
MOST = 8
"""Frames that are missing at most; a longer hole is a pause."""


def judged(frames: Iterable[Seen], shot: Shot, *, jumps: bool) -> Iterator[Judged]:
    """Each frame of a shot with what is wrong with its time. About 25 frames ahead are held, unconverted.

    Without ``jumps`` losses that show in the motion alone are not looked for.
    """
    known = _with_repeats(frames, shot)
    yield from with_jumps(known) if jumps else known


def _with_repeats(frames: Iterable[Seen], shot: Shot) -> Iterator[Judged]:
    for window, at in windows(frames, REACH):
        yield Judged(window[at], _repeats(window, at, shot), _hole([w.frame for w in window], at))


def _share(window: Sequence[Seen], at: int) -> float:
    """The change of a step in parts of the larger ones on both sides of it; 1 where that says nothing."""
    if not window[at].changes:
        return 1.0
    sides = [
        [s for s in side if s.changes] for side in (window[max(0, at - 4) : at], window[at + 1 : at + 5])
    ]
    if not all(sides):
        return 1.0
    change = min(sorted(s.change for s in side)[-2:][0] for side in sides)
    if change >= VISIBLE:
        return window[at].change / change
    spot = min(sorted(s.spot for s in side)[-2:][0] for side in sides)
    return window[at].spot / spot if spot >= SPOT else 1.0


def _repeats(window: Sequence[Seen], at: int, shot: Shot) -> bool:
    share = _share(window, at)
    if share >= QUIET:
        return False
    # Encoders leave out some of what hardly moves: steps that are less quiet than this one say nothing of it.
    places = [k for k in range(len(window)) if _share(window, k) < min(QUIET, max(EXACT, 2 * share))]
    first = last = at
    while first - 1 in places:
        first -= 1
    while last + 1 in places:
        last += 1
    apart = [b - a for a, b in pairwise(places)]
    even = len(places) >= 3 and max(apart) - min(apart) <= 1
    known = len(window) if len(window) > 2 * REACH else len(window) - 2  # nothing is told of a shot's ends
    rhythm = even and len(places) >= known // max(apart)
    if rhythm or len(places) > max(1.0, OFTEN * len(window)):
        if not shot.trial:
            shot.notes.warn(
                "frames repeat in a rhythm, or often, as in animation; those were left alone: "
                "`vedit interpolate --factor 1 --dedupe` replaces them"
            )
        return False
    return last - first < LONGEST


def _hole(frames: Sequence[Frame], at: int) -> int:
    """How many frames are missing before one, by their times: a hole of whole frames in an even film."""
    steps = [b.pts - a.pts for a, b in pairwise(frames)]
    if at == 0 or len(steps) < 3:
        return 0
    usual = Fraction(median(steps))
    even = sum(abs(step - usual) <= max(1, HOLE * usual) for step in steps)
    times = steps[at - 1] / usual
    missing = round(times) - 1
    whole = abs(times - round(times)) <= max(Fraction(HOLE), 2 / usual)
    return missing if 1 <= missing <= MOST and whole and even >= (1 - OFTEN) * len(steps) - 1 else 0
