"""Masks from tensors, pictures, films and folders, each found by the frame's absolute index."""

from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import torch
from av.video.frame import VideoFrame
from torch import Tensor

from vedit.errors import InputError, UsageError, VeditError
from vedit.frame import Shot
from vedit.masks.bridge import spans
from vedit.masks.folder import by_frame, pictures, same_number
from vedit.masks.quad import changed, is_quad
from vedit.masks.setting import PICTURES
from vedit.pictures import read_picture
from vedit.video.decode import Decoder, open_film, picture_packets, picture_stream

Finder = Callable[[int], Tensor]
"""The mask ``(1, H, W)`` of 0 and 1 of a frame's absolute index; asked for in rising order."""

SAMPLES = 6
"""Pictures of a mask film or folder that are looked at to tell which levels it has."""


def from_tensor(masks: Tensor, shot: Shot) -> Finder:
    if len(masks) > 1 and (frames := _film_frames(len(masks), shot)) is not None:
        raise UsageError(
            f"mask tensor has {len(masks)} frames and the film {frames}",
            "Give one mask for each, or one for all.",
        )

    def find(index: int) -> Tensor:
        if len(masks) == 1:
            return checked(masks[0], "tensor", shot)
        if index >= len(masks):
            raise _ended("tensor", len(masks))
        return checked(masks[index], "tensor", shot)

    return find


def from_picture(path: Path, shot: Shot) -> Tensor:
    """One picture, for all frames."""
    picture = _read(path)
    return checked(_levels(picture, is_quad(picture), path, shot), str(path), shot)


def from_folder(folder: Path, shot: Shot) -> Finder:
    """A picture for each frame; where the numbers in their names skip one, that frame's mask is empty."""
    found = pictures(folder, PICTURES)
    paths = by_frame(found)
    if (frames := _film_frames(len(paths), shot)) is not None:
        _tell_unused(str(folder), len(paths), frames, shot)
    if pair := same_number(found):
        first, second = (path.name for path in pair)
        shot.notes.warn(
            f"mask folder {folder} has one number twice, {first} and {second}; "
            "its pictures are taken in order, whatever their numbers"
        )
    missing = [index for index, path in enumerate(paths) if path is None]
    if missing:
        shot.notes.warn(
            f"mask folder {folder} has no picture for frames {spans(missing)}, by the numbers in its names; "
            "the others keep their frames"
        )
    step = -(-len(paths) // SAMPLES)
    quad = any(is_quad(_read(path)) for path in paths[::step] if path is not None)

    def find(index: int) -> Tensor:
        if index >= len(paths):
            raise _ended(str(folder), len(paths))
        path = paths[index]
        if path is None:
            return torch.zeros(1, shot.height, shot.width)
        return checked(_levels(_read(path), quad, folder, shot), str(path), shot)

    return find


def from_film(path: Path, shot: Shot, opened: ExitStack) -> Finder:
    """Read forward from wherever the shot begins: one seek, then picture by picture."""
    facts = path.stat()
    times, base = _film_times(path, facts.st_mtime_ns, facts.st_size)
    if (frames := _film_frames(len(times), shot)) is not None:
        step = shot.timing.seconds / frames
        if abs((times[-1] - times[0]) * base - (frames - 1) * step) < 2 * step:
            raise UsageError(
                f"mask {path} has {len(times)} pictures in the time of the film's {frames} frames",
                f"Write it at the film's rate, {shot.timing.rate}: one mask for each frame.",
            )
        _tell_unused(str(path), len(times), frames, shot)
    quad = _film_is_quad(path, facts.st_mtime_ns, facts.st_size)
    decoded: Generator[tuple[int, Tensor]] | None = None

    def find(index: int) -> Tensor:
        nonlocal decoded
        if index >= len(times):
            raise _ended(str(path), len(times))
        if decoded is None:
            decoded = _read_film(path, times[index])
            opened.callback(decoded.close)
        for pts, picture in decoded:
            if pts >= times[index]:
                return checked(_levels(picture, quad, path, shot), str(path), shot)
        raise InputError(f"mask film {path} cannot be decoded at picture {index}", "Write it again.")

    return find


def checked(mask: Tensor, name: str, shot: Shot) -> Tensor:
    """The mask as 0 and 1.

    Raises:
        UsageError: it has another size than the picture.
    """
    if mask.shape != (1, shot.height, shot.width):
        *_, height, width = mask.shape
        raise UsageError(
            f"mask {name} is {width}x{height} but the picture is {shot.width}x{shot.height}",
            f"Scale the mask to {shot.width}x{shot.height}, or use box: or poly:.",
        )
    return (mask > 0.5).float()


def _film_frames(count: int, shot: Shot) -> int | None:
    """How many frames the film has, if masks are more than that; one is as good as none, by the ends of films."""
    if shot.timing.rate is None or shot.trial:
        return None
    frames = round(shot.timing.seconds * shot.timing.rate)
    return frames if count > frames + 1 else None


def _tell_unused(name: str, count: int, frames: int, shot: Shot) -> None:
    shot.notes.warn(
        f"mask {name} has {count} pictures and the film {frames} frames: the last ones are not used"
    )


def _levels(mask: Tensor, quad: bool, path: Path, shot: Shot) -> Tensor:
    if not quad:
        return mask
    shot.notes.warn(
        f"mask {path} has the four levels 0, 63, 127 and 255: 255 is taken as kept, all darker ones as change"
    )
    return changed(mask)


@lru_cache(maxsize=4)
def _film_times(path: Path, modified_ns: int, size: int) -> tuple[tuple[int, ...], Fraction]:
    """Sorted pts of a film's pictures, and their clock; cached by state of the file: every shot asks for them again."""
    with open_film(path) as film:
        stream = picture_stream(film, path)
        packets = picture_packets(film, stream)
        times = tuple(sorted(p.pts for p in packets if p.pts is not None and not p.is_discard))
        return times, stream.time_base or Fraction(1)


@lru_cache(maxsize=4)
def _film_is_quad(path: Path, modified_ns: int, size: int) -> bool:
    times, _ = _film_times(path, modified_ns, size)
    for start in times[:: -(-len(times) // SAMPLES) or 1]:
        film = _read_film(path, start)
        found = next(film, None)
        film.close()
        if found and is_quad(found[1]):
            return True
    return False


def _read_film(path: Path, start: int) -> Generator[tuple[int, Tensor]]:
    with open_film(path) as film:
        stream = picture_stream(film, path)
        upright = Decoder(stream, path).upright
        with suppress(av.error.FFmpegError):  # some formats cannot seek; then it is read from the start
            film.seek(start, stream=stream)
        try:
            for picture in film.decode(stream):
                if picture.pts is not None and picture.pts >= start:
                    yield picture.pts, _brightness(upright(picture)[0])
        except av.error.FFmpegError as error:
            raise InputError(f"mask film {path} cannot be decoded ({error})", "Write it again.") from error


def _brightness(picture: VideoFrame) -> Tensor:
    """A picture of a mask film as ``(1, H, W)`` in [0, 1]; what is transparent is black, as in a picture file."""
    grey = torch.from_numpy(picture.to_ndarray(format="gray"))[None] / 255
    if not any(part.is_alpha for part in picture.format.components):
        return grey
    return grey * torch.from_numpy(picture.to_ndarray(format="rgba")[..., 3])[None] / 255


def _read(path: Path) -> Tensor:
    return read_picture(path).float().mean(0, keepdim=True) / 255


def _ended(name: str, count: int) -> VeditError:
    return UsageError(
        f"mask {name} ends after {count} frames but the film goes on",
        "Give one mask per frame (black where nothing is to change), or a single picture for all of them.",
    )
