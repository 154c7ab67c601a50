"""Paint a film in one of the looks that vedit knows by name.

    python samples/restyle.py [FILM] [LOOK]

LOOK is oil, watercolour, ink, pencil, woodcut, halftone, stained-glass or cel.
Writes FILM's name with "-restyled" into the current folder, replacing what an earlier run left there.
"""

import sys
from pathlib import Path

import vedit

SAMPLES = Path(__file__).parent


def main(film: str = f"{SAMPLES / 'sample.mp4'}", look: str = "ink") -> None:
    result = Path(f"{Path(film).stem}-restyled.mp4")
    report = vedit.restyle(film, result, look=look, overwrite=True)
    # Instead of look=, any picture whose hand and palette the film is to have; about a minute more for each shot:
    #     style=SAMPLES / "styles" / "watercolour.png"
    # or frames of the film as you painted them, by their number from 0; at least one for each shot:
    #     keyframes={0: "painted_0.png", 66: "painted_66.png"}
    print(f"{result}: {report.proof}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
