"""Take something out of a film; without arguments, the caption out of the sample.

    python samples/inpaint.py [FILM MASK]

MASK is an image or a film (white = take out), or for example box:20,300,200,40 (x, y, width, height).
Writes FILM's name with "-repaired" into the current folder, replacing what an earlier run left there.
"""

import sys
from pathlib import Path

import vedit

SAMPLES = Path(__file__).parent


def main(film: str = f"{SAMPLES / 'sample.mp4'}", mask: str = f"{SAMPLES / 'caption_mask.mp4'}") -> None:
    result = Path(f"{Path(film).stem}-repaired.mp4")
    report = vedit.inpaint(film, result, mask=mask, quality="best", overwrite=True)
    print(f"{result}: {report.proof}")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit("Give a mask for the film too: python samples/inpaint.py FILM MASK")
    main(*sys.argv[1:3])
