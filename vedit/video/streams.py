"""What becomes of every stream beside the edited picture: copied, converted or dropped, and why."""

from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Literal, get_args

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition, Stream
from av.subtitles.stream import SubtitleStream

from vedit.errors import UsageError
from vedit.video.decode import codec_name, open_film
from vedit.video.priming import first_packets, primed_header, run_up
from vedit.video.sound import SOUND_CODEC, choose_sound, named_layout
from vedit.video.source import Audio, Source, StreamFacts
from vedit.video.subtitles import TEXT_CODEC, add_subtitles, style_losses
from vedit.video.tags import NAMES

AUDIO = get_args(Audio)
MATROSKA = "matroska"
COVERS = {"mp4": ("mjpeg", "png", "bmp"), "matroska": ("mjpeg", "png", "gif", "tiff")}
"""Pictures that a container keeps as covers; MOV and WebM lose them, though FFmpeg does not complain."""
ATTACHED_AS = {
    "mjpeg": ("jpg", "image/jpeg"),
    "png": ("png", "image/png"),
    "gif": ("gif", "image/gif"),
    "tiff": ("tiff", "image/tiff"),
}


@dataclass(frozen=True)
class StreamPlan:
    """What becomes of a stream: ``codec`` is its format in the output, ``reason`` says why it is not a plain copy.

    ``lead`` is how many seconds of its sound come before time 0, which a Matroska header has to say. ``stretched`` says
    that sound is converted to last as long as the picture now does.
    """

    facts: StreamFacts
    how: Literal["copy", "convert", "drop"]
    codec: str = ""
    reason: str = ""
    lead: Fraction = Fraction(0)
    stretched: bool = False


def plan_streams(source: Source, container: str, audio: str) -> tuple[StreamPlan, ...]:
    """What becomes of every stream but the edited picture, in file order.

    Args:
        source: the film.
        container: FFmpeg's name of the output's container.
        audio: ``copy`` every track; ``auto`` converts those that the container does not take, to AAC or (WebM) Opus;
            ``aac`` converts all; ``stretch`` converts all, to last as long as the picture; ``none`` leaves sound out;
            ``keep`` is ``copy``, of a film whose length changes.

    Raises:
        UsageError: ``audio`` is none of these, or ``copy`` and a track cannot be copied.
    """
    if audio not in AUDIO:
        raise UsageError(f"audio is {audio!r}", f"Use one of {', '.join(AUDIO)}.")
    plans = []
    with open_film(source.path) as film:
        tried = [
            s.index
            for s in source.streams
            if s.kind in ("audio", "subtitle", "data") and not s.is_chapter_track
        ]
        firsts = first_packets(source.path, tried)
        # Only Matroska needs to be told of a run-up; what comes from there says so already, and so does Opus.
        tell = container in (MATROSKA, "webm") and not source.format.startswith(MATROSKA)
        for facts in source.streams:
            stream, first = film.streams[facts.index], firsts.get(facts.index)
            if facts.is_chapter_track:
                continue  # chapters themselves are copied
            if facts.kind == "audio":
                lead = run_up(first) if tell and facts.codec != "opus" else Fraction(0)
                taken = accepts(stream, container, first)
                plans.append(_plan_sound(source, facts, stream, container, audio, taken, lead))
            elif facts.is_picture:
                plans.append(_plan_cover(facts, stream, container))
            elif facts.kind == "data" and "timecode" in stream.metadata:
                plans.append(_plan_timecode(facts, stream.metadata["timecode"], container))
            elif accepts(stream, container, first):
                plans.append(StreamPlan(facts, "copy", facts.codec))
            elif facts.kind == "subtitle":
                plans.append(_plan_subtitles(facts, stream, container))
            else:
                reason = f"{_name(facts)} is left out: {NAMES[container]} cannot hold it"
                plans.append(StreamPlan(facts, "drop", reason=reason))
    return tuple(plans)


def _name(facts: StreamFacts) -> str:
    return f"{facts.kind} stream {facts.index} ({facts.codec})"


def _plan_sound(
    source: Source,
    facts: StreamFacts,
    stream: Stream,
    container: str,
    audio: str,
    taken: bool,
    lead: Fraction,
) -> StreamPlan:
    name = _name(facts)
    if audio == "none":
        return StreamPlan(facts, "drop", reason=f"{name} is left out")
    if taken and audio not in ("aac", "stretch"):
        return _copied_sound(facts, stream, lead)
    why = f"{NAMES[container]} cannot hold {facts.codec}"
    if audio in ("copy", "keep"):
        remedy = "Convert it with --audio auto, write .mkv, or leave the sound out with --audio none."
        if container == MATROSKA:
            remedy = "Leave it out with --audio auto, or all sound with --audio none."
        raise UsageError(f"{name} of {source.path.name} cannot be copied: {why}", remedy)
    codec = SOUND_CODEC[container]
    settings = choose_sound(stream, codec, container) if isinstance(stream, AudioStream) else None
    losses = "".join(f"; {loss}" for loss in settings.losses) if settings else ""
    if audio == "stretch":
        if settings is None:
            reason = f"{name} is left out: it cannot be decoded, so it cannot be stretched"
            return StreamPlan(facts, "drop", reason=reason)
        reason = f"{name} is stretched with the picture, its pitch kept, and encoded anew as {codec}{losses}"
        return StreamPlan(facts, "convert", codec, reason, stretched=True)
    if settings is None:
        if taken:
            return _copied_sound(facts, stream, lead, f"{name} is copied: it cannot be decoded")
        return StreamPlan(facts, "drop", reason=f"{name} is left out: {why}, and it cannot be decoded")
    if taken or (audio == "aac" and codec == "aac"):
        why = "as asked for"
    if audio == "aac" and codec != "aac":
        why = f"{NAMES[container]} cannot hold aac"
    return StreamPlan(facts, "convert", codec, f"{name} is converted to {codec}: {why}{losses}")


def _copied_sound(facts: StreamFacts, stream: Stream, lead: Fraction, reason: str = "") -> StreamPlan:
    """A copy; what sounds before time 0 is marked so if it can be, else the muxer moves the film to later."""
    if lead and not (isinstance(stream, AudioStream) and primed_header(stream, lead)):
        reason = (
            f"{_name(facts)} starts {float(lead):.3f} s before time 0: all of the film is moved by as much"
        )
        lead = Fraction(0)
    return StreamPlan(facts, "copy", facts.codec, reason, lead)


def _plan_cover(facts: StreamFacts, stream: Stream, container: str) -> StreamPlan:
    if stream.disposition & Disposition.timed_thumbnails:
        return StreamPlan(facts, "drop", reason=f"{_name(facts)}, the pictures of the chapters, is left out")
    if facts.codec in COVERS.get(container, ()):
        return StreamPlan(facts, "copy", facts.codec)
    reason = f"the cover picture ({facts.codec}) is left out: {NAMES[container]} cannot hold it"
    return StreamPlan(facts, "drop", reason=reason)


def _plan_subtitles(facts: StreamFacts, stream: Stream, container: str) -> StreamPlan:
    name, why = _name(facts), f"{NAMES[container]} cannot hold {facts.codec}"
    if not (
        isinstance(stream, SubtitleStream) and stream.codec_context and stream.codec_context.codec.text_sub
    ):
        return StreamPlan(facts, "drop", reason=f"{name} is left out: {why}, and pictures cannot become text")
    codec = TEXT_CODEC[container]
    try:
        with av.open(BytesIO(), "w", format=container) as trial:
            add_subtitles(trial, stream, codec)
            trial.start_encoding()
    except (FFmpegError, ValueError, OSError) as error:
        return StreamPlan(facts, "drop", reason=f"{name} is left out: {why}, and it cannot be read ({error})")
    losses = style_losses(facts.codec, codec)
    reason = f"{name} is converted to {codec}: {why}{'; ' if losses else ''}{losses}"
    return StreamPlan(facts, "convert", codec, reason)


def _plan_timecode(facts: StreamFacts, timecode: str, container: str) -> StreamPlan:
    """The muxers of MP4 and MOV write this track anew, from the tag that readers give the picture stream."""
    kept = "written anew" if container in ("mp4", "mov") else "kept as a tag"
    return StreamPlan(facts, "drop", reason=f"data stream {facts.index}, the timecode {timecode}, is {kept}")


def accepts(stream: Stream, container: str, first: "Packet[Stream] | None" = None) -> bool:
    """Whether a container keeps a stream, found out by writing a file: FFmpeg's own list of codecs is wrong.

    With the stream's ``first`` packet the file is read back, which tells more than that its header can be written.
    """
    if stream.type == "attachment" and container != MATROSKA:
        return False  # WebM's writer takes them and leaves them out
    file = BytesIO()
    try:
        with av.open(file, "w", format=container) as trial:
            target = add_copy(trial, stream)
            trial.start_encoding()
            if first is None:
                return stream.type != "data"  # of data, the header says nothing
            content = payload(first, codec_name(stream))
            first.stream, first.pts, first.dts = target, 0, 0
            trial.mux_one(first)
        file.seek(0)
        with av.open(file, "r") as again:
            packets = [payload(p, codec_name(stream)) for p in again.demux(again.streams[0]) if p.size]
            # Sound without compression comes back in packets of other sizes.
            return b"".join(packets) == content and codec_name(again.streams[0]) == codec_name(stream)
    except (FFmpegError, ValueError, OSError, IndexError):
        return False


def payload(packet: "Packet[Stream]", codec: str) -> bytes:
    """A packet's content; for AAC without the ADTS header, which transport streams carry and others do not."""
    data = bytes(packet)
    if codec == "aac" and len(data) > 9 and data[0] == 0xFF and data[1] & 0xF6 == 0xF0:
        return data[7 if data[1] & 1 else 9 :]
    return data


def add_copy(out: OutputContainer, stream: Stream) -> Stream:
    """A stream for packets copied from another."""
    target = out.add_stream_from_template(stream, opaque=True)
    if isinstance(stream, AudioStream) and isinstance(target, AudioStream):
        target.codec_context.layout = named_layout(stream)  # MP4 wants one
    return target
