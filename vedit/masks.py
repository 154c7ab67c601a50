"""Where to change the picture: a mask setting becomes one mask per frame, in step with the film.

A setting is one of

    tensor            (F,1,H,W), one mask per frame of the film, or (1,1,H,W), the same in all of them
    picture           "logo.png": the same in every frame
    film              "mask.mp4": its n-th picture belongs to the film's n-th frame
    folder            "masks/": the same with pictures, in the order of the numbers in their names
    box:x,y,w,h       a rectangle: left, top, width, height in pixels
    poly:x,y x,y …    a polygon of at least three corners

White (over half of full scale) means "change this pixel". Masks are found by the frame's absolute index, so a
film of masks runs on across cuts although edits keep nothing between shots. Only the mask at hand is in memory.
"""

import re
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, suppress
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.errors import InputError, UsageError, VeditError
from vedit.frame import Frame, Shot
from vedit.pictures import read_picture
from vedit.video.decode import open_film, picture_packets, picture_stream

MaskSetting = str | Path | Tensor

PICTURES = {".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".pbm"}
SPECS = "Give a picture, a film, a folder of pictures, box:x,y,w,h or poly:x1,y1 x2,y2 x3,y3."


def with_masks(frames: Iterator[Frame], setting: MaskSetting, shot: Shot) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with its mask, ``(1, H, W)`` float32 of 0 and 1 on the shot's device, lazily and in order.

    A still mask that marks nothing, or nearly everything, is said in ``shot.notes``.

    Raises:
        InputError: a mask file is missing or cannot be decoded.
        UsageError: a mask has another size than the picture, ends before the film, or is not a mask at all.
    """
    marked = False
    with ExitStack() as opened:
        find = _finder(setting, shot, opened)
        for frame in frames:
            mask = find(frame.index).to(shot.device)
            marked = marked or bool(mask.any())
            yield frame, mask
    if not marked and _is_still(setting):  # one that runs along the film may well be black for a shot
        shot.notes.warn(f"the mask ({_name(setting)}) marks nothing; white means change")


def check_mask(setting: MaskSetting) -> None:
    """Complain about what can be known before there is a picture: the words of a spec, missing files.

    Raises:
        InputError, UsageError: as `with_masks`.
    """
    if isinstance(setting, Tensor):
        if setting.dim() != 4 or setting.shape[1] != 1 or 0 in setting.shape:
            raise UsageError(f"a mask tensor has shape {tuple(setting.shape)}", "Give (F,1,H,W), or F = 1.")
    elif _is_spec(setting):
        _corners(str(setting))
    else:
        path = Path(setting)
        if not path.exists():
            raise InputError(f"mask {path} does not exist", SPECS)
        if path.is_dir() and not _pictures(path):
            raise InputError(f"mask folder {path} holds no pictures", "Put PNG pictures in it.")


def _finder(setting: MaskSetting, shot: Shot, opened: ExitStack) -> Callable[[int], Tensor]:
    """Masks by absolute frame index, asked for in rising order; what has to be closed goes on ``opened``."""
    check_mask(setting)
    if isinstance(setting, Tensor):
        return _from_tensor(setting, shot)
    if _is_spec(setting):
        drawn = _drawn(str(setting), shot)
        return lambda index: drawn
    path = Path(setting)
    if path.is_dir():
        return _from_folder(path, shot)
    if _is_still(path):
        picture = _checked(_from_picture(path), str(path), shot)
        _note_extremes(picture, setting, shot)
        return lambda index: picture
    return _from_film(path, shot, opened)


def _from_tensor(masks: Tensor, shot: Shot) -> Callable[[int], Tensor]:
    if len(masks) == 1:
        _note_extremes(_checked(masks[0], "tensor", shot), masks, shot)

    def find(index: int) -> Tensor:
        if len(masks) == 1:
            return _checked(masks[0], "tensor", shot)
        if index >= len(masks):
            raise _ended("tensor", len(masks))
        return _checked(masks[index], "tensor", shot)

    return find


def _from_folder(folder: Path, shot: Shot) -> Callable[[int], Tensor]:
    pictures = _pictures(folder)

    def find(index: int) -> Tensor:
        if index >= len(pictures):
            raise _ended(str(folder), len(pictures))
        return _checked(_from_picture(pictures[index]), str(pictures[index]), shot)

    return find


def _from_film(path: Path, shot: Shot, opened: ExitStack) -> Callable[[int], Tensor]:
    """Read forward from wherever the shot begins: one seek, then picture by picture."""
    facts = path.stat()
    times = _film_times(path, facts.st_mtime_ns, facts.st_size)
    pictures: Generator[tuple[int, Tensor]] | None = None

    def find(index: int) -> Tensor:
        nonlocal pictures
        if index >= len(times):
            raise _ended(str(path), len(times))
        if pictures is None:
            pictures = _read_film(path, times[index])
            opened.callback(pictures.close)
        for pts, picture in pictures:
            if pts >= times[index]:
                return _checked(picture, str(path), shot)
        raise InputError(f"mask film {path} cannot be decoded at picture {index}", "Write it again.")

    return find


@lru_cache(maxsize=4)
def _film_times(path: Path, modified_ns: int, size: int) -> tuple[int, ...]:
    """Sorted pts of a film's pictures; cached by state of the file: every shot asks for them again."""
    with open_film(path) as film:
        packets = picture_packets(film, picture_stream(film, path))
        return tuple(sorted(p.pts for p in packets if p.pts is not None and not p.is_discard))


def _read_film(path: Path, start: int) -> Generator[tuple[int, Tensor]]:
    with open_film(path) as film:
        stream = picture_stream(film, path)
        stream.thread_type = "AUTO"
        with suppress(av.error.FFmpegError):  # some formats cannot seek; then it is read from the start
            film.seek(start, stream=stream)
        try:
            for picture in film.decode(stream):
                if picture.pts is not None and picture.pts >= start:
                    yield picture.pts, torch.from_numpy(picture.to_ndarray(format="gray"))[None] / 255
        except av.error.FFmpegError as error:
            raise InputError(f"mask film {path} cannot be decoded ({error})", "Write it again.") from error


def _from_picture(path: Path) -> Tensor:
    return read_picture(path).float().mean(0, keepdim=True) / 255


def _pictures(folder: Path) -> list[Path]:
    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]

    return sorted((p for p in folder.iterdir() if p.suffix.lower() in PICTURES), key=natural)


def _is_still(setting: MaskSetting) -> bool:
    """Whether one mask serves all frames."""
    if isinstance(setting, Tensor):
        return len(setting) == 1
    return _is_spec(setting) or Path(setting).suffix.lower() in PICTURES


def _is_spec(setting: str | Path) -> bool:
    return isinstance(setting, str) and setting.startswith(("box:", "poly:"))


def _corners(spec: str) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The corners of a spec as (N, 2) x, y; those of a box are its upper left and its lower right."""
    kind, _, words = spec.partition(":")
    try:
        numbers = [[float(n) for n in word.split(",")] for word in words.split()]
    except ValueError:
        numbers = []
    if kind == "box":
        if len(numbers) != 1 or len(numbers[0]) != 4 or not np.isfinite(numbers).all():
            raise UsageError(f"mask {spec!r} is not a box", "Write box:x,y,w,h, such as box:20,30,200,60.")
        x, y, w, h = numbers[0]
        if w <= 0 or h <= 0:
            raise UsageError(f"mask {spec!r} has no area", "Give a width and a height above 0: box:x,y,w,h.")
        return np.array([[x, y], [x + w, y + h]])
    if len(numbers) < 3 or any(len(n) != 2 for n in numbers) or not np.isfinite(numbers).all():
        raise UsageError(f"mask {spec!r} is not a polygon", "Write poly:x1,y1 x2,y2 x3,y3 …")
    return np.array(numbers)


def _drawn(spec: str, shot: Shot) -> Tensor:
    height, width = shot.height, shot.width
    corners = _corners(spec)
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    picture = f"the picture is {width}x{height}"
    if left >= width or top >= height or right <= 0 or bottom <= 0:
        raise UsageError(f"mask {spec!r} lies outside the picture", f"Coordinates are in pixels; {picture}.")
    if left < 0 or top < 0 or right > width or bottom > height:
        shot.notes.warn(f"mask {spec!r} reaches beyond the picture and was cut off there; {picture}")
    canvas = np.zeros((height, width), np.uint8)
    if spec.startswith("box:"):
        x0, y0, x1, y1 = (max(0, round(v)) for v in (left, top, right, bottom))
        canvas[y0:y1, x0:x1] = 1
    else:
        cv2.fillPoly(canvas, [np.round(corners).astype(np.int32)], (1,))
    mask = torch.from_numpy(canvas)[None].float()
    _note_extremes(mask, spec, shot)
    return mask


def _checked(mask: Tensor, name: str, shot: Shot) -> Tensor:
    if mask.shape != (1, shot.height, shot.width):
        *_, height, width = mask.shape
        raise UsageError(
            f"mask {name} is {width}x{height} but the picture is {shot.width}x{shot.height}",
            f"Scale the mask to {shot.width}x{shot.height}, or use box: or poly:.",
        )
    return (mask > 0.5).float()


def _note_extremes(mask: Tensor, setting: MaskSetting, shot: Shot) -> None:
    if mask.mean() > 0.9:
        percent = f"{100 * mask.mean():.0f}%"
        shot.notes.warn(
            f"the mask ({_name(setting)}) marks {percent} of the picture; white means change, is it inverted?"
        )


def _name(setting: MaskSetting) -> str:
    return "tensor" if isinstance(setting, Tensor) else str(setting)


def _ended(name: str, count: int) -> VeditError:
    return UsageError(
        f"mask {name} ends after {count} frames but the film goes on",
        "Give one mask per frame (black where nothing is to change), or a single picture for all of them.",
    )
