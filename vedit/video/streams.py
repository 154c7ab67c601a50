"""Every other stream of the film, copied packet by packet in step with the picture."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from io import BytesIO
from typing import Literal

import av
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream

from vedit.errors import UsageError
from vedit.video.decode import open_film
from vedit.video.source import Source, StreamFacts

STALE_TAGS = (
    "encoder",
    "duration",
    "major_brand",
    "minor_version",
    "compatible_brands",
    "rotate",
    "alpha_mode",
)
"""Tags that describe the old file, not the film; also whatever starts with ``_statistics`` or ``number_of``."""


@dataclass(frozen=True)
class StreamPlan:
    """What becomes of a stream: ``codec`` is its format in the output, ``reason`` says why it is not a plain copy."""

    facts: StreamFacts
    how: Literal["copy", "convert", "drop"]
    codec: str = ""
    reason: str = ""


@dataclass
class Copied:
    """A stream that was copied: how many packets, and the md5 of their payloads in order."""

    facts: StreamFacts
    packets: int = 0
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    @property
    def md5(self) -> str:
        return self.digest.hexdigest()

    def take(self, packet: "Packet[Stream]") -> None:
        if self.facts.codec == "mov_text" and bytes(packet) == b"\0\0":
            return  # an empty cue: MP4 writers put these into gaps as they see fit
        self.packets += 1
        self.digest.update(payload(packet, self.facts.codec))


def payload(packet: "Packet[Stream]", codec: str) -> bytes:
    """A packet's content; for AAC without the ADTS header, which transport streams carry and others do not."""
    data = bytes(packet)
    if codec == "aac" and len(data) > 9 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


def plan_streams(source: Source, container: str, audio: str) -> tuple[StreamPlan, ...]:
    """What becomes of every stream but the edited picture, in file order.

    Raises:
        UsageError: an audio stream cannot be copied and ``audio`` is ``"copy"``.
    """
    plans = []
    with open_film(source.path) as film:
        for facts in source.streams:
            name = f"{facts.kind} stream {facts.index} ({facts.codec})"
            if facts.is_chapter_track:
                continue  # chapters themselves are copied
            if facts.kind == "audio" and audio == "none":
                plans.append(StreamPlan(facts, "drop", reason=f"{name} is left out"))
            elif accepts(film.streams[facts.index], container):
                plans.append(StreamPlan(facts, "copy", facts.codec))
            elif facts.kind == "audio":
                raise UsageError(
                    f"{name} of {source.path.name} cannot be copied into a {container} file",
                    "Write .mkv, which takes every kind of sound, or leave the sound out with audio='none'.",
                )
            else:
                plans.append(
                    StreamPlan(facts, "drop", reason=f"{name} is left out: a {container} file cannot hold it")
                )
    return tuple(plans)


def accepts(stream: Stream, container: str) -> bool:
    """Whether a container takes a stream, found out by writing a header: FFmpeg's own list of codecs is wrong."""
    try:
        with av.open(BytesIO(), "w", format=container) as trial:
            trial.add_stream_from_template(stream, opaque=True)
            trial.start_encoding()
    except (FFmpegError, ValueError, OSError):
        return False
    return True


def kept_tags(tags: dict[str, str]) -> dict[str, str]:
    """The tags that still hold in a new file."""
    return {
        k: v
        for k, v in tags.items()
        if k.lower() not in STALE_TAGS and not k.lower().startswith(("_statistics", "number_of", "bps"))
    }


class Copier:
    """Copies streams from a second handle on the source, as far as the picture has got, so nothing piles up.

    Args:
        film: the source, opened once more.
        kept: the streams to copy.
        out: where to; the streams are added by ``add``, the packets by ``until``.
        shift: seconds added to every time.
    """

    def __init__(
        self, film: InputContainer, kept: list[StreamFacts], out: OutputContainer, shift: Fraction
    ) -> None:
        self.film = film
        self.out = out
        self.shift = shift
        self.copied = {facts.index: Copied(facts) for facts in kept}
        self.repaired = 0
        """Packets whose decoding time did not rise and was moved on by a tick."""
        self._targets: dict[int, Stream] = {}
        self._last: dict[int, int] = {}
        self._packets: Iterator[Packet[Stream]] | None = None
        self._waiting: Packet[Stream] | None = None

    def add(self, index: int) -> None:
        """Make room in the output for one of the kept streams; call in the order that the output should have."""
        stream = self.film.streams[index]
        target = self.out.add_stream_from_template(stream, opaque=True)
        target.metadata.update(kept_tags(stream.metadata))
        target.disposition = stream.disposition
        self._targets[index] = target

    def until(self, seconds: Fraction | None) -> None:
        """Copy what comes before a time; None copies the rest."""
        while True:
            packet = self._waiting or self._next()
            self._waiting = None
            if packet is None:
                return
            if seconds is not None and (packet.dts or 0) * packet.time_base > seconds:
                self._waiting = packet
                return
            self.copied[packet.stream.index].take(packet)
            packet.stream = self._targets[packet.stream.index]
            self.out.mux_one(packet)

    def _next(self) -> "Packet[Stream] | None":
        """The next packet with content, its times shifted and rising; None at the end or where the file breaks off."""
        if self._packets is None:
            streams = [self.film.streams[i] for i in self._targets]
            self._packets = self.film.demux(streams) if streams else iter(())  # demux([]) would mean all
        while True:
            try:
                packet = next(self._packets, None)
            except FFmpegError:
                return None
            if packet is None:
                return None
            if not packet.size:
                continue
            index, offset = packet.stream.index, round(self.shift / packet.time_base)
            attached = packet.stream.disposition & Disposition.attached_pic
            dts = packet.dts if packet.dts is not None else packet.pts
            dts = (dts or 0) + (0 if attached else offset)
            if index in self._last and dts <= self._last[index]:
                dts = self._last[index] + 1
                self.repaired += 1
            if packet.pts is not None or attached:
                packet.pts = max((packet.pts or 0) + (0 if attached else offset), dts)
            packet.dts = self._last[index] = dts
            return packet
