"""A segment: a run of pictures encoded by an encoder of its own, in a file of its own that plays."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path

import av
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vedit.errors import UsageError
from vedit.frame import Frame, Timing
from vedit.video.colour import Converter
from vedit.video.encode import Encoding, add_video, muxer_options
from vedit.video.priority import same_priority
from vedit.video.source import Source


class SegmentWriter:
    """Encodes frames into a file; ``finish`` puts it on disk.

    Args:
        path: the file.
        source: the film, for the size and colour of the pictures.
        encoding: how.
        timing: the clock of the frames.
        convert: from pixels to native pictures; kept by the caller because it is costly to make.
        shift: ticks added to every time.
    """

    def __init__(
        self, path: Path, source: Source, encoding: Encoding, timing: Timing, convert: Converter, shift: int
    ) -> None:
        self.path = path
        self.source = source
        self.encoding = encoding
        self.timing = timing
        self.packets: list[tuple[int, int]] = []
        """(pts, duration) of every packet so far, in decoding order, in ticks of ``timing``; without the shift."""
        self._convert = convert
        self._shift = shift
        self._times: dict[int, tuple[int, int]] = {}
        options = muxer_options(encoding.container, [timing.time_base], [])
        self._out = av.open(str(path), "w", format=encoding.container, container_options=options)
        self._stream: VideoStream = add_video(self._out, encoding, source, timing)

    def add(self, frame: Frame) -> None:
        """Encode a frame.

        Raises:
            UsageError: it has another size than the film.
        """
        picture = self.picture(frame)
        if (picture.width, picture.height) != (self.source.width, self.source.height):
            raise UsageError(
                f"frame {frame.index} is {picture.width}x{picture.height}",
                f"Keep the film's size, {self.source.width}x{self.source.height}.",
            )
        picture.time_base = Fraction(self._stream.codec_context.time_base)
        picture.pts = round((frame.pts + self._shift) * self.timing.time_base / picture.time_base)
        picture.pict_type = 0  # let the encoder choose its own key frames
        opens = not self._times and not self.packets
        self._times[picture.pts] = frame.pts, frame.duration
        with same_priority() if opens else contextlib.nullcontext():
            self._mux(picture)

    def picture(self, frame: Frame) -> VideoFrame:
        """The native picture to encode for a frame, in the encoder's pixel format."""
        pix_fmt, colour = self.encoding.pix_fmt, self.encoding.colour
        native = frame.native
        if isinstance(native, VideoFrame):
            kept = self._convert.convert(native, pix_fmt, colour)
            if frame.changed is None:
                return kept
            return self._convert.retouched(kept, frame.part, frame.changed, colour)
        return self._convert.native(frame.pixels, pix_fmt, colour)

    def _mux(self, picture: VideoFrame | None) -> None:
        for packet in self._stream.encode(picture):
            self.packets.append(self._times.pop(packet.pts or 0))
            self._out.mux_one(packet)

    def finish(self) -> int:
        """Flush the encoder and put the file on disk; returns its size in bytes."""
        self._mux(None)
        self._out.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def abandon(self) -> None:
        """Let go of an unfinished segment; the file is left as it is."""
        with contextlib.suppress(FFmpegError, OSError, ValueError):
            self._out.close()
