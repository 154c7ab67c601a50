"""Films in one small film, one above the other, of which only what is shown later is kept."""

from array import array
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor

from vedit.video.source import BT709, LIMITED, Source

SIDE = 640
"""Pixels of a preview's longer side."""
WHOLE = 20
"""Seconds up to which films are shown whole."""
HEAD = 5
"""Seconds that are always shown of longer ones; around the worst moments it is the second, the one before and after."""
TICKS = 90_000
"""Of the preview's clock, a second: what MP4 films commonly have."""


@dataclass(frozen=True)
class Passage:
    """A run of the preview: it starts there and in the film at these seconds, and lasts so long."""

    preview: float
    film: float
    length: float


@dataclass(frozen=True)
class Preview:
    """An MP4 film of all films, one above the other in the order they were given, each ``width`` x ``height``.

    ``frames`` are the times at which its pictures begin, ``passages`` where in the film they come from.
    """

    data: bytes
    width: int
    height: int
    frames: tuple[float, ...]
    passages: tuple[Passage, ...]


class PreviewWriter:
    """Encodes the pictures of films as they go by, and lets go of the seconds that nobody wants.

    One film of all stays in step by itself, whatever a browser does; several would have to be kept so.

    Args:
        film: the reference: the shape and the length of what is shown.
        films: how many are shown, the reference among them.
        side: pixels of the longer side of each.
    """

    def __init__(self, film: Source, films: int = 2, side: int = SIDE) -> None:
        self.width, self.height = preview_size(film, side)
        self._wanted: Collection[int] = ()
        self._whole = film.duration <= WHOLE
        self._file = BytesIO()
        self._out = av.open(self._file, "w", format="mp4")
        options = {"crf": "20", "preset": "veryfast", "forced-idr": "1", "bf": "0", "rc-lookahead": "10"}
        self._stream: VideoStream = self._out.add_stream("libx264", rate=30, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = (
            self.width,
            films * self.height,
            "yuv420p",
        )
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace, context.color_range = BT709, LIMITED
        context.color_primaries = context.color_trc = 1
        context.thread_count = 1
        self._scaler = VideoReformatter()
        self._times: array[int] = array("q")
        self._seconds: dict[int, list[Packet[VideoStream]]] = {}

    @property
    def held(self) -> Collection[int]:
        """The seconds of which encoded pictures are held."""
        return self._seconds.keys()

    def keep(self, seconds: Collection[int]) -> None:
        """What longer films are shown of: these seconds, as known so far, and those beside them."""
        self._wanted = seconds

    def add(self, pictures: Sequence[Tensor], seconds: Fraction) -> None:
        """The pictures ``(3, H, W)`` in [0, 1] shown from a time on, one of each film; times rise."""
        pts = int(seconds * TICKS)
        if self._times and pts <= self._times[-1]:
            return
        above = np.concatenate([picture_of(picture, self.width, self.height) for picture in pictures])
        native = self._scaler.reformat(
            VideoFrame.from_ndarray(above, "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        native.pts, native.time_base = pts, Fraction(1, TICKS)
        starts = not self._times or pts // TICKS != self._times[-1] // TICKS
        native.pict_type = PictureType.I if starts else PictureType.NONE
        self._times.append(pts)
        self._take(self._stream.encode(native))

    def _take(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            self._seconds.setdefault((packet.pts or 0) // TICKS, []).append(packet)
        if not self._whole:
            # The second before this one is still needed should a worst moment come now.
            self._prune(self._times[-1] // TICKS - 1)

    def _prune(self, before: int) -> None:
        around = {second + i for second in self._wanted for i in (-1, 0, 1)} | set(range(HEAD))
        for second in [second for second in self._seconds if second < before and second not in around]:
            del self._seconds[second]

    def finish(self, end: Fraction) -> Preview:
        """The preview of what is wanted; ``end`` is when the last picture goes."""
        self._take(self._stream.encode())
        if not self._whole:
            self._prune(self._times[-1] // TICKS + 1)
        stop = max(int(end * TICKS), self._times[-1] + 1)
        frames: list[int] = []
        passages: list[list[int]] = []
        clock = 0
        packets = (packet for second in sorted(self._seconds) for packet in self._seconds[second])
        for packet in packets:
            shown = packet.pts or 0
            after = bisect_right(self._times, shown)
            lasts = (self._times[after] if after < len(self._times) else stop) - shown
            if not passages or shown != passages[-1][1] + passages[-1][2]:
                passages.append([clock, shown, 0])
            passages[-1][2] += lasts
            packet.stream, packet.pts, packet.dts, packet.duration = self._stream, clock, clock, lasts
            frames.append(clock)
            self._out.mux_one(packet)
            clock += lasts
        self._out.close()
        return Preview(
            self._file.getvalue(),
            self.width,
            self.height,
            tuple(pts / TICKS for pts in frames),
            tuple(Passage(*(ticks / TICKS for ticks in passage)) for passage in passages),
        )


def preview_size(film: Source, side: int = SIDE) -> tuple[int, int]:
    """Width and height, even, of the film as it is seen, in square pixels, the longer one no more than ``side``."""
    wide = float(film.width * film.video.sar)
    scale = min(1.0, side / max(wide, film.height))
    width, height = (max(16, 2 * round(length * scale / 2)) for length in (wide, film.height))
    return width, height


def picture_of(picture: Tensor, width: int, height: int) -> NDArray[np.uint8]:
    """A picture ``(3, H, W)`` in [0, 1] as ``(height, width, 3)`` uint8."""
    rgb = np.ascontiguousarray((picture * 255).round().byte().permute(1, 2, 0).numpy())
    how = cv2.INTER_AREA if width < rgb.shape[1] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=how), np.uint8)


def thumbnail(picture: Tensor, width: int, height: int) -> bytes:
    """A picture ``(3, H, W)`` in [0, 1] as a JPEG."""
    rgb = picture_of(picture, width, height)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()
