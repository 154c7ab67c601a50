"""Mix vedit's edits with MoviePy's effects: paint out a caption, make the film smooth, darken its edges in MoviePy.

    python samples/moviepy_chain.py [FILM MASK]

Nothing is computed until the film is written. MASK is an image or a film (white = take out), or for example
box:20,300,200,40 (x, y, width, height). Writes FILM's name with "-chain" into the current folder.
"""

import sys
from pathlib import Path

import numpy as np
from moviepy import vfx  # type: ignore[import-untyped]
from numpy.typing import NDArray

import vedit
from vedit.fx import Inpaint, Interpolate

SAMPLES = Path(__file__).parent


def darken_edges(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A plain function of one frame, as MoviePy's ``image_transform`` takes it."""
    rows, columns = (np.linspace(-1, 1, size) ** 2 for size in frame.shape[:2])
    light = 1 - 0.3 * (rows[:, None] + columns[None])[..., None]
    return (frame * light).astype(np.uint8)


def main(film: str = f"{SAMPLES / 'sample.mp4'}", mask: str = f"{SAMPLES / 'caption_mask.mp4'}") -> None:
    result = Path(f"{Path(film).stem}-chain.mp4")
    with vedit.load(film) as clip:
        edited = clip.with_effects([Inpaint(mask, quality="draft"), Interpolate(fps=30), vfx.FadeIn(0.5)])
        report = vedit.write(edited.image_transform(darken_edges), result, overwrite=True)
    print(f"{result}: {report.proof}")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        sys.exit("Give a mask for the film too: python samples/moviepy_chain.py FILM MASK")
    main(*sys.argv[1:3])
