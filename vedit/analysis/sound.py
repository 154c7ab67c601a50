"""How loud a film is over time."""

from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import log10

import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from vedit.frame import Notes
from vedit.fx.sound import FilmSound
from vedit.video.source import Source

WINDOW = Fraction(1, 10)
"""Seconds that a level is of."""
SILENT = -100.0
"""dB that stand for silence, and for all that is still quieter."""


@dataclass(frozen=True, eq=False)
class Levels:
    """The level of the main sound track in each window of ``window`` seconds from the first picture on.

    RMS over all channels in dB of full scale: a sine as loud as it can be has -3.01, silence -100.
    """

    window: Fraction
    rate: int
    """Samples a second."""
    values: "array[float]"

    def between(self, begins: Fraction, ends: Fraction) -> float:
        """The level of a stretch of the film, in seconds, to whole windows."""
        first, last = int(begins / self.window), -(-ends // self.window)
        held = self.values[first : max(first + 1, int(last))]
        if not held:
            return SILENT
        return decibels(sum(10 ** (level / 10) for level in held if level > SILENT) / len(held))


def decibels(power: float) -> float:
    """A mean square as dB of full scale."""
    return max(SILENT, 10 * log10(power)) if power > 0 else SILENT


def has_sound(source: Source) -> bool:
    return any(stream.kind == "audio" for stream in source.streams)


def levels(
    source: Source, notes: Notes, listen: Callable[[int, NDArray[np.float32]], None] | None = None
) -> Levels | None:
    """The levels of a film's main sound, decoded in one pass; None where there is none that can be decoded.

    What lies outside the picture's time is not looked at. ``listen`` is given the rate and each block of samples
    ``(N, channels)`` as they are decoded, from the first picture on.
    """
    if not has_sound(source):
        return None
    try:
        sound = FilmSound(source)
    except (FFmpegError, IndexError, ValueError, ZeroDivisionError):
        notes.warn("the sound cannot be decoded: its level is not measured")
        return None
    count = -(-source.duration // WINDOW)
    ends = [round((k + 1) * WINDOW * sound.rate) for k in range(count)]
    power, heard = array("d", [0.0]) * count, array("q", [0]) * count
    at = k = 0
    for block in _until_damaged(sound, notes):
        if listen is not None:
            listen(sound.rate, block)
        start = 0
        while k < count and start < len(block):
            take = min(len(block) - start, ends[k] - at)
            power[k] += float(np.square(block[start : start + take], dtype=np.float64).sum())
            heard[k] += take
            start, at = start + take, at + take
            if at == ends[k]:
                k += 1
        if k == count:
            break
    sound.close()
    if not any(heard):
        notes.warn("the sound cannot be decoded: its level is not measured")
        return None
    lengths = [after - before for before, after in zip([0, *ends], ends, strict=False)]
    values = array("f", (decibels(p / (n * sound.channels)) for p, n in zip(power, lengths, strict=True)))
    return Levels(WINDOW, sound.rate, values)


def _until_damaged(sound: FilmSound, notes: Notes) -> Iterator[NDArray[np.float32]]:
    try:
        yield from sound.blocks(0)
    except FFmpegError:
        notes.warn("the sound breaks off: the rest of it counts as silence")
