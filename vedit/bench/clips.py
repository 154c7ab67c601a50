"""The clips that benches measure on, and an edit run on one as a render would."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.clip import Clip
from vedit.edits.edit import Edit
from vedit.errors import InputError
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source


def read_clip(path: Path, frames: int, width: int) -> Clip:
    """The first frames of a film, up to its first cut, at most ``width`` wide and of even height and width.

    Raises:
        InputError: the film cannot be read, or its first shot has but one frame.
    """
    source = probe(path).as_edited()
    pixels: list[Tensor] = []
    pts: list[int] = []
    with closing(first_shot(source, frames)) as stream:
        for frame in stream:
            pixels.append(_fitted(frame.pixels[:3], width))
            pts.append(frame.pts)
    if len(pts) < 2:
        raise InputError(f"{path.name} has one frame before its first cut", "Give a longer clip.")
    return Clip(torch.stack(pixels), tuple(pts), source.time_base)


def first_shot(source: Source, frames: int) -> Generator[Frame]:
    """The first frames of a film, up to its first cut; close it when it is not read to its end."""
    with closing(read(source, Notes())) as stream:
        for place, frame in enumerate(stream):
            if place == frames or (frame.cut and place):
                return
            yield frame


def through(edit: Edit, device: str, notes: Notes | None = None) -> Callable[[Clip], Iterator[Tensor]]:
    """An edit as a render runs it on one shot: a clip to its frames, ``(C, H, W)`` on the CPU, as they come.

    Args:
        edit: what to do.
        device: see :func:`vedit.device.pick_device`.
        notes: where the edit notes what it has to tell.
    """

    def run(clip: Clip) -> Iterator[Tensor]:
        *_, last = clip.stream()
        timing = Timing(clip.time_base, clip.rate, clip.pts[0], last.end)
        height, width = clip.frames.shape[-2:]
        shot = Shot(0, timing, height, width, device, notes or Notes())
        return (frame.pixels.float().cpu() for frame in edit.stream(clip.stream(), shot))

    return run


def _fitted(picture: Tensor, width: int) -> Tensor:
    """A picture scaled by area to a width, if it is wider, and to even height; else cut to even sides."""
    rgb = picture.permute(1, 2, 0).contiguous().numpy()
    height, wide = rgb.shape[:2]
    if wide > width:
        size = (width // 2 * 2, max(2, int(height * width / wide) // 2 * 2))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))
    else:
        rgb = rgb[: height // 2 * 2, : wide // 2 * 2]
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).clamp(0, 1)
