"""Faults planted into the sound of films."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from vedit.analysis.sound import has_sound
from vedit.bench.faults import Dice, Fault
from vedit.fx.sound import FilmSound
from vedit.video.source import Source

Samples = NDArray[np.float32]

SECONDS = 30
"""Of the sound that are planted at most."""
LEVEL = 1e-6
"""Mean square of the sound beside a drop-out: -60 dB of full scale; in less it could not be heard."""
FAULTS = {
    "drop-out": "30 to 300 ms of silence where there is sound on either side",
    "click": "1 to 3 samples by 0.2 to 0.8 of full scale off",
}


def sound_of(source: Source) -> tuple[int, Samples] | None:
    """The rate and samples ``(N, channels)`` of a film's main sound; None where it has none."""
    if not has_sound(source):
        return None
    sound = FilmSound(source)
    blocks, held = [], 0
    for block in sound.blocks(0):
        blocks.append(block)
        held += len(block)
        if held > SECONDS * sound.rate:
            break
    sound.close()
    return (sound.rate, np.concatenate(blocks)[: SECONDS * sound.rate]) if blocks else None


def spoiled_sound(rate: int, samples: Samples, fps: Fraction, dice: Dice) -> tuple[Samples, list[Fault]]:
    """A sound with drop-outs and clicks in turn, and the pictures that are shown meanwhile."""
    made = samples.copy()
    faults: list[Fault] = []
    at = int(dice.real(0.3, 0.8) * rate)
    while at < len(made) - rate:
        length = int(dice.real(0.03, 0.3) * rate)
        beside = made[at - rate // 20 : at], made[at + length : at + length + rate // 20]
        if len(faults) % 2 == 0 and min(float(np.square(side).mean()) for side in beside) > LEVEL:
            made[at : at + length] = 0
            kind = "drop-out"
        else:
            length = dice.whole(1, 3)
            by = dice.real(0.2, 0.8) * (1 if dice.whole(0, 1) else -1)
            part = made[at : at + length]
            made[at : at + length] = np.where(np.abs(part + by) <= 1, part + by, part - by)
            kind = "click"
        first = int(Fraction(at, rate) * fps)
        last = int(Fraction(at + length, rate) * fps)
        faults.append(Fault("drop-out" if kind == "drop-out" else "click", first, last + 1))
        at += length + int(dice.real(0.6, 1.2) * rate)
    return made, faults
