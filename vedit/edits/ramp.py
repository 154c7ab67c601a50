"""Speed ramps: which moment of a film is shown when, a smooth curve through what was asked for, in exact fractions."""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from math import lcm
from typing import NamedTuple

from vedit.errors import UsageError

Key = Fraction | float | str
EXACT = 40
"""Halvings of a stretch of time when its curve is read backwards: to within a billionth of it."""
REMEDY = 'Give seconds of the new film and of the old one, such as "0=0,2=1,4=4"; both must rise.'


def ramp_keys(given: str | Mapping[Key, Key]) -> dict[Fraction, Fraction]:
    """The key moments of a ramp, from ``"0=0,2=1,4=4"`` or ``{0: 0, 2: 1, 4: 4}``; the start is added where it misses.

    Raises:
        UsageError: one is no number, or they do not rise from 0.
    """
    if isinstance(given, str):
        pairs = [part.partition("=")[::2] for part in given.split(",")]
    else:
        pairs = [(str(x), str(t)) for x, t in given.items()]
    keys: dict[Fraction, Fraction] = {}
    for x, t in pairs:
        try:
            seconds, moment = Fraction(x.strip()), Fraction(t.strip())
        except (ValueError, ZeroDivisionError) as error:
            raise UsageError(f"ramp has the key {x}={t}", REMEDY) from error
        if seconds in keys:
            raise UsageError(f"ramp gives two moments for {x} s", REMEDY)
        keys[seconds] = moment
    keys.setdefault(Fraction(0), Fraction(0))
    keys = dict(sorted(keys.items()))
    first, start = next(iter(keys.items()))
    if first or start:
        raise UsageError(f"ramp begins with {first}={start}", "Begin with 0=0: a film starts at its start.")
    for (before, moment), (seconds, then) in pairwise(keys.items()):
        if then < moment:
            raise UsageError(f"ramp runs backwards, from {before}={moment} to {seconds}={then}", REMEDY)
    if len(keys) < 2:
        raise UsageError("ramp has no key but the start", REMEDY)
    return keys


class _Piece(NamedTuple):
    """The curve between two keys: t = moment + u (linear + u (square + u cube)), u = (x - start) / width."""

    start: Fraction
    moment: Fraction
    width: Fraction
    linear: Fraction
    square: Fraction
    cube: Fraction


@dataclass(frozen=True)
class Curve:
    """A rising curve t(x): the moment t of a film that is shown at x, both in seconds from its start.

    Cubic between the keys, with slopes that keep it rising (Fritsch and Butland, "A method for constructing local
    monotone piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 1984): the speed changes without a jump, and
    overshoots nowhere. All in fractions.

    Args:
        keys: (x, t), both rising from (0, 0); t may stand still.
    """

    keys: tuple[tuple[Fraction, Fraction], ...]

    @property
    def length(self) -> Fraction:
        """Seconds of the new film."""
        return self.keys[-1][0]

    def source(self, seconds: Fraction) -> Fraction:
        """t(x); outside of the keys at the film's own speed."""
        (end, last) = self.keys[-1]
        if seconds <= 0:
            return seconds
        if seconds >= end:
            return last + seconds - end
        i = bisect_right(self.keys, seconds, key=lambda key: key[0]) - 1
        piece = self._pieces[i]
        u = (seconds - piece.start) / piece.width
        return piece.moment + u * (piece.linear + u * (piece.square + u * piece.cube))

    def shown(self, seconds: Fraction) -> Fraction:
        """The first x whose t(x) is ``seconds``, to a billionth of the distance of the keys around it."""
        (end, last) = self.keys[-1]
        if seconds <= 0:
            return seconds
        if seconds > last:
            return end + seconds - last
        i = bisect_left(self.keys, seconds, key=lambda key: key[1]) - 1
        piece = self._pieces[i]
        way = seconds - piece.moment
        # In whole numbers: every packet of sound asks, and fractions would be brought to their lowest terms each time.
        common = lcm(*(part.denominator for part in (piece.linear, piece.square, piece.cube, way)))
        linear, square, cube, wanted = (
            int(part * common) << halvings
            for part, halvings in (
                (piece.linear, 2 * EXACT),
                (piece.square, EXACT),
                (piece.cube, 0),
                (way, 3 * EXACT),
            )
        )
        u = bisect_left(range(2**EXACT), wanted, key=lambda u: u * (linear + u * (square + u * cube)))
        return piece.start + piece.width * Fraction(u, 2**EXACT)

    @cached_property
    def _pieces(self) -> tuple[_Piece, ...]:
        pieces = []
        for i, ((x0, t0), (x1, t1)) in enumerate(pairwise(self.keys)):
            width = x1 - x0
            d0, d1 = self._slope(i) * width, self._slope(i + 1) * width
            # Hermite's cubic in Horner's form.
            pieces.append(_Piece(x0, t0, width, d0, 3 * (t1 - t0) - 2 * d0 - d1, d0 + d1 - 2 * (t1 - t0)))
        return tuple(pieces)

    def _slope(self, i: int) -> Fraction:
        """The speed at key ``i``: that of the stretch beside it at either end, else a harmonic mean of both."""
        near = [
            ((t1 - t0) / (x1 - x0), x1 - x0)
            for (x0, t0), (x1, t1) in pairwise(self.keys[max(0, i - 1) : i + 2])
        ]
        if len(near) == 1:
            return near[0][0]
        (before, wide), (after, wider) = near
        if before == 0 or after == 0:
            return Fraction(0)
        a, b = 2 * wider + wide, wider + 2 * wide
        return (a + b) / (a / before + b / after)


def curve_over(keys: Mapping[Fraction, Fraction], seconds: Fraction) -> Curve:
    """The curve of a ramp over a film that lasts so long; after the last key it goes on at its own speed.

    Raises:
        UsageError: the ramp asks for more than there is.
    """
    *_, (x, t) = pairs = list(keys.items())
    if t > seconds:
        raise UsageError(
            f"ramp goes up to {float(t):.6g} s of a film that lasts {float(seconds):.6g} s",
            f"End with at most {float(seconds):.6g} s of it"
            + (f", exactly {seconds}." if seconds.denominator > 1 else "."),
        )
    if t < seconds:
        pairs.append((x + seconds - t, seconds))
    return Curve(tuple(pairs))
