"""Draw samples/styles/*.png: scikit-image's free photographs in the eight looks of vedit's painters.

    pip install -e ".[test]" && python samples/make_styles.py [FOLDER]

Same versions of the libraries, same pictures: the painters' chance comes from a fixed seed.
"""

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from skimage import data

from vedit.train.painters import Chance, Picture, paint

WIDTH, HEIGHT = 512, 384

# Name of the picture, the painter's look, the photograph, and the middle of its crop (parts of its size).
STYLES = (
    ("brush_strokes", "oil", "coffee", (0.45, 0.5)),
    ("watercolour", "watercolour", "chelsea", (0.5, 0.5)),
    ("ink_hatching", "ink", "camera", (0.5, 0.3)),
    ("pencil", "pencil", "chelsea", (0.5, 0.5)),
    ("woodcut", "woodcut", "coffee", (0.45, 0.5)),
    ("halftone", "halftone", "astronaut", (0.5, 0.2)),
    ("stained_glass", "stained-glass", "rocket", (0.5, 0.6)),
    ("cel", "cel", "astronaut", (0.5, 0.2)),
)


def photograph(name: str, middle: tuple[float, float]) -> Picture:
    """The largest 4:3 crop of a photograph around a point, as (384,512,3) uint8 RGB."""
    photo = getattr(data, name)()
    if photo.ndim == 2:
        photo = np.stack([photo] * 3, -1)
    height, width = photo.shape[:2]
    wide = min(width, height * WIDTH / HEIGHT)
    high = wide * HEIGHT / WIDTH
    left = int(np.clip(middle[0] * width - wide / 2, 0, width - wide))
    top = int(np.clip(middle[1] * height - high / 2, 0, height - high))
    crop = photo[top : top + int(high), left : left + int(wide)]
    shrinks = wide > WIDTH
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, (WIDTH, HEIGHT), interpolation=how), np.uint8)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, look, photo, middle in STYLES:
        painted = paint(photograph(photo, middle), look, Chance.seeded(HEIGHT, WIDTH, seed=0))
        # 256 colours are plenty for a painting, 96 for greys, and keep the repository small.
        colours = 96 if look == "pencil" else 256
        small = Image.fromarray(painted).quantize(colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        small.save(folder / f"{name}.png", optimize=True)
        print(f"{folder / name}.png: {(folder / name).with_suffix('.png').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "styles")
