"""A stretch of a film, decoded to try on it what would take long on the whole, and made smaller for the same end."""

from bisect import bisect_left
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from math import sqrt

import torch
import torch.nn.functional as F
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter
from torch import Tensor

from vedit.frame import Frame, Notes, Shot
from vedit.masks import MaskSetting, with_masks
from vedit.video.careful import NoSeeking
from vedit.video.colour import Converter
from vedit.video.read import pictures
from vedit.video.source import Source


def stretch(source: Source, index: int | None) -> Generator[Frame]:
    """The film's frames from the last key frame before a picture on, None: from its start. Close it when done.

    A film that cannot be sought in is read from its start. Cuts are not looked for: the first frame is marked as one,
    no other. What cannot be decoded is left out.

    Raises:
        InputError: while iterating, when the film can no longer be read.
    """
    try:
        yield from _stretch(source, index)
    except NoSeeking:  # comes before the first frame
        yield from _stretch(source, None)


def _stretch(source: Source, index: int | None) -> Generator[Frame]:
    ends = [*source.pts[1:], source.end]
    convert = Converter(source.video.colour, source.height, source.video.alpha).pixels
    last = -1
    with closing(pictures(source, index)) as shown:
        for n, (picture, _) in enumerate(shown):
            place = bisect_left(source.pts, picture.pts) if source.stamped and picture.pts is not None else n
            if last < place < source.frames:
                start = source.pts[place]
                yield Frame(
                    start, ends[place] - start, index=place, cut=last < 0, native=picture, decode=convert
                )
                last = place


def masked(
    frames: Iterator[Frame], setting: MaskSetting, source: Source, device: str, *, dilate: int = 0
) -> Iterator[tuple[Frame, Tensor]]:
    """Frames of the film with their masks ``(1, H, W)``, as one shot. Raises what `vedit.masks.with_masks` does."""
    shot = Shot(0, source.timing, source.height, source.width, device, Notes())
    return with_masks(frames, setting, shot, dilate=dilate)


def reduced(source: Source, pixels: int) -> Source:
    """The film's facts with about so many pixels, in the same shape and even numbers."""
    scale = sqrt(pixels / (source.width * source.height))
    if scale >= 1:
        return source
    width, height = (
        min(side, max(16, 2 * round(side * scale / 2))) for side in (source.width, source.height)
    )
    return replace(source, video=replace(source.video, width=width, height=height))


def scaled(frame: Frame, small: Source, scaler: VideoReformatter) -> Tensor:
    """A frame's picture ``(C, h, w)`` in the size of ``small``, C = 4 with alpha."""
    assert isinstance(frame.native, VideoFrame)  # noqa: S101 - `stretch` makes no others
    name = "rgba" if small.video.alpha else "rgb24"
    picture = scaler.reformat(frame.native, small.width, small.height, name, interpolation=Interpolation.AREA)
    return torch.from_numpy(picture.to_ndarray()).permute(2, 0, 1).float().div_(255)


def shrunk(masks: Tensor, small: Source) -> Tensor:
    """Masks ``(F, 1, H, W)`` in the size of ``small``; a pixel of which any part is marked is."""
    return F.interpolate(masks, (small.height, small.width), mode="area").ceil()
