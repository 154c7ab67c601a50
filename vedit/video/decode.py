"""Opening a film and decoding its picture stream, upright."""

import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.codec.context import ThreadType
from av.container import InputContainer
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vedit.errors import InputError

Signs = tuple[int, int, int, int]
STRAIGHT: Signs = (1, 0, 0, 1)
TURNS: dict[Signs, tuple[int, bool, tuple[tuple[str, str | None], ...]]] = {
    # signs of a, b, c, d in (x', y') = (a x + c y, b x + d y): (clockwise degrees, mirrored first, lossless filters)
    STRAIGHT: (0, False, ()),
    (-1, 0, 0, 1): (0, True, (("hflip", None),)),
    (0, 1, -1, 0): (90, False, (("transpose", "clock"),)),
    (0, -1, -1, 0): (90, True, (("transpose", "clock_flip"),)),
    (-1, 0, 0, -1): (180, False, (("hflip", None), ("vflip", None))),
    (1, 0, 0, -1): (180, True, (("vflip", None),)),
    (0, -1, 1, 0): (270, False, (("transpose", "cclock"),)),
    (0, 1, 1, 0): (270, True, (("transpose", "cclock_flip"),)),
}
"""The eight ways a display matrix can turn a picture by right angles."""


def open_film(path: Path) -> InputContainer:
    """A film opened for reading; the caller closes it.

    Raises:
        InputError: it is missing, a folder, empty, unreadable or no media file.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist", "Check the path.")
    if path.is_dir():
        raise InputError(f"{path} is a folder", "Give a film file.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read", "Check its permissions.")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes)", "Copy or download it again.")
    try:
        # An absolute path is never taken for a protocol ("a:b.mp4") or an option ("-x.mp4").
        return av.open(str(path.absolute()), "r", metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        with path.open("rb") as file:
            head = file.read(12)
        if head[4:8] == b"ftyp":
            raise InputError(
                f"{path.name} was cut off before its index (moov) was written",
                "Copy it again, or rebuild the index with a tool such as untrunc.",
            ) from error
        raise InputError(
            f"{path.name} is not a media file that FFmpeg can read", "Give a film file."
        ) from error


def picture_stream(film: InputContainer, path: Path) -> VideoStream:
    """The stream whose pictures are edited: the first video stream that is not cover art.

    Raises:
        InputError: there is none.
    """
    for stream in film.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    found = ", ".join(f"{s.type} ({codec_name(s)})" for s in film.streams) or "nothing"
    raise InputError(f"{path.name} has no video stream; found {found}", "Give a file with moving pictures.")


def codec_name(stream: Stream) -> str:
    """The name of a stream's format, such as ``aac``; ``unknown`` when FFmpeg cannot tell."""
    context = stream.codec_context
    return context.codec.canonical_name if context is not None else getattr(stream, "name", None) or "unknown"


class Decoder:
    """Packets of one stream to pictures, turned upright and all of the first picture's size and format."""

    def __init__(self, stream: VideoStream, path: Path) -> None:
        context: VideoCodecContext | None = stream.codec_context
        if context is None:
            raise InputError(
                f"{path.name}: FFmpeg has no decoder for its video", "Convert it to H.264 first."
            )
        tags = {k.lower(): v for k, v in stream.metadata.items()}
        if tags.get("alpha_mode") == "1" and context.name in ("vp8", "vp9"):
            # FFmpeg's own decoders drop the alpha of VP8 and VP9; libvpx keeps it.
            context = av.CodecContext.create("libvpx" if context.name == "vp8" else "libvpx-vp9", "r")
        # With PyAV's log callback on, a frame thread that logs and a caller that frees it wait for each other forever.
        context.thread_type = ThreadType.AUTO if av.logging.get_level() is None else ThreadType.SLICE
        self.context = context
        self.resized = False
        """Whether a picture came in another size or format and had to be fitted to the first."""
        self.matrix: Signs | None = None
        """Signs of the first picture's display matrix, which turns them all."""
        self._stored: tuple[int, int, str] | None = None
        self._shape: tuple[int, int, str] | None = None
        self._graphs: dict[tuple[int, int, str], Graph | None] = {}

    def decode(self, packet: "Packet[VideoStream] | None") -> list[VideoFrame]:
        """Pictures that became ready; None flushes. A packet too damaged to decode gives none."""
        try:
            pictures = self.context.decode(packet)
        except FFmpegError:
            return []
        return [self.upright(picture) for picture in pictures]

    def upright(self, picture: VideoFrame) -> VideoFrame:
        """The picture turned as its display matrix says, without loss, in the shape of the first one."""
        if self.matrix is None:
            # Only once: a picture whose side data was looked at stays in memory until Python's cycle collector runs.
            self.matrix = display_matrix(picture)
        stored = (picture.width, picture.height, picture.format.name)
        if stored not in self._graphs:
            filters = list(TURNS.get(self.matrix, TURNS[STRAIGHT])[2])
            if self._shape is not None and stored != self._stored:
                self.resized = True
                width, height, pix_fmt = self._shape
                filters += [
                    ("scale", f"{width}:{height}:force_original_aspect_ratio=decrease"),
                    ("pad", f"{width}:{height}:-1:-1"),
                    ("format", pix_fmt),
                ]
            self._graphs[stored] = filter_graph(picture, filters) if filters else None
        graph = self._graphs[stored]
        if graph is not None:
            pts, tags = picture.pts, colour_of(picture)
            graph.vpush(picture)
            picture = graph.vpull()
            picture.pts = pts
            picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc = tags
        if self._shape is None:
            self._stored = stored
            self._shape = (picture.width, picture.height, picture.format.name)
        return picture


def colour_of(picture: VideoFrame) -> tuple[int, int, int, int]:
    """Matrix, range, primaries and transfer as tagged."""
    return picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc


def display_matrix(picture: VideoFrame) -> Signs:
    """Signs of the four turning entries of a picture's display matrix; the identity when it has none."""
    data: Any = picture.side_data.get("DISPLAYMATRIX")
    if data is None:
        return STRAIGHT
    a, b, _, c, d, *_ = struct.unpack("=9i", memoryview(data))
    one = max(abs(v) for v in (a, b, c, d)) or 1
    signs = [0 if abs(v) < 0.02 * one else (1 if v > 0 else -1) for v in (a, b, c, d)]
    return signs[0], signs[1], signs[2], signs[3]


def filter_graph(picture: VideoFrame, filters: list[tuple[str, str | None]]) -> Graph:
    """A configured chain of filters for pictures like this one."""
    graph = Graph()
    buffer = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=Fraction(1, 1000)
    )
    graph.link_nodes(buffer, *(graph.add(name, args) for name, args in filters), graph.add("buffersink"))
    graph.configure()
    return graph


def picture_packets(film: InputContainer, stream: VideoStream) -> "Iterator[Packet[VideoStream]]":
    """The packets of a stream that show a picture, in file order; where the file is damaged beyond reading, it ends."""
    is_vp8 = stream.codec_context is not None and stream.codec_context.name == "vp8"
    demux = film.demux(stream)
    while True:
        try:
            packet = next(demux)
        except (StopIteration, FFmpegError):
            return
        # A VP8 packet whose show_frame bit is off only refreshes a reference; it has a time but no picture.
        if packet.size and not (is_vp8 and not bytes(packet)[0] & 0x10):
            yield packet
