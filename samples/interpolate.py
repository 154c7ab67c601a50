"""Give a film 60 frames per second: new frames between its own, at its own speed.

    python samples/interpolate.py [FILM]

Writes FILM's name with "-60fps" into the current folder, replacing what an earlier run left there.
"""

import sys
from pathlib import Path

import vedit

SAMPLES = Path(__file__).parent


def main(film: Path = SAMPLES / "sample.mp4") -> None:
    result = Path(f"{film.stem}-60fps.mp4")
    report = vedit.interpolate(film, result, fps=60, overwrite=True)
    print(f"{result}: {report.proof}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
