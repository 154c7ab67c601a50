"""Paint the training pictures: what the denoiser learns its looks from."""

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vedit.edits.palette import colour_map, palette_of, recolour
from vedit.errors import OutputError, UsageError
from vedit.pictures import read_picture
from vedit.train.data import pictures_in
from vedit.train.painters import PAINTERS, Chance, paint

RIM = 0.015
"""Scanned photographs have a rim, which is not for painting: this part of the shorter side is cut off all around."""


def chance_seed(name: str) -> int:
    """The seed of the noise that a painting with this file name was painted from."""
    return zlib.crc32(name.encode())


def make_pairs(
    data: Path,
    out: Path,
    looks: Sequence[str] = tuple(PAINTERS),
    *,
    per_film: int = 6,
    side: int = 576,
    log: Callable[[str], None] = print,
) -> None:
    """Write ``NAME.png`` and ``NAME.LOOK.png`` for every photograph and ``per_film`` frames of every film of a folder.

    Every other picture first takes the palette of some other one: there are few films, and any palette may come.

    Paintings that are there already are kept, so an interrupted run goes on where it was. Each has its own noise,
    drawn from its name: the same folder gives the same paintings, and training can draw the same noise again.

    Raises:
        InputError: there is no footage.
        UsageError: ``out`` holds paintings of other footage.
        OutputError: a picture cannot be written.
    """
    pictures = pictures_in(data, side, per_film)
    for number, whole in enumerate(pictures):
        rim = round(RIM * min(whole.shape[-2:]))
        picture = whole[:, rim : whole.shape[-2] - rim, rim : whole.shape[-1] - rim]
        if number % 2:
            other = pictures[number * 37 % len(pictures)].float() / 255
            source = picture.float()[None] / 255
            picture = (
                (recolour(source, *colour_map(palette_of(source), palette_of(other)))[0] * 255).round().byte()
            )
        rgb = picture.permute(1, 2, 0).numpy()
        path = out / f"{number:04d}.png"
        if path.exists() and not np.array_equal(read_picture(path).permute(1, 2, 0), rgb):
            raise UsageError(f"{path} was made of other footage", "Give -o an empty folder.")
        _write(path, rgb)
        for look in looks:
            path = out / f"{number:04d}.{look}.png"
            if not path.exists():
                chance = Chance.seeded(rgb.shape[0], rgb.shape[1], chance_seed(path.name))
                _write(path, paint(rgb, look, chance))
        if number % 20 == 0:
            log(f"{number + 1}/{len(pictures)} painted")


def _write(path: Path, rgb: NDArray[np.uint8]) -> None:
    """A PNG that has its name only when it is whole, as the next run keeps it."""
    part = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes())
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror})", "Choose another folder.") from error
