"""Make a film from a storyboard: a camera over every picture, each bent into the next, with a sound track.

    python samples/generate.py [STORYBOARD [SOUND]]

STORYBOARD is a TOML file, or a text file with a picture per line; without it the one in samples/storyboard is taken,
ten seconds of four pictures. SOUND is a sound file, or a film with sound; without it the sample gets a tune of its own.
Writes the storyboard's name with ".mp4" into the current folder, replacing what an earlier run left there.
"""

import sys
import wave
from pathlib import Path

import numpy as np

import vedit

SAMPLES = Path(__file__).parent
BOARD = SAMPLES / "storyboard" / "looks.toml"
RATE, BEAT = 44100, 0.3125
CHORDS = ((0, 7, 12, 16), (-3, 4, 12, 16), (5, 9, 12, 17), (-5, 7, 11, 14))
"""In semitones over middle C; one for each picture."""


def tune(path: Path) -> Path:
    """Ten seconds of plucked chords, which end after the film does."""
    time = np.arange(11 * RATE) / RATE
    sound = np.zeros(len(time))
    for number in range(36):
        note = CHORDS[number // 8 % 4][number % 4 if number % 8 < 4 else 3 - number % 4]
        since = time - number * BEAT
        tone = sum(np.sin(2 * np.pi * 261.63 * 2 ** (note / 12) * k * since) / k**2 for k in (1, 2, 3))
        sound += 0.2 * tone * np.exp(-np.maximum(since, 0) / 0.6) * np.clip(since / 0.008, 0, 1)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((sound.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def main(storyboard: Path = BOARD, sound: Path | None = None) -> None:
    if storyboard == BOARD and sound is None:
        sound = tune(Path("looks.wav"))
    result = Path(f"{storyboard.stem}.mp4")
    report = vedit.generate(storyboard, result, sound=sound, overwrite=True)
    print(f"{result}: {report.proof}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
