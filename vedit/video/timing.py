"""Exact time: stamps to rates and back, in integers and fractions only."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import pairwise
from math import ceil, gcd


def common_time_base(a: Fraction, b: Fraction) -> Fraction:
    """The coarsest tick that both ticks are whole multiples of."""
    return Fraction(
        gcd(a.numerator * b.denominator, b.numerator * a.denominator), a.denominator * b.denominator
    )


def exact_rate(pts: Sequence[int], time_base: Fraction, hint: Fraction | None = None) -> Fraction | None:
    """Frames per second of evenly spaced stamps, or None when they vary.

    Stamps that were rounded to a coarse clock (1 ms in Matroska) count as even when one rate explains every one of
    them to within a tick; the container's ``hint`` is tried first, then whole rates, then the 1000/1001 family, then
    the simplest fraction that fits.
    """
    if len(pts) < 2:
        return None
    steps = {b - a for a, b in pairwise(pts)}
    if len(steps) == 1:
        return 1 / (steps.pop() * time_base)
    if max(steps) - min(steps) > 2:
        return None
    span, count = (pts[-1] - pts[0]) * time_base, len(pts) - 1
    low, high = count / (span + time_base), count / (span - time_base)
    nearest = round((low + high) / 2)
    candidates = [
        hint or Fraction(0),
        Fraction(nearest),
        Fraction(nearest * 1000, 1001),
        simplest_between(low, high),
    ]
    return next((r for r in candidates if low <= r <= high and explains(r, pts, time_base)), None)


def explains(rate: Fraction, pts: Sequence[int], time_base: Fraction) -> bool:
    """Whether ``rate`` puts every stamp within one tick of where it is."""
    # Error of stamp i in units of tick / rate.numerator: pts_i - i / (rate * time_base), kept whole.
    period = 1 / (rate * time_base)
    errors = [p * period.denominator - i * period.numerator for i, p in enumerate(pts)]
    return max(errors) - min(errors) <= period.denominator


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in [low, high] (Stern-Brocot descent); 0 < low <= high."""
    whole = low.numerator // low.denominator
    if low == whole:
        return Fraction(whole)
    if whole + 1 <= high:
        return Fraction(whole + 1)
    return whole + 1 / simplest_between(1 / (high - whole), 1 / (low - whole))


def presentation_times(
    stamps: Iterable[tuple[int | None, int | None]], step: int
) -> tuple[tuple[int, ...], str | None]:
    """When pictures are shown, from the (pts, dts) of their packets in file order.

    Returns strictly rising ticks, one per packet, and what had to be repaired (None: nothing). Missing stamps are
    filled in ``step`` ticks apart; repeated ones are moved on by a tick.
    """
    pairs = without_strays(list(stamps), step)
    shown = [p for p, _ in pairs if p is not None]
    if len(shown) == len(pairs) and len(set(shown)) == len(shown):
        return tuple(sorted(shown)), None
    if not shown and all(d is not None for _, d in pairs):
        return rising(sorted(d for _, d in pairs if d is not None)), "pictures have no presentation times"
    if not shown:
        return tuple(range(0, step * len(pairs), step)), "the film has no time stamps"
    if len(set(shown)) == 1:  # as encoders write it whose pictures were not given any
        return tuple(shown[0] + k * step for k in range(len(pairs))), "all time stamps are the same"
    leading = next(i for i, (p, _) in enumerate(pairs) if p is not None)
    times = [min(shown) - (k + 1) * step for k in range(leading)]
    last = min(times, default=shown[0]) - step
    for p, _ in pairs[leading:]:
        last = p if p is not None else last + step
        times.append(last)
    repair = "some time stamps are missing" if len(shown) < len(pairs) else "some time stamps are repeated"
    return rising(sorted(times)), repair


def without_strays(
    stamps: list[tuple[int | None, int | None]], step: int
) -> list[tuple[int | None, int | None]]:
    """The same stamps less those that one damaged packet set far from both its neighbours, which agree."""
    far = 100 * step
    for i in range(1, len(stamps)):
        (before, _), (here, _) = stamps[i - 1], stamps[i]
        after = stamps[i + 1][0] if i + 1 < len(stamps) else None
        if before is None or here is None or after is None or abs(after - before) > far:
            continue
        if min(abs(here - before), abs(here - after)) > far:
            stamps[i] = (None, stamps[i][1])
    return stamps


def rising(times: Iterable[int]) -> tuple[int, ...]:
    """Sorted ticks, each at least one after the one before."""
    out: list[int] = []
    for t in times:
        out.append(max(t, out[-1] + 1) if out else t)
    return tuple(out)


def continued(pts: tuple[int, ...], step: int, end: int | None) -> tuple[tuple[int, ...], int]:
    """Times continued at the mean of their steps up to ``end``, and that end; where it is not known, as they are."""
    if end is None or end <= pts[-1]:
        return pts, pts[-1] + step
    mean = Fraction(pts[-1] - pts[0], len(pts) - 1) if len(pts) > 1 else Fraction(step)
    more = ceil((end - pts[-1]) / mean) - 1
    return pts + tuple(pts[-1] + round(k * mean) for k in range(1, more + 1)), end
