"""What a render costs, measured on one window of the film: ten pictures from its middle, decoded, edited, encoded.

When the edits are slow, they and the encoder see the middle of the pictures only, and what that took is brought to the
whole picture. Where there is a mask they see all of it, smaller: the hole keeps its share. Nothing is written.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from math import sqrt

import av
import torch
import torch.nn.functional as F
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter
from torch import Tensor

from vedit.edits.edit import Edit
from vedit.errors import InputError
from vedit.excerpt import masked, reduced, scaled, shrunk, stretch
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.proof import peak_memory
from vedit.video.colour import Converter
from vedit.video.encode import Encoding, add_video
from vedit.video.priority import same_priority
from vedit.video.source import Source
from vedit.window import Window

WINDOW = 10
"""Source frames that are tried: a window of the latent path."""
SMALL = 64 * 36
"""Pixels of the first try."""
GROWTH = 4
"""A try that was quick is followed by one of so many times its pixels: part of the time does not go with them."""
QUICK = 1.5
"""Seconds: a try that took longer is the last."""
LARGE = 640 * 360
"""Pixels of the last try at most, for the encoder's sake."""
BITS_POWER = 0.75
"""The bytes of a film made smaller go with about this power of its pixels (Waggoner's rule of thumb)."""


@dataclass(frozen=True)
class Cost:
    """Seconds: by the clock, and of all processor cores together."""

    wall: float
    cpu: float

    def __mul__(self, factor: float) -> "Cost":
        return Cost(self.wall * factor, self.cpu * factor)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


@dataclass(frozen=True)
class Calibration:
    """What one source frame costs at full size, and what encoded pictures weigh.

    ``made`` is frames made for each source frame; ``key`` the bytes of a key frame, ``between`` of any other;
    ``memory`` the bytes this process would hold at most, None where the system does not say.
    """

    decoding: Cost
    editing: Cost
    encoding: Cost
    made: float
    key: float
    between: float
    memory: int | None


def calibrate(
    source: Source,
    edits: Sequence[Edit],
    timings: Sequence[Timing],
    encoding: Encoding,
    device: str,
    notes: Notes,
    marked: float = 0,
) -> Calibration:
    """Try the edits and the encoding on a window of the film.

    Args:
        source: the film as it is edited.
        edits: the chain.
        timings: the film's clock, and the clock after each edit.
        encoding: of the result.
        device: where the edits run, as in :func:`vedit.device.pick_device`.
        notes: get what the edits have to say.
        marked: the share of the picture that masks mark where they mark anything; if none of it is in the window, as
            much is tried.

    Raises:
        VeditError: what a render of the window would raise.
        FFmpegError: the encoder fails.
    """
    window, decoding = _decoded(source)
    converting = _converting(source, window)
    masks = [_masks(edit, window, source, device, marked) for edit in edits]
    full = source.width * source.height
    cropped = all(mask is None for mask in masks)

    def attempt(pixels: int, frames: int = WINDOW) -> _Attempt:
        small = reduced(source, pixels)
        chosen = [
            edit if mask is None else replace(edit, mask=shrunk(mask, small))  # type: ignore[type-var]
            for edit, mask in zip(edits, masks, strict=True)
        ]
        return _attempt(window[:frames], small, chosen, timings, device, cropped, notes)

    attempt(SMALL, 2)  # loads what the edits need, which a long render does once
    before = peak_memory()
    pixels = min(full, SMALL)
    smaller = last = attempt(pixels)
    while last.cost.wall < QUICK and pixels < min(full, LARGE):
        pixels = min(full, LARGE, pixels * GROWTH)
        smaller, last = last, attempt(pixels)
    editing = _extrapolated(smaller, last, full)
    try:
        encoded, sizes = _encoded(last.frames, last.source, encoding, timings[-1])
        scale, bits = full / last.pixels, (full / last.pixels) ** (1 if cropped else BITS_POWER)
    except (FFmpegError, ValueError):  # an encoder that takes certain sizes only
        encoded, sizes = _encoded(last.frames, source, encoding, timings[-1])
        scale = bits = 1
    after = peak_memory()
    growth = full / last.pixels
    return Calibration(
        decoding=decoding,
        editing=editing * (1 / len(window)) + converting * last.asked,
        encoding=encoded * (scale / len(window)),
        made=len(last.frames) / len(window),
        key=sizes[0] * bits,
        between=sum(sizes[1:]) / max(1, len(sizes) - 1) * bits,
        memory=None if before is None or after is None else int(before + (after - before) * growth),
    )


@dataclass(frozen=True)
class _Attempt:
    """The edits run on the window at one size: ``asked`` is the share of its frames whose pixels they looked at."""

    source: Source
    frames: list[Frame]
    cost: Cost
    asked: float

    @property
    def pixels(self) -> int:
        return self.source.width * self.source.height


class Clock:
    """Takes time from when it is made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def cost(self) -> Cost:
        return Cost(time.perf_counter() - self._wall, time.process_time() - self._cpu)


def _decoded(source: Source) -> tuple[list[Frame], Cost]:
    """A window from the middle of the film, or from its start where it cannot be sought in, and a frame's cost."""
    middle = source.frames // 2 if source.stamped and source.frames > 4 * WINDOW else None
    window, cost = _decoded_from(source, middle)
    if not window:
        window, cost = _decoded_from(source, None)
    if not window:
        raise InputError(
            f"{source.path.name}: none of its pictures can be decoded", "Copy or download it again."
        )
    return window, cost


def _decoded_from(source: Source, index: int | None) -> tuple[list[Frame], Cost]:
    """A window from the last key frame before a picture, or from the start."""
    window: list[Frame] = []
    clock = Clock()
    with closing(stretch(source, index)) as frames:
        for frame in islice(frames, WINDOW):
            if not window:
                clock = Clock()  # opening and seeking are done once
            window.append(frame)
    return window, clock.cost() * (1 / max(1, len(window) - 1))


def _converting(source: Source, window: list[Frame]) -> Cost:
    """What making pixels of a whole picture costs."""
    convert = Converter(source.video.colour, source.height, source.video.alpha)
    clock = Clock()
    for frame in window[:2]:  # the first one pays for making the converter
        clock = Clock()
        convert.pixels(frame.native)
    return clock.cost()


def _masks(edit: Edit, window: list[Frame], source: Source, device: str, marked: float) -> Tensor | None:
    """An edit's masks ``(F,1,H,W)`` for the window, checked against the film; None when it has none.

    F = 1 when they are all the same: an edit before this one may make more frames. Where they mark nothing in the
    window, ``marked`` is the share of the picture that a box in its middle does.
    """
    setting = getattr(edit, "mask", None)
    if setting is None:
        return None
    masks = torch.stack([mask for _, mask in masked(iter(window), setting, source, device)])
    if not bool(masks.any()):
        rows, columns = (
            slice(round(n / 2 * (1 - sqrt(marked))), round(n / 2 * (1 + sqrt(marked))))
            for n in masks.shape[-2:]
        )
        masks[..., rows, columns] = 1
    return masks[:1] if bool((masks == masks[:1]).all()) else masks


def _attempt(
    window: list[Frame],
    small: Source,
    edits: Sequence[Edit],
    timings: Sequence[Timing],
    device: str,
    cropped: bool,
    notes: Notes,
) -> _Attempt:
    """Run the edits on the window, as one shot, in the size of ``small``: cut out of the middle, or made smaller."""
    scaler, asked = VideoReformatter(), set()

    def shown(number: int, frame: Frame) -> Frame:
        if cropped:
            picture = frame.native
            assert isinstance(picture, VideoFrame)  # noqa: S101 - `stretch` makes no others
            top, left = (picture.height - small.height) // 2, (picture.width - small.width) // 2
            name = "rgba" if small.video.alpha else "rgb24"
            array = scaler.reformat(picture, format=name).to_ndarray()
            array = array[top : top + small.height, left : left + small.width]
            pixels = torch.from_numpy(array).permute(2, 0, 1).float().div_(255)
        else:
            pixels = scaled(frame, small, scaler)

        def look(_: object, window: Window | None) -> Tensor:
            asked.add(number)
            return window.of(pixels) if window else pixels

        return Frame(frame.pts, frame.duration, index=number, cut=number == 0, decode=look)

    frames: Iterator[Frame] = iter([shown(number, frame) for number, frame in enumerate(window)])
    clock = Clock()
    with torch.no_grad():
        for edit, timing in zip(edits, timings, strict=False):
            frames = edit.stream(
                frames, Shot(0, timing, small.height, small.width, device, notes, trial=True)
            )
        made = list(frames)
    cost = clock.cost()
    return _Attempt(small, made, cost, len(asked) / len(window))


def _extrapolated(smaller: _Attempt, last: _Attempt, pixels: int) -> Cost:
    """What the edits cost at a size, from two others: a part that is the same at any size, and one per pixel."""
    if last.pixels == pixels:
        return last.cost

    def at(a: float, b: float) -> float:
        even = b / last.pixels
        slope = (b - a) / (last.pixels - smaller.pixels) if last.pixels > smaller.pixels else even
        return b + min(even, max(even / 3, slope)) * (pixels - last.pixels)

    return Cost(at(smaller.cost.wall, last.cost.wall), at(smaller.cost.cpu, last.cost.cpu))


def _encoded(
    frames: list[Frame], source: Source, encoding: Encoding, timing: Timing
) -> tuple[Cost, list[int]]:
    """Encode edited frames into memory in the size of ``source``: what it cost, and the bytes of each packet."""
    convert = Converter(source.video.colour, source.height, source.video.alpha)
    pixels = [F.interpolate(frame.pixels[None], (source.height, source.width))[0] for frame in frames]
    sizes = []
    with same_priority(), av.open(BytesIO(), "w", format=encoding.container) as out:
        stream = add_video(out, encoding, source, timing)
        stream.codec_context.open()
        clock = Clock()
        for frame, image in zip(frames, pixels, strict=True):
            picture = convert.native(image, encoding.pix_fmt, encoding.colour)
            picture.pts, picture.time_base = frame.pts, timing.time_base
            sizes += [packet.size for packet in stream.encode(picture)]
        sizes += [packet.size for packet in stream.encode(None)]
    return clock.cost(), sizes
