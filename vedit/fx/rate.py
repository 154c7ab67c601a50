"""MoviePy's float rates and durations, and the exact ones behind them."""

from fractions import Fraction
from math import floor, nextafter

ROUNDED = Fraction(6, 1000)
"""How far a rate that was printed with two digits is off: 23.98, 29.97, 59.94."""


def exact_rate(fps: float) -> Fraction:
    """Frames per second of which ``fps`` is the float: whole, of the 1000/1001 family, or by its digits.

    23.98 and 29.97 are taken for 24000/1001 and 30000/1001, as MoviePy and FFmpeg print these.
    """
    digits = Fraction(str(float(fps)))
    if digits.denominator == 1:
        return digits
    whole = Fraction(round(digits))
    family = Fraction(round(digits * Fraction(1001, 1000)) * 1000, 1001)
    if family and abs(family - digits) < ROUNDED and abs(family - digits) < abs(whole - digits):
        return family
    near = Fraction(float(fps)).limit_denominator(1001)
    return near if float(near) == float(fps) else digits


def frame_count(duration: float, rate: Fraction) -> int:
    """Frames of a clip that lasts so long: the nearest number, as durations are often rounded; at least one."""
    return max(1, floor(Fraction(duration) * rate + Fraction(1, 2) - Fraction(1, 10**6)))


def counted(duration: float, fps: float) -> float:
    """A duration, or the least one above it with which MoviePy, which rounds down, counts all frames."""
    frames = floor(duration * fps + 1e-6)
    while int(duration * fps) < frames:
        duration = nextafter(duration, float("inf"))
    return duration


def film_duration(seconds: Fraction, frames: int, fps: float) -> float:
    """The duration of a film of so many frames; a last one that ends a little early counts as whole."""
    short = frames - seconds * Fraction(fps)
    return counted(float(frames / Fraction(fps)) if 0 <= short < Fraction(1, 2) else float(seconds), fps)
