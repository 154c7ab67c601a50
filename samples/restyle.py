"""Give a film the look of a picture.

    python samples/restyle.py [FILM] [STYLE]

Writes FILM's name with "-restyled" into the current folder, replacing what an earlier run left there.
"""

import sys
from pathlib import Path

import vedit

SAMPLES = Path(__file__).parent


def main(film: Path = SAMPLES / "sample.mp4", style: Path = SAMPLES / "styles" / "halftone.png") -> None:
    result = Path(f"{film.stem}-restyled.mp4")
    report = vedit.restyle(film, result, style=style, strength=0.6, overwrite=True)
    print(f"{result}: {report.proof}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
