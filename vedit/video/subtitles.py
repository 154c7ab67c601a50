"""Text subtitles that a container cannot hold, rewritten in the format that it can."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.subtitles.stream import SubtitleStream
from av.subtitles.subtitle import AssSubtitle, SubtitleSet

TEXT_CODEC = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
"""The text subtitles of each container."""
OPEN_END = Fraction(5)
"""Seconds that a cue is shown whose end is not said."""
DRAWING = re.compile(rb"\\p[1-9]")


@dataclass(frozen=True)
class Cue:
    """Ticks from when to when a text is shown; ``event`` is an ASS event as FFmpeg has it (nine fields)."""

    start: int
    end: int
    event: bytes


def style_losses(old: str, new: str) -> str:
    """What a change of text format costs, in words; empty when nothing."""
    if old in ("ass", "ssa"):
        return "positions and effects are lost" if new == "mov_text" else "its styling is lost"
    return "positions are lost" if old == "webvtt" else ""


def add_subtitles(out: OutputContainer, source: SubtitleStream, codec: str) -> SubtitleStream:
    """A stream for converted subtitles, set up but not opened, counting in the source's ticks.

    Raises:
        FFmpegError: the source has no decoder that works.
    """
    source.codec_context.open(strict=False)
    stream = out.add_stream(codec)
    assert isinstance(stream, SubtitleStream)  # noqa: S101 - TEXT_CODEC are subtitle encoders
    stream.codec_context.subtitle_header = source.codec_context.subtitle_header
    stream.codec_context.time_base = stream.time_base = source.time_base or Fraction(1, 1000)
    return stream


class SubtitleConverter:
    """Packets of one text subtitle stream, rewritten.

    MP4 shows one cue at a time, so where cues overlap there they are shown together, in as many pieces as it takes.
    """

    def __init__(self, source: SubtitleStream, target: SubtitleStream, codec: str) -> None:
        self.target = target
        self.skipped = 0
        """Packets that could not be read."""
        self._source = source
        self._one_at_a_time = codec == "mov_text"
        self._escape = codec == "webvtt"
        self._shown: list[Cue] = []
        self._clock = 0

    def convert(self, packet: "Packet[SubtitleStream]") -> "Iterator[Packet[SubtitleStream]]":
        """The rewritten packets that became ready."""
        cue = self._read(packet)
        if cue is None:
            return
        if not self._one_at_a_time:
            yield from self._written([cue], cue.start, cue.end)
            return
        yield from self._until(cue.start)
        self._shown.append(cue)

    def flush(self) -> "Iterator[Packet[SubtitleStream]]":
        """What is still to be shown."""
        yield from self._until(max((cue.end for cue in self._shown), default=0))

    def _read(self, packet: "Packet[SubtitleStream]") -> Cue | None:
        start = packet.pts if packet.pts is not None else packet.dts
        try:
            decoded = self._source.codec_context.decode2(packet)
        except FFmpegError:
            decoded = None
            self.skipped += 1
        if decoded is None or start is None:
            return None
        events = [
            part.ass for part in decoded if isinstance(part, AssSubtitle) and not DRAWING.search(part.ass)
        ]
        if not events:
            return None
        return Cue(start, start + (packet.duration or round(OPEN_END / packet.time_base)), together(events))

    def _until(self, time: int) -> "Iterator[Packet[SubtitleStream]]":
        """Show what is on screen up to a time, a piece for every change."""
        while self._shown:
            self._clock = max(self._clock, min(cue.start for cue in self._shown))
            stop = min(time, *(cue.end for cue in self._shown if cue.end > self._clock), time)
            if stop > self._clock:
                yield from self._written(self._shown, self._clock, stop)
                self._clock = stop
            self._shown = [cue for cue in self._shown if cue.end > self._clock]
            if self._clock >= time:
                return

    def _written(self, cues: list[Cue], start: int, stop: int) -> "Iterator[Packet[SubtitleStream]]":
        event = together([cue.event for cue in cues])
        if self._escape:  # FFmpeg's encoder does not, and players take "1 < 2" for a tag
            event = event.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
        try:
            packet = self.target.codec_context.encode_subtitle(SubtitleSet.create(event, 0, 0))
        except FFmpegError:
            self.skipped += 1
            return
        packet.pts = packet.dts = start
        packet.duration = stop - start
        assert self._source.time_base is not None  # noqa: S101 - it has packets
        packet.time_base = self._source.time_base
        yield packet


def together(events: list[bytes]) -> bytes:
    """ASS events as one: the texts under each other, each in its own style."""
    first, *others = events
    for event in others:
        fields = event.split(b",", 8)
        first += rb"\N{\r" + fields[2] + b"}" + fields[8]
    return first
