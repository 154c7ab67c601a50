"""Every other stream of the film, copied packet by packet in step with the picture, or converted on the way."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import chain
from math import ceil
from pathlib import Path
from typing import Any, Protocol

from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError, InvalidDataError, PatchWelcomeError
from av.packet import Packet
from av.stream import AttachmentStream, Stream
from av.subtitles.stream import SubtitleStream

from vedit.errors import OutputError
from vedit.video.decode import open_film
from vedit.video.moved import Moved
from vedit.video.priming import add_primed, primed_header
from vedit.video.sound import SoundConverter, add_sound, choose_sound
from vedit.video.source import StreamFacts
from vedit.video.streams import ATTACHED_AS, MATROSKA, StreamPlan, add_copy, payload
from vedit.video.subtitles import SubtitleConverter, add_subtitles
from vedit.video.tags import kept_tags


@dataclass
class Copied:
    """What went into a stream of the film: how many packets, and the md5 of their payloads in order.

    ``facts`` are the stream's in the film: those of the source, but for the codec of a ``converted`` one.
    """

    facts: StreamFacts
    converted: bool = False
    packets: int = 0
    digest: "hashlib._Hash" = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))

    @property
    def md5(self) -> str:
        return self.digest.hexdigest()

    def take(self, data: bytes) -> None:
        if self.facts.codec == "mov_text" and data == b"\0\0":
            return  # an empty cue: MP4 writers put these into gaps as they see fit
        self.packets += 1
        self.digest.update(data)


class Converter(Protocol):
    """Packets of one stream to packets of another."""

    target: Any
    skipped: int

    def convert(self, packet: Any) -> "Iterator[Packet[Any]]": ...
    def flush(self) -> "Iterator[Packet[Any]]": ...


def writing_order(plans: Sequence[StreamPlan], picture: int) -> list[int]:
    """Indices in the source of the streams to be written, the edited ``picture`` among them, as they should lie.

    In the source's order, but covers and attachments last: that is where every container shows them.
    """
    kept = [plan.facts for plan in plans if plan.how != "drop"]
    last = [facts.index for facts in kept if facts.is_picture or facts.kind == "attachment"]
    return [*sorted([picture, *(f.index for f in kept if f.index not in last)]), *last]


class Copier:
    """Copies streams from a second handle on the source, as far as the picture has got, so nothing piles up.

    Args:
        film: the source, opened once more.
        plans: the streams to copy or convert.
        out: where to; the streams are added by ``add``, the packets by ``until``.
        moved: when a moment of the source is shown in the film. Sound that is copied is only shifted.
    """

    def __init__(
        self, film: InputContainer, plans: Sequence[StreamPlan], out: OutputContainer, moved: Moved
    ) -> None:
        self.film = film
        self.out = out
        self.moved = moved
        self.copied = {
            plan.facts.index: Copied(replace(plan.facts, codec=plan.codec), plan.how == "convert")
            for plan in plans
        }
        self.repaired = 0
        """Packets whose decoding time did not rise and was moved on by a tick."""
        self.empty = {index for index, copied in self.copied.items() if copied.facts.kind != "attachment"}
        """Streams of which nothing was written so far."""
        self.damaged = 0
        """Packets that the container refused because they are not what they should be."""
        self._plans = {plan.facts.index: plan for plan in plans}
        self._targets: dict[int, Stream] = {}
        self._converters: dict[int, Converter] = {}
        self._last: dict[int, int] = {}
        self._packets: Iterator[Packet[Stream]] | None = None
        self._waiting: Packet[Stream] | None = None

    @property
    def skipped(self) -> int:
        """Packets that were too damaged to be copied or converted."""
        return self.damaged + sum(converter.skipped for converter in self._converters.values())

    @property
    def unheard(self) -> Fraction:
        """Seconds of sound at the source's beginning that have no place in the film."""
        sounds = [one for one in self._converters.values() if isinstance(one, SoundConverter)]
        return max((sound.unheard for sound in sounds), default=Fraction(0))

    def add(self, index: int) -> None:
        """Make room in the output for one of the kept streams; call in the order that the output should have."""
        stream, plan = self.film.streams[index], self._plans[index]
        container = self.out.format.name
        if plan.how == "convert":
            converter = self._converter(stream, plan)
            self._converters[index] = converter
            target: Stream = converter.target
        elif plan.facts.is_picture and container == MATROSKA:
            self._attach(stream, plan.facts)
            return
        elif isinstance(stream, AudioStream) and plan.lead > self.moved.shift:
            header = primed_header(stream, plan.lead - self.moved.shift)
            assert header is not None  # noqa: S101 - it was made for the plan, which was no shorter
            target = add_primed(self.out, stream, header)
        else:
            target = add_copy(self.out, stream)
        if isinstance(stream, AttachmentStream):
            self.copied[index].take(stream.data)
            return  # it is all in the header
        target.metadata.update(kept_tags(stream.metadata, self.out.format.name))
        target.disposition = stream.disposition
        self._targets[index] = target

    def _converter(self, stream: Stream, plan: StreamPlan) -> Converter:
        if isinstance(stream, SubtitleStream):
            subtitles = add_subtitles(self.out, stream, plan.codec)
            return SubtitleConverter(stream, subtitles, plan.codec)
        assert isinstance(stream, AudioStream)  # noqa: S101 - nothing else is planned to be converted
        settings = choose_sound(stream, plan.codec, self.out.format.name)
        if settings is None:
            raise OutputError(
                f"audio stream {plan.facts.index} cannot be converted to {plan.codec}",
                "Leave the sound out with --audio none.",
            )
        moved = self.moved if plan.stretched else self.moved.at_own_speed()
        return SoundConverter(stream, add_sound(self.out, settings), moved)

    def _attach(self, stream: Stream, facts: StreamFacts) -> None:
        """Matroska keeps a cover as an attachment, which is written with the header."""
        ending, mimetype = ATTACHED_AS[facts.codec]
        with open_film(Path(self.film.name)) as film:
            data = bytes(next(film.demux(film.streams[facts.index])))
        name = stream.metadata.get("filename", f"cover.{ending}")
        attached = self.out.add_attachment(name, stream.metadata.get("mimetype", mimetype), data)
        attached.metadata.update(kept_tags(stream.metadata, self.out.format.name))
        self.copied[facts.index].take(data)

    def until(self, seconds: Fraction | None) -> None:
        """Copy what comes before a time; None copies the rest."""
        while True:
            packet = self._waiting or self._next()
            self._waiting = None
            if packet is None:
                break
            if seconds is not None and self._due(packet) > seconds:
                self._waiting = packet
                return
            index = packet.stream.index
            if index in self._converters:
                self._send(index, self._converters[index].convert(packet))
            else:
                self._send(index, [packet])
        if seconds is None:
            for index, converter in self._converters.items():
                self._send(index, converter.flush())

    def _send(self, index: int, packets: "Iterator[Packet[Stream]] | list[Packet[Stream]]") -> None:
        copied, target = self.copied[index], self._targets[index]
        sample = sample_size(target, copied.facts.codec)
        for packet in packets:
            data = payload(packet, copied.facts.codec)
            if len(data) % sample:  # the file was cut off within one
                self.damaged += 1
                continue
            packet.stream = target
            try:
                self.out.mux_one(packet)
            except (InvalidDataError, PatchWelcomeError):  # what the container has to read of it is damaged
                self.damaged += 1
            else:
                copied.take(data)
                self.empty.discard(index)

    def _next(self) -> "Packet[Stream] | None":
        """The next packet with content, its times shifted and rising; None at the end or where the file breaks off."""
        if self._packets is None:
            streams = [self.film.streams[i] for i in self._targets]
            self._packets = timed(self.film, streams) if streams else iter(())  # demux([]) would mean all
        packet = next(self._packets, None)
        if packet is not None:
            self._set_times(packet)
        return packet

    def _due(self, packet: "Packet[Stream]") -> Fraction:
        """When what a packet holds is shown in the film."""
        seconds = Fraction(packet.dts or 0) * packet.time_base
        plan = self._plans[packet.stream.index]
        if plan.facts.kind == "audio" and plan.how == "convert":
            return self.moved.shown(seconds) if plan.stretched else seconds + self.moved.shift
        return seconds

    def _set_times(self, packet: "Packet[Stream]") -> None:
        """Move a packet to its time in the film, but for sound that is converted, which its converter moves."""
        index, facts = packet.stream.index, self._plans[packet.stream.index].facts
        base = packet.time_base
        dts = packet.dts if packet.dts is not None else packet.pts or 0
        pts = packet.pts
        if facts.kind == "audio" and self._plans[index].how == "convert":
            pass
        elif facts.kind in ("subtitle", "data") and self.moved.pace is not None:
            begins, at = pts if pts is not None else dts, self._ticks
            if packet.duration:
                packet.duration = max(1, at(begins + packet.duration, base) - at(begins, base))
            pts, dts = None if pts is None else at(pts, base), at(dts, base)
        elif not facts.is_picture:
            offset = round(self.moved.shift / base)
            pts, dts = None if pts is None else pts + offset, dts + offset
        # Two cues may begin together; two packets of sound or pictures may not, by the clock of the film either.
        tick = ceil((self._targets[index].time_base or base) / base)
        least = (
            self._last[index] + tick * (facts.kind not in ("subtitle", "data"))
            if index in self._last
            else dts
        )
        if dts < least:
            dts = least
            self.repaired += 1
        if pts is not None or facts.is_picture:
            packet.pts = max(pts or 0, dts)
        packet.dts = self._last[index] = dts

    def _ticks(self, pts: int, base: Fraction) -> int:
        return round(self.moved.shown(pts * base) / base)


def sample_size(stream: Stream, codec: str) -> int:
    """Bytes of a sample of all channels of sound without compression; 1 of other streams."""
    bits = re.match(r"pcm_[suf](\d+)", codec)
    return (
        int(bits[1]) // 8 * stream.codec_context.channels if bits and isinstance(stream, AudioStream) else 1
    )


def timed(film: InputContainer, streams: Sequence[Stream]) -> "Iterator[Packet[Stream]]":
    """The packets of streams that hold something, in file order, up to where the file breaks off.

    Matroska does not say when packets are decoded, and FFmpeg cannot tell it of the first pictures of a stream whose
    pictures come in another order. Those wait for the first of which it is known, and are decoded right before it.
    """
    waiting: dict[int, list[Packet[Stream]]] = {
        stream.index: [] for stream in streams if stream.type == "video"
    }
    with contextlib.suppress(FFmpegError):
        for packet in film.demux(list(streams)):
            if not packet.size:
                continue
            early = waiting.get(packet.stream.index)
            if early is not None and packet.dts is None:
                early.append(packet)
                continue
            if early and packet.dts is not None:
                step = packet.duration or 1
                for back, one in zip(range(len(early), 0, -1), early, strict=True):
                    one.dts = packet.dts - back * step
                    yield one
                early.clear()
            yield packet
    yield from chain.from_iterable(waiting.values())  # covers, and what has no such times at all
