"""A stream of frames as a film, with everything else of the source beside it."""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from vedit.errors import OutputError, UsageError
from vedit.frame import Frame, Notes, Timing
from vedit.video.colour import Converter, keep_unchanged
from vedit.video.decode import open_film
from vedit.video.encode import Encoding, add_video, choose_encoding, container_for, muxer_options
from vedit.video.source import Source, StreamFacts
from vedit.video.streams import Copier, kept_tags, plan_streams
from vedit.video.verify import worst_time_error


@dataclass(frozen=True)
class Output:
    """Where a film goes and how: ``codec`` an encoder's name or "auto", ``crf`` its quality, ``audio`` copy or none."""

    path: Path
    codec: str = "auto"
    crf: float | None = None
    audio: str = "copy"
    overwrite: bool = False


@dataclass(frozen=True)
class WrittenStream:
    """A copied stream: ``md5`` of its packets, equal to the source's."""

    kind: str
    codec: str
    language: str | None
    packets: int
    md5: str


@dataclass(frozen=True)
class Written:
    """A finished film. ``pts_identical``: as many pictures as the source, each at its time to the container's tick."""

    path: Path
    container: str
    codec: str
    pix_fmt: str
    frames: int
    streams: tuple[WrittenStream, ...]
    pts_identical: bool
    worst_time_error: Fraction


def check_output(source: Source, output: Output) -> None:
    """Complain about everything that can be known before work starts.

    Raises:
        UsageError: the film cannot be edited; the output is the source, exists, or has an unknown ending; codec, crf
            or audio are not possible.
        OutputError: the folder is missing or cannot be written to.
    """
    plan_output(source, output)


def plan_output(source: Source, output: Output) -> tuple[Encoding, list[StreamFacts], list[str]]:
    """How the picture is encoded, which streams are copied, and a warning for everything the output cannot hold.

    Raises:
        UsageError, OutputError: as ``check_output``.
    """
    source.check_editable()
    path = Path(output.path)
    if output.audio not in ("copy", "none"):
        raise UsageError(f"audio is {output.audio!r}", "Use 'copy' or 'none'.")
    container = container_for(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "Give a file name.")
    if path.exists() and path.samefile(source.path):
        raise UsageError(f"{path} is the source itself", "Write to another file.")
    if path.exists() and not output.overwrite:
        raise UsageError(f"{path} exists", "Choose another name, or allow overwriting (--overwrite).")
    if not path.parent.is_dir():
        raise OutputError(f"folder {path.parent} does not exist", "Create it first.")
    try:
        part_path(path).touch()
        part_path(path).unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write to {path.parent}: {error.strerror}", "Choose another folder."
        ) from error
    encoding = choose_encoding(source, container, output.codec, output.crf)
    plans = plan_streams(source, container, output.audio)
    kept = [plan.facts for plan in plans if plan.how != "drop"]
    return encoding, kept, [*encoding.losses, *(plan.reason for plan in plans if plan.reason)]


def part_path(path: Path) -> Path:
    """The temporary file beside the output; its name is short however long the output's is."""
    return path.with_name(f".{path.stem[:40]}.part-{os.getpid()}{path.suffix}")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """FFmpeg's and the disk's complaints as OutputError."""
    try:
        yield
    except (FFmpegError, OSError) as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        raise OutputError(
            f"{path.name} cannot be written: {'the disk is full' if full else error}",
            "Free some space or choose another folder."
            if full
            else "Try another folder, codec or container.",
        ) from error


class Writer:
    """Encodes frames and copies the source's other streams into a temporary file; ``finish`` makes it the film.

    Use as a context manager: leaving without ``finish`` removes the temporary file.

    Args:
        source: the film whose other streams, tags, chapters and colour are carried over.
        output: as accepted by ``check_output``.
        timing: the clock of the frames that will be added.
        notes: gets a warning for whatever the output cannot hold.

    Raises:
        UsageError, OutputError: as ``check_output``.
    """

    def __init__(self, source: Source, output: Output, timing: Timing, notes: Notes) -> None:
        self.encoding, kept, warnings = plan_output(source, output)
        for warning in warnings:
            notes.warn(warning)
        self.source = source
        self.output = output
        self.timing = timing
        self.path = Path(output.path).absolute()
        self.part = part_path(self.path)
        self.notes = notes
        self._convert = Converter(source.video.colour, source.height, source.video.alpha)
        # No container holds pictures before time 0, so such a film starts there, sound and all.
        self._shift = max(0, -timing.start)
        self._pts: list[int] = []
        self._durations: dict[int, int] = {}
        self._held: Packet[VideoStream] | None = None
        self._first_dts = 0
        self._done = False
        self._film = open_film(source.path)
        with writing(self.path):
            self._out = av.open(
                str(self.part),
                "w",
                format=self.encoding.container,
                container_options=muxer_options(self.encoding.container, *self._clocks(kept)),
            )
        try:
            self._copier = Copier(self._film, kept, self._out, self._shift * timing.time_base)
            self._order = sorted([source.video.index, *(facts.index for facts in kept)])
            for index in self._order:
                if index == source.video.index:
                    self._video = self._add_picture()
                else:
                    self._copier.add(index)
            self._out.metadata.update(kept_tags(self._film.metadata))
            self._out.set_chapters(self._film.chapters())
        except BaseException:  # nobody will leave the `with` that was never entered
            self.__exit__(None, None, None)
            raise

    def _clocks(self, kept: list[StreamFacts]) -> tuple[list[Fraction], list[Fraction]]:
        """The time bases of all picture streams to be written, and those of sound."""
        pictures, others = [self.timing.time_base], []
        for facts in kept:
            base = self._film.streams[facts.index].time_base
            if base and facts.kind == "video" and not facts.is_picture:
                pictures.append(Fraction(base))
            elif base and facts.kind == "audio":
                others.append(Fraction(base))
        return pictures, others

    def _add_picture(self) -> VideoStream:
        old = self._film.streams[self.source.video.index]
        new = add_video(self._out, self.encoding, self.source, self.timing)
        new.metadata.update(kept_tags(old.metadata))
        new.disposition = old.disposition
        return new

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._film.close()
        if not self._done:
            with contextlib.suppress(FFmpegError, OSError, ValueError):
                self._out.close()
            self.part.unlink(missing_ok=True)

    def add(self, frame: Frame) -> None:
        """Encode a frame, and copy the other streams as far as the encoder has got.

        Raises:
            UsageError: its time does not come after the last one's, or its size is another.
            OutputError: the file cannot be written.
        """
        if self._pts and frame.pts <= self._pts[-1]:
            raise UsageError(
                f"frame {frame.index} has pts {frame.pts} after {self._pts[-1]}", "Times must rise."
            )
        picture = self.picture(frame)
        if (picture.width, picture.height) != (self.source.width, self.source.height):
            raise UsageError(
                f"frame {frame.index} is {picture.width}x{picture.height}",
                f"Keep the film's size, {self.source.width}x{self.source.height}.",
            )
        self._pts.append(frame.pts)
        picture.pts = frame.pts + self._shift
        picture.time_base = self.timing.time_base
        picture.pict_type = 0  # let the encoder choose its own key frames
        self._durations[picture.pts] = frame.duration
        with writing(self.path):
            for packet in self._video.encode(picture):
                self._mux(packet)

    def picture(self, frame: Frame) -> VideoFrame:
        """The native picture to encode for a frame, in the encoder's pixel format."""
        native = frame.native
        if isinstance(native, VideoFrame):
            kept = self._convert.convert(native, self.encoding.pix_fmt, self.encoding.colour)
            if frame.changed is None:
                return kept
        picture = self._convert.native(frame.pixels, self.encoding.pix_fmt, self.encoding.colour)
        if isinstance(native, VideoFrame) and frame.changed is not None:
            keep_unchanged(picture, kept, frame.changed.cpu())
        return picture

    def _mux(self, packet: "Packet[VideoStream]") -> None:
        """Send the packet before this one on its way: the last one's duration is only known at the end."""
        packet.duration = self._durations.pop(packet.pts or 0, 0)
        if self._held is None:
            self._first_dts = packet.dts or 0
        else:
            self._send(self._held)
        self._held = packet

    def _send(self, packet: "Packet[VideoStream]") -> None:
        self._copier.until((packet.dts or 0) * self.timing.time_base)
        self._out.mux_one(packet)

    def finish(self) -> Written:
        """Finish the file, read it back, and give it its name.

        Raises:
            OutputError: it cannot be written, or what was written is not what was meant.
        """
        if not self._pts:
            raise OutputError("no frames to write", "Give at least one frame.")
        with writing(self.path):
            for packet in self._video.encode(None):
                self._mux(packet)
            if self._held is not None:
                if self.encoding.container in ("mp4", "mov"):
                    # MP4 stores how long packets last in decoding order; this makes the sum exact.
                    span = self.timing.end - self._pts[0]
                    self._held.duration = max(1, span - ((self._held.dts or 0) - self._first_dts))
                self._send(self._held)
            self._copier.until(None)
            self._out.close()
        copied = [(self._order.index(i), c) for i, c in self._copier.copied.items()]
        if self._copier.repaired:
            self.notes.warn(
                f"{self._copier.repaired} copied packets had times that did not rise; moved by a tick"
            )
        error = worst_time_error(
            self.part, self._order.index(self.source.video.index), self._pts, self.timing.time_base, copied
        )
        with writing(self.path):
            with self.part.open("rb") as file:
                os.fsync(file.fileno())
            if self.path.exists() and not self.output.overwrite:
                raise OutputError(f"{self.path} appeared meanwhile", "Choose another name.")
            os.replace(self.part, self.path)
        self._done = True
        tick_scale = self.source.time_base / self.timing.time_base
        return Written(
            path=self.path,
            container=self.encoding.container,
            codec=self.encoding.codec,
            pix_fmt=self.encoding.pix_fmt,
            frames=len(self._pts),
            streams=tuple(
                WrittenStream(c.facts.kind, c.facts.codec, c.facts.language, c.packets, c.md5)
                for _, c in copied
            ),
            pts_identical=len(self._pts) == self.source.frames
            and all(a == b * tick_scale for a, b in zip(self._pts, self.source.pts, strict=True)),
            worst_time_error=error,
        )
