"""Paint the training pictures: what the denoiser learns its looks from."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from vedit.edits.palette import colour_map, palette_of, recolour
from vedit.train.data import pictures_in
from vedit.train.painters import LOOKS, paint


def make_pairs(
    data: Path,
    out: Path,
    looks: Sequence[str] = LOOKS,
    *,
    per_film: int = 9,
    side: int = 576,
    log: Callable[[str], None] = print,
) -> None:
    """Write ``NAME.png`` and ``NAME.LOOK.png`` for every photograph and ``per_film`` frames of every film of a folder.

    Every other picture first takes the palette of some other one: a style picture's palette comes into the source
    before the denoiser paints, so it has to know pictures in any palette.

    Paintings that are there already are kept, so an interrupted run goes on where it was. Each has its own random
    numbers, drawn from its name: the same folder gives the same paintings.
    """
    out.mkdir(parents=True, exist_ok=True)
    pictures = pictures_in(data, side, per_film)
    for number, picture in enumerate(pictures):
        if number % 2:
            other = pictures[number * 37 % len(pictures)].float() / 255
            source = picture.float()[None] / 255
            picture = (
                (recolour(source, *colour_map(palette_of(source), palette_of(other)))[0] * 255).round().byte()
            )
        rgb = picture.permute(1, 2, 0).numpy()
        cv2.imwrite(str(out / f"{number:04d}.png"), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
        for look in looks:
            path = out / f"{number:04d}.{look}.png"
            if not path.exists():
                rng = np.random.default_rng(zlib.crc32(path.name.encode()))
                cv2.imwrite(str(path), cv2.cvtColor(paint(rgb, look, rng), cv2.COLOR_RGB2BGR))
        if number % 20 == 0:
            log(f"{number + 1}/{len(pictures)} painted")
