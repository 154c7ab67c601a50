"""What a browser can show of a film: the film itself, or a small copy of its pictures."""

from collections.abc import Callable
from contextlib import closing
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor

from vedit.excerpt import stretch
from vedit.frame import Frame, Notes
from vedit.heap import give_back
from vedit.report.previews import picture_of
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import BT709, LIMITED, Source

SIDE = 960
"""Pixels of the longer side of what is shown."""
STILL = 1280
"""And of a still frame."""
TICKS = 90_000
"""Of the shown film's clock, a second: what MP4 films commonly have."""
PLAYED = {
    ".mp4": ({"h264"}, {"aac", "mp3"}),
    ".webm": ({"vp8", "vp9", "av1"}, {"opus", "vorbis"}),
}
"""Pictures and sound that every browser of today plays, by the film's ending."""


class SmallFilm:
    """Pictures into an H.264 film that any browser plays, in square pixels; transparent ones lie on grey.

    Args:
        film: the shape of the pictures.
        file: where it goes; None: into memory.
    """

    def __init__(self, film: Source, file: Path | None = None) -> None:
        self.width, self.height = shown_size(film, SIDE)
        self._memory = BytesIO()
        movie = {"movflags": "+faststart"} if file else {}  # a file is read again for it
        self._out = av.open(file or self._memory, "w", format="mp4", options=movie)
        options = {"crf": "18", "preset": "veryfast"}
        self._stream: VideoStream = self._out.add_stream("libx264", rate=30, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = self.width, self.height, "yuv420p"
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace, context.color_range = BT709, LIMITED
        context.color_primaries = context.color_trc = 1
        self._scaler = VideoReformatter()
        self._lasts: dict[int, int] = {}
        self._last = -1

    def add(self, frame: Frame, seconds: Fraction, lasts: Fraction) -> None:
        """A frame's picture, shown from a time on for so long; times rise."""
        pts = int(seconds * TICKS)
        if pts <= self._last:
            return
        self._last = pts
        rgb = picture_of(_on_grey(frame.pixels), self.width, self.height)
        native = self._scaler.reformat(
            VideoFrame.from_ndarray(rgb, "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        native.pts, native.time_base = pts, Fraction(1, TICKS)
        self._lasts[pts] = max(1, int(lasts * TICKS))
        self._write(self._stream.encode(native))

    def _write(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            if packet.pts is not None:
                packet.duration = self._lasts.pop(packet.pts, packet.duration)
            self._out.mux_one(packet)

    def finish(self) -> bytes:
        """Close the film; gives it when it is in memory."""
        self._write(self._stream.encode())
        self._out.close()
        return self._memory.getvalue()


def shown_size(film: Source, side: int) -> tuple[int, int]:
    """Width and height, even, of the film as it is seen, in square pixels, no larger than ``side``."""
    wide = float(film.width * film.video.sar)
    scale = min(1.0, side / max(wide, film.height))
    width, height = (max(16, 2 * round(each * scale / 2)) for each in (wide, film.height))
    return width, height


def is_watchable(film: Source) -> bool:
    """Whether browsers play the film as it is."""
    pictures, sounds = PLAYED.get(film.path.suffix.lower(), (set(), set()))
    heard = {stream.codec for stream in film.streams if stream.kind == "audio"}
    return film.video.codec in pictures and film.video.pix_fmt == "yuv420p" and heard <= sounds


def watchable(path: Path, copy: Path, progress: Callable[[int, int], None] | None = None) -> Path:
    """The film itself if browsers play it; else a small copy of its pictures, written to ``copy``.

    Raises:
        InputError: it cannot be read.
    """
    film = probe(path).as_edited("tonemap")
    if is_watchable(film):
        return path
    small = SmallFilm(film, copy)
    start, tick = film.pts[0] * film.time_base, film.time_base
    with closing(read(film, Notes())) as frames:
        for frame in frames:
            small.add(frame, frame.pts * tick - start, frame.duration * tick)
            give_back(film.height * film.width)
            if progress:
                progress(frame.index + 1, film.frames)
    small.finish()
    return copy


def still(film: Source, index: int) -> bytes:
    """One frame of a film as a JPEG picture, no larger than ``STILL``.

    Raises:
        InputError: it cannot be read.
    """
    width, height = shown_size(film, STILL)
    last: Frame | None = None
    with closing(stretch(film, index or None)) as frames:
        for frame in frames:
            last = frame
            if frame.index >= index:
                break
    pixels = _on_grey(last.pixels) if last is not None else None
    picture: NDArray[np.uint8] = (
        picture_of(pixels, width, height)
        if pixels is not None
        else np.full((height, width, 3), 128, np.uint8)
    )
    _, data = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 88])
    return data.tobytes()


def _on_grey(pixels: Tensor) -> Tensor:
    """A picture ``(3 or 4, H, W)`` as ``(3, H, W)``."""
    if len(pixels) == 3:
        return pixels
    return pixels[:3] * pixels[3:] + 0.5 * (1 - pixels[3:])
