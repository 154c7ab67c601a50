"""Pictures to train on, from a folder of films and photographs."""

from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
from av.error import FFmpegError
from av.video.frame import VideoFrame
from torch import Tensor

from vedit.errors import InputError
from vedit.pictures import read_picture
from vedit.video.decode import open_film, picture_packets, picture_stream

FILMS = {".mp4", ".mkv", ".mov", ".webm", ".y4m", ".avi"}
PHOTOS = {".png", ".jpg", ".jpeg"}


def _fit(picture: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(picture.shape[:2])
    if scale >= 1:
        return picture
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _to_tensor(picture: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1).contiguous()


def photographs(folder: Path, side: int) -> Iterator[Tensor]:
    """Every photograph below a folder as ``(3, H, W)`` uint8, its longer side at most ``side``."""
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in PHOTOS):
        yield _to_tensor(_fit(read_picture(path).permute(1, 2, 0).numpy(), side))


def film_frames(folder: Path, side: int, count: int) -> Iterator[Tensor]:
    """Up to ``count`` evenly spread frames of every film below a folder, as `photographs` gives them."""
    for path in _films(folder):
        with open_film(path) as film:
            total = sum(1 for _ in picture_packets(film, picture_stream(film, path)))
        wanted = set(np.linspace(0, max(0, total - 1), count).astype(int).tolist())
        for i, frame in enumerate(_decoded(path)):
            if i in wanted:
                yield _to_tensor(_fit(frame.to_ndarray(format="rgb24"), side))


def film_runs(folder: Path, side: int, count: int) -> Iterator[Tensor]:
    """The first ``count`` frames of every film below a folder, ``(F, 3, H, W)`` uint8, cuts or not.

    Pictures of another size than the film's first are left out.
    """
    for path in _films(folder):
        with closing(_decoded(path)) as decoded:
            frames = [_to_tensor(_fit(f.to_ndarray(format="rgb24"), side)) for f in islice(decoded, count)]
        if frames:
            yield torch.stack([f for f in frames if f.shape == frames[0].shape])


def _films(folder: Path) -> list[Path]:
    return sorted(p for p in folder.rglob("*") if p.suffix.lower() in FILMS)


def _decoded(path: Path) -> Generator[VideoFrame]:
    with open_film(path) as film:
        try:
            yield from film.decode(picture_stream(film, path))
        except FFmpegError as error:
            raise InputError(
                f"{path} cannot be decoded ({error})", "Take it out of the footage, or mend it."
            ) from error


def random_crops(pictures: list[Tensor], count: int, size: int, rng: np.random.Generator) -> Tensor:
    """``(count, 3, size, size)`` float32 in [0, 1]: random places, scales from 1 to 1/2, mirrored half of the time."""
    out = []
    for _ in range(count):
        picture = pictures[int(rng.integers(len(pictures)))]
        height, width = picture.shape[-2:]
        take = min(height, width, int(size * rng.choice([1.0, 1.0, 1.5, 2.0])))
        top, left = int(rng.integers(height - take + 1)), int(rng.integers(width - take + 1))
        crop = picture[:, top : top + take, left : left + take].float()[None] / 255
        if take != size:
            crop = torch.nn.functional.interpolate(crop, size=(size, size), mode="area")
        out.append(crop.flip(-1) if rng.random() < 0.5 else crop)
    return torch.cat(out)


def pictures_in(folder: Path, side: int, per_film: int) -> list[Tensor]:
    """Every photograph below a folder and ``per_film`` frames of every film.

    Raises:
        InputError: there is none.
    """
    pictures = [*photographs(folder, side), *film_frames(folder, side, per_film)]
    if not pictures:
        raise InputError(f"there are no films or photographs in {folder}", "Give a folder of footage.")
    return pictures
