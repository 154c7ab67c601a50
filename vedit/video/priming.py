"""Sound that begins before time 0: the run-up that decoders need and then drop."""

from collections.abc import Collection
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from vedit.video.decode import open_film
from vedit.video.sound import silence

AT_MOST = 2
"""Seconds of film in which first packets are looked for."""
TEMPLATE_RATE = 48000
TEMPLATES = {"aac": "aac", "mp3": "libmp3lame", "ac3": "ac3", "eac3": "eac3"}
"""Codecs for which a header can be made, and encoders that do it."""
_CODEC_DELAY = b"\x56\xaa"
"""Matroska's CodecDelay element (RFC 9559, section 5.1.4.1.25)."""


def first_packets(path: Path, wanted: Collection[int]) -> "dict[int, Packet[Stream]]":
    """The first packet of every wanted stream that begins within seconds of the first of them."""
    found: dict[int, Packet[Stream]] = {}
    start: Fraction | None = None
    with open_film(path) as film:
        try:
            for packet in film.demux([film.streams[i] for i in wanted]) if wanted else ():
                if packet.size:
                    found.setdefault(packet.stream.index, packet)
                    time = (packet.dts or 0) * packet.time_base
                    start = time if start is None else start
                    if len(found) == len(wanted) or time - start > AT_MOST:
                        break
        except FFmpegError:
            pass
    return found


def run_up(packet: "Packet[Stream] | None") -> Fraction:
    """Seconds by which a stream starts before time 0, given its first packet (0: it does not).

    MP4 has edit lists for it: the first packets have negative times. Matroska has no negative times, only the
    codec's delay in the header.
    """
    if packet is None or packet.pts is None:
        return Fraction(0)
    return max(Fraction(0), -packet.pts * packet.time_base)


def primed_header(source: AudioStream, lead: Fraction) -> bytes | None:
    """A tiny Matroska file whose stream has the source's codec and ``lead`` seconds before time 0; None: not possible.

    PyAV cannot set a codec's delay, but takes it over from a template, such as this file.
    """
    context = source.codec_context
    encoder = TEMPLATES.get(context.codec.canonical_name) if context else None
    if encoder is None:
        return None
    file = BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream(encoder, rate=TEMPLATE_RATE)
        assert isinstance(stream, AudioStream)  # noqa: S101 - TEMPLATES are sound encoders
        quiet = silence(AudioFrame(stream.codec_context.format.name, "stereo", 1), 2048)
        quiet.sample_rate, quiet.pts = TEMPLATE_RATE, 0
        out.mux(stream.encode(quiet))
        out.mux(stream.encode(None))
    data = bytearray(file.getvalue())
    at = data.find(_CODEC_DELAY) + len(_CODEC_DELAY)
    size = data[at] & 0x7F
    # FFmpeg counts the delay in samples: as many as the source's, here of 48000 a second.
    delay = round(lead * context.sample_rate / TEMPLATE_RATE * 10**9)
    if at < len(_CODEC_DELAY) or delay >= 256**size:
        return None
    data[at + 1 : at + 1 + size] = delay.to_bytes(size, "big")
    return bytes(data)


def add_primed(out: OutputContainer, source: AudioStream, header: bytes) -> AudioStream:
    """A stream for copied packets whose first come before time 0, in a Matroska file; ``header`` is a primed one.

    Without the delay in its header the muxer would move the whole film to later.
    """
    with av.open(BytesIO(header)) as template:
        stream = out.add_stream_from_template(template.streams.audio[0], opaque=True)
    context, own = stream.codec_context, source.codec_context
    context.sample_rate, context.layout, context.extradata = own.sample_rate, own.layout, own.extradata
    stream.time_base = source.time_base
    return stream
