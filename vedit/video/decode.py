"""Opening a film and decoding its picture stream, upright."""

import os
import struct
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import chain
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

from vedit.errors import InputError, UsageError, VeditError
from vedit.frame import Fault
from vedit.video.limits import FORMATS, check_size, decoder_options
from vedit.video.source import VideoFacts

Signs = tuple[int, int, int, int]
STRAIGHT: Signs = (1, 0, 0, 1)
Filters = tuple[tuple[str, str | None], ...]
TURNS: dict[Signs, tuple[int, bool, Filters]] = {
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


def open_film(path: Path, *, export_xmp: bool = False) -> InputContainer:
    """A film opened for reading; the caller closes it. Nothing but this one file is ever opened for it.

    With ``export_xmp`` the packet of XMP that a MOV file may have is among its tags, as "xmp".

    Raises:
        InputError: it is missing, a folder, empty, unreadable or no media file, or its pictures are too large.
        UsageError: it is a still picture, or a list of other files.
    """
    try:
        path.stat()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        problem = "does not exist" if missing else f"cannot be read: {error.strerror}"
        raise InputError(f"{path} {problem}", "Check the path.") from error
    if path.is_dir():
        raise InputError(f"{path} is a folder", "Give a film file.")
    if not path.is_file():
        raise InputError(f"{path} is a device or a pipe, not a file", "Save the film as a file first.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} cannot be read", "Check its permissions.")
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty (0 bytes)", "Copy or download it again.")
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": FORMATS,
        **({"export_xmp": "1"} if export_xmp else {}),
        **decoder_options(),  # for the pictures that FFmpeg decodes while it opens the film
    }
    try:
        # An absolute path is never taken for a protocol ("a:b.mp4") or an option ("-x.mp4").
        film = av.open(str(path.absolute()), "r", options=options, metadata_errors="replace")
    except (FFmpegError, OSError, ValueError) as error:
        raise not_a_film(path) from error
    try:
        for stream in film.streams.video:
            if stream.codec_context is not None:
                check_size(path.name, stream.codec_context.width, stream.codec_context.height)
                stream.codec_context.options = decoder_options()
    except VeditError:
        film.close()
        raise
    return film


def not_a_film(path: Path) -> VeditError:
    """Why FFmpeg would not open a file, by what its first bytes say."""
    with path.open("rb") as file:
        head = file.read(64)
    if head[4:8] == b"ftyp":
        found = any(name == b"moov" for name in boxes(path))
        return InputError(
            f"{path.name} was cut off before its index (moov) was written"
            if not found
            else f"{path.name} is damaged: its index (moov) cannot be read",
            "Copy it again, or rebuild the index with a tool such as untrunc.",
        )
    if head.startswith((b"#EXTM3U", b"ffconcat", b"v=0", b"[playlist]", b"<?xml")):
        return UsageError(
            f"{path.name} is a list of other files, not a film",
            "Give the film itself, or join the files first.",
        )
    if head.startswith((b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*")) or head[8:12] == b"WEBP":
        return UsageError(f"{path.name} is a picture, not a film", "Give a film file.")
    return InputError(f"{path.name} is not a media file that vedit can read", "Give a film file.")


def boxes(path: Path) -> Iterator[bytes]:
    """The names of the parts of an MP4 file (ISO/IEC 14496-12, 4.2), as far as they follow each other."""
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            size = int.from_bytes(head[:4]) if head[:4] != b"\0\0\0\1" else int.from_bytes(head[8:])
            yield head[4:8]
            if size < 8:
                return
            file.seek(size - len(head), os.SEEK_CUR)


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


Kind = tuple[int, int, str]
"""Width, height and pixel format."""


class Decoder:
    """Packets of one stream to pictures, turned upright and all of one size and format.

    Args:
        stream: the picture stream.
        path: of the film, for messages.
        facts: how the pictures are turned and what they become; None takes it from the first picture.
        threads: how many may decode; 0 is one for every core, each with a picture of its own.
    """

    def __init__(
        self,
        stream: VideoStream,
        path: Path,
        facts: VideoFacts | None = None,
        *,
        threads: int = 0,
    ) -> None:
        context: VideoCodecContext | None = stream.codec_context
        if context is None:
            raise InputError(
                f"{path.name}: FFmpeg has no decoder for its video", "Convert it to H.264 first."
            )
        tags = {k.lower(): v for k, v in stream.metadata.items()}
        if tags.get("alpha_mode") == "1" and context.name in ("vp8", "vp9"):
            # FFmpeg's own decoders drop the alpha of VP8 and VP9; libvpx keeps it.
            told = colour_of(context)
            context = av.CodecContext.create("libvpx" if context.name == "vp8" else "libvpx-vp9", "r")
            context.options = decoder_options()
            # What the file says of its colours, and the pictures do not.
            context.colorspace, context.color_range, context.color_primaries, context.color_trc = told
        # With PyAV's log callback on, a frame thread that logs and a caller that frees it wait for each other forever.
        context.thread_type = ThreadType.AUTO if av.logging.get_level() is None else ThreadType.SLICE
        context.thread_count = threads
        self.context = context
        self._name = path.name
        self.damaged = False
        """Whether a packet could not be decoded, or not without making up parts of a picture."""
        self._lost = False
        self.matrix: Signs | None = None
        """Signs of the display matrix, which turns all pictures."""
        self._shape: Kind | None = None
        if facts is not None:
            turn = (facts.rotation, facts.mirrored)
            self.matrix = next(signs for signs, (*known, _) in TURNS.items() if tuple(known) == turn)
            self._shape = (facts.width, facts.height, facts.pix_fmt)
        self._graphs: dict[tuple[Kind, Filters], Graph] = {}

    def decode(self, packet: "Packet[VideoStream] | None") -> list[tuple[VideoFrame, Fault | None]]:
        """Pictures that became ready, each with what is wrong with it; None flushes.

        A packet too damaged to decode gives none.
        """
        try:
            pictures = self.context.decode(packet)
        except FFmpegError:
            self.damaged = True
            self._lost = packet is not None and not packet.is_disposable
            return []
        self.damaged = self.damaged or any(picture.is_corrupt for picture in pictures)
        shown = []
        for picture in pictures:
            # Others are predicted from a lost picture, which not every decoder tells, up to the next key frame.
            self._lost = self._lost and not picture.key_frame
            upright, fault = self.upright(picture)
            shown.append((upright, "concealed" if self._lost else fault))
        return shown

    def upright(self, picture: VideoFrame) -> tuple[VideoFrame, Fault | None]:
        """The picture turned as the display matrix says, without loss, and fitted to the film's shape if it differs."""
        check_size(self._name, picture.width, picture.height)
        fault: Fault | None = "concealed" if picture.is_corrupt else None
        if self.matrix is None:
            # Only once: a picture whose side data was looked at stays in memory until Python's cycle collector runs.
            self.matrix = display_matrix(picture)
        turns = TURNS.get(self.matrix, TURNS[STRAIGHT])[2]
        if turns:
            picture = self._filtered(picture, turns)
        if picture.planes[0].line_size < 0:  # lines lie bottom up in memory, which others do not expect
            picture = self._filtered(picture, (("copy", None),))
        if self._shape is None:
            self._shape = kind(picture)
        if kind(picture) != self._shape:
            width, height, pix_fmt = self._shape
            fit = (
                ("scale", f"{width}:{height}:force_original_aspect_ratio=decrease"),
                ("pad", f"{width}:{height}:-1:-1"),
                ("format", pix_fmt),
            )
            picture, fault = self._filtered(picture, fit), fault or "fitted"
        return picture, fault

    def _filtered(self, picture: VideoFrame, filters: Filters) -> VideoFrame:
        key = (kind(picture), filters)
        if key not in self._graphs:
            self._graphs[key] = filter_graph(picture, filters)
        pts, tags = picture.pts, colour_of(picture)
        self._graphs[key].vpush(picture)
        picture = self._graphs[key].vpull()
        picture.pts = pts
        picture.colorspace, picture.color_range, picture.color_primaries, picture.color_trc = tags
        return picture


def kind(picture: VideoFrame) -> Kind:
    """The size and format of a picture."""
    return picture.width, picture.height, picture.format.name


def colour_of(picture: VideoFrame | VideoCodecContext) -> tuple[int, int, int, int]:
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


def filter_graph(picture: VideoFrame, filters: Filters) -> Graph:
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
    try:
        for packet in film.demux(stream):
            # A VP8 packet whose show_frame bit is off only refreshes a reference; it has a time but no picture.
            if packet.size and not (is_vp8 and not bytes(packet)[0] & 0x10):
                yield packet
    except (FFmpegError, IndexError):  # PyAV trips over streams that damage makes up late in the file
        return


def packets_from(
    film: InputContainer, stream: VideoStream, pts: Sequence[int], index: int
) -> "Iterator[Packet[VideoStream]] | None":
    """The packets from a key frame at or before ``pts[index]`` on; None where the film's format cannot seek so."""
    for back in (0, 16, 64, 256, 1024):
        try:
            film.seek(pts[max(0, index - back)], stream=stream)
        except FFmpegError:
            return None
        packets = picture_packets(film, stream)
        key = next((p for p in packets if p.is_keyframe and not p.is_corrupt), None)
        if key is not None and key.pts is not None and key.pts <= pts[index]:
            return chain([key], packets)
        if back >= index:
            break
    return None
