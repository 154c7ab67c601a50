"""Small films in memory or in a file that any browser plays: H.264 in MP4."""

from array import array
from base64 import b64encode
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import PictureType, VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream

from vedit.pages.small import Rgb
from vedit.video.source import BT709, LIMITED

TICKS = 90_000
"""Of a small film's clock, a second: what MP4 films commonly have."""


@dataclass(frozen=True)
class Passage:
    """A run of the preview: it starts there and in the film at these seconds, and lasts so long."""

    preview: float
    film: float
    length: float


@dataclass(frozen=True)
class Preview:
    """A small film for a page: ``films`` of ``width`` x ``height`` in an MP4 file, one above the other.

    ``frames`` are the times at which its pictures begin, ``passages`` where in the film they come from.
    """

    data: bytes
    width: int
    height: int
    frames: tuple[float, ...]
    passages: tuple[Passage, ...]

    @property
    def text(self) -> str:
        """The file as text that a page can hold."""
        return b64encode(self.data).decode()

    @property
    def times(self) -> dict[str, object]:
        """The times as the page's player takes them."""
        return {
            "frames": [round(seconds, 5) for seconds in self.frames],
            "passages": [[one.preview, one.film, one.length] for one in self.passages],
        }


class Encoder:
    """Pictures into packets, and those into a file: what is written, and when it is shown, is the caller's.

    Args:
        width: even, as is ``height``.
        height: of the pictures.
        crf: quality; lower is better.
        file: where it goes; None: into memory.
    """

    def __init__(self, width: int, height: int, crf: int, file: Path | None = None) -> None:
        self._memory = BytesIO()
        movie = {"movflags": "+faststart"} if file else {}  # a file is read again for it
        self._out = av.open(file or self._memory, "w", format="mp4", options=movie)
        options = {"crf": str(crf), "preset": "veryfast", "bf": "0", "g": "50"}
        options |= {"forced-idr": "1", "rc-lookahead": "10"}
        self._stream: VideoStream = self._out.add_stream("libx264", rate=30, options=options)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        context = self._stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.colorspace, context.color_range = BT709, LIMITED
        context.color_primaries = context.color_trc = 1
        context.thread_count = 1
        self._scaler = VideoReformatter()

    def encode(self, rgb: Rgb, pts: int, *, key: bool = False) -> "list[Packet[VideoStream]]":
        """A picture, shown from a time on; times rise. A ``key`` picture needs none of those before it."""
        native = self._scaler.reformat(
            VideoFrame.from_ndarray(rgb, "rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        native.pts, native.time_base = pts, Fraction(1, TICKS)
        native.pict_type = PictureType.I if key else PictureType.NONE
        return self._stream.encode(native)

    def rest(self) -> "list[Packet[VideoStream]]":
        """What is still to come of the pictures that went in."""
        return self._stream.encode()

    def write(self, packet: "Packet[VideoStream]", pts: int, lasts: int) -> None:
        """A packet, shown from a time on for so long."""
        packet.stream, packet.pts, packet.dts, packet.duration = self._stream, pts, pts, lasts
        self._out.mux_one(packet)

    def close(self) -> bytes:
        """End the file; gives it when it is in memory."""
        self._out.close()
        return self._memory.getvalue()


class SmallFilm:
    """A film of pictures, each shown until the next one comes. Takes what :class:`Encoder` takes."""

    def __init__(self, width: int, height: int, crf: int, file: Path | None = None) -> None:
        self.width, self.height = width, height
        self.times: array[int] = array("q")
        """When its pictures begin, in ticks."""
        self._encoder = Encoder(width, height, crf, file)
        self._waiting: Packet[VideoStream] | None = None

    def add(self, rgb: Rgb, seconds: Fraction) -> None:
        """A picture, shown from a time on; one that is not later than the last is left out."""
        pts = int(seconds * TICKS)
        if self.times and pts <= self.times[-1]:
            return
        self.times.append(pts)
        self._take(self._encoder.encode(rgb, pts))

    def finish(self, end: Fraction) -> bytes:
        """Close the film, which is over then; gives it when it is in memory."""
        self._take(self._encoder.rest())
        self._write(int(end * TICKS))
        return self._encoder.close()

    def _take(self, packets: "list[Packet[VideoStream]]") -> None:
        for packet in packets:
            self._write(packet.pts or 0)
            self._waiting = packet

    def _write(self, until: int) -> None:
        """The packet that waits: what comes next says how long it lasts."""
        if self._waiting is not None:
            pts = self._waiting.pts or 0
            self._encoder.write(self._waiting, pts, max(1, until - pts))
        self._waiting = None
