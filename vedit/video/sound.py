"""Sound decoded and encoded anew, every sample at its time: what a container cannot hold, what is to last longer."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec import Codec
from av.container import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from numpy.typing import NDArray

from vedit.video.moved import Moved
from vedit.video.tempo import Tempo

ENCODERS = {"aac": "aac", "opus": "libopus"}
SOUND_CODEC = {"mp4": "aac", "mov": "aac", "matroska": "aac", "webm": "opus"}
"""What sound is converted to in each container."""
BITS_PER_CHANNEL = 96_000
"""Bits per second and channel: high enough that neither AAC nor Opus is told from the source by ear."""
GAP = Fraction(1, 100)
"""Seconds by which time stamps may be off (clocks of 1 ms, of transport streams) without a gap being meant."""
STANDARD_LAYOUTS = {
    1: "mono",
    2: "stereo",
    3: "3.0",
    4: "4.0",
    5: "5.0",
    6: "5.1",
    7: "6.1",
    8: "7.1",
}


@dataclass(frozen=True)
class SoundSettings:
    """An encoder's setting that was tried and works: samples per second, layout of channels, and what that loses."""

    codec: str
    rate: int
    layout: str
    losses: tuple[str, ...]


def choose_sound(stream: AudioStream, codec: str, container: str) -> SoundSettings | None:
    """How to encode a sound stream, its own rate and channels if the encoder takes them; None when nothing works."""
    own = stream.codec_context
    if not own or not own.sample_rate or not own.channels:
        return None
    rates = Codec(ENCODERS[codec], "w").audio_rates or [own.sample_rate]
    rate = (
        own.sample_rate
        if own.sample_rate in rates
        else min((r for r in rates if r > own.sample_rate), default=0)
    )
    rate = rate or max(rates)
    losses = [f"at {rate} samples a second instead of {own.sample_rate}"] if rate < own.sample_rate else []
    for layout in dict.fromkeys(
        (named_layout(stream), STANDARD_LAYOUTS.get(own.channels, "stereo"), "stereo")
    ):
        try:
            with av.open(BytesIO(), "w", format=container) as trial:
                settings = SoundSettings(codec, rate, layout, tuple(losses))
                add_sound(trial, settings)
                trial.start_encoding()
        except (FFmpegError, ValueError, OSError):
            continue
        if av.AudioLayout(layout).nb_channels < own.channels:
            losses.append(f"{own.channels} channels are mixed down to {layout}")
        return SoundSettings(codec, rate, layout, tuple(losses))
    return None


def named_layout(stream: AudioStream) -> str:
    """The layout of a stream's channels; the usual one for their number when the file does not say."""
    layout = stream.codec_context.layout
    return STANDARD_LAYOUTS.get(layout.nb_channels, layout.name) if "channels" in layout.name else layout.name


def add_sound(out: OutputContainer, settings: SoundSettings) -> AudioStream:
    """A stream of newly encoded sound, set up but not opened."""
    stream = out.add_stream(ENCODERS[settings.codec], rate=settings.rate)
    assert isinstance(stream, AudioStream)  # noqa: S101 - ENCODERS are sound encoders
    context = stream.codec_context
    context.layout = settings.layout
    context.time_base = Fraction(1, settings.rate)
    if any(f.name == "flt" for f in context.codec.audio_formats or ()):
        context.format = "flt"
    context.bit_rate = BITS_PER_CHANNEL * context.channels
    return stream


class SoundConverter:
    """Packets of one sound stream, decoded and encoded anew.

    The first sample keeps its time to the sample. Where the source has a gap, silence is encoded, and where its
    packets overlap, the later ones lose their beginning, so that everything after is where it was. What lies before
    time 0, which no player plays, is left out.

    Args:
        source: the stream whose packets will come.
        target: as ``add_sound`` makes it.
        moved: when a moment of the source is heard. With a pace the sound is played by it, at its own pitch, and lasts
            exactly as long as it says.
    """

    def __init__(self, source: AudioStream, target: AudioStream, moved: Moved) -> None:
        self.target = target
        self.skipped = 0
        """Packets that could not be decoded."""
        self.unheard = Fraction(0)
        """Seconds of the source's beginning that would sound before time 0, because a pace stretches them."""
        self._decoder = source.codec_context
        self._encoder = target.codec_context
        self._heard = Fraction(0)
        """The time up to which sound has been passed on."""
        self._shape: tuple[str, str, int] | None = None
        self._resampler: AudioResampler | None = None
        self._sent: int | None = None
        """The sample that comes next, counted from time 0; None before the first."""
        self._moved = moved
        self._tempo: Tempo | None = None
        self._planar: AudioResampler | None = None
        self._began = Fraction(0)
        """When what went into the tempo begins to be heard, in the film."""

    def convert(self, packet: "Packet[AudioStream]") -> "Iterator[Packet[AudioStream]]":
        """The encoded packets that became ready."""
        try:
            frames = self._decoder.decode(packet)
        except FFmpegError:
            self.skipped += 1
            return
        for frame in frames:
            yield from self._take(frame)

    def flush(self) -> "Iterator[Packet[AudioStream]]":
        """What decoder and encoder still hold."""
        try:
            frames = self._decoder.decode(None)
        except FFmpegError:
            frames = []
        for frame in frames:
            yield from self._take(frame)
        yield from self._ended()
        if self._sent is not None:
            yield from self._encoder.encode(None)

    def _take(self, frame: AudioFrame) -> "Iterator[Packet[AudioStream]]":
        rate = frame.sample_rate
        start = frame.pts * frame.time_base if frame.pts is not None and frame.time_base else self._heard
        if self._sent is None:
            self._sent = max(0, round(self._moved.shown(start) * self._encoder.sample_rate))
            self._heard = self._moved.source(Fraction(self._sent, self._encoder.sample_rate))
            self.unheard = max(Fraction(0), self._heard - max(Fraction(0), start))
        shape = (frame.format.name, frame.layout.name, rate)
        if shape != self._shape:
            yield from self._ended()
            self._begun(frame)
            self._shape = shape
        ahead = start - self._heard
        if ahead > GAP:
            missing = round(ahead * rate)
            while missing > 0:
                quiet = silence(frame, min(missing, rate))
                missing -= quiet.samples
                yield from self._pass(quiet)
        elif ahead < -GAP or (self._moved.shown(start) < 0 and ahead < 0):
            rest = without_beginning(frame, round(-ahead * rate))
            if rest is None:
                return
            frame = rest
        yield from self._pass(frame)

    def _begun(self, like: AudioFrame) -> None:
        """Make ready for sound of the format of a frame."""
        self._resampler = AudioResampler(
            self._encoder.format, self._encoder.layout, self._encoder.sample_rate
        )
        if self._moved.pace is not None:
            rate, heard, began = like.sample_rate, self._heard, self._moved.shown(self._heard)
            self._planar = AudioResampler("fltp", like.layout, rate)
            self._tempo = Tempo(
                rate,
                lambda sample: float((self._moved.source(began + Fraction(sample, rate)) - heard) * rate),
            )
            self._began = began

    def _pass(self, frame: AudioFrame) -> "Iterator[Packet[AudioStream]]":
        self._heard += Fraction(frame.samples, frame.sample_rate)
        if self._tempo is None:
            yield from self._resampled(frame)
            return
        yield from self._paced(frame)

    def _paced(self, frame: AudioFrame | None) -> "Iterator[Packet[AudioStream]]":
        """The sound at its pace; None gives what is left, as long as it should be."""
        assert self._tempo is not None  # noqa: S101 - only called with both
        assert self._planar is not None  # noqa: S101
        if frame is not None:
            frame.pts = None
        rate, layout = self._planar.rate, self._planar.layout.name
        parts = [
            part
            for ready in self._planar.resample(frame)
            for part in self._tempo.stretched(np.asarray(ready.to_ndarray(), np.float32))
        ]
        if frame is None:
            parts += self._tempo.rest(round((self._moved.shown(self._heard) - self._began) * rate))
        for samples in parts:
            played = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
            played.sample_rate = rate
            yield from self._resampled(played)

    def _ended(self) -> "Iterator[Packet[AudioStream]]":
        """What tempo and resampler still hold."""
        if self._tempo is not None:
            yield from self._paced(None)
        yield from self._resampled(None)
        self._tempo = self._resampler = None

    def _resampled(self, frame: AudioFrame | None) -> "Iterator[Packet[AudioStream]]":
        if self._resampler is None:
            return
        if frame is not None:
            frame.pts = None  # counted anew below: samples follow each other without a gap here
        for ready in self._resampler.resample(frame):
            if ready is None:
                continue
            assert self._sent is not None  # noqa: S101 - set by the first frame
            ready.pts, ready.time_base = self._sent, Fraction(1, self._encoder.sample_rate)
            self._sent += ready.samples
            yield from self._encoder.encode(ready)


def silence(like: AudioFrame, samples: int) -> AudioFrame:
    """Quiet samples in the format of another frame."""
    frame = AudioFrame(like.format.name, like.layout.name, samples)
    frame.sample_rate = like.sample_rate
    quiet = b"\x80" if like.format.name in ("u8", "u8p") else b"\0"
    for plane in frame.planes:
        plane.update(quiet * plane.buffer_size)
    return frame


def without_beginning(frame: AudioFrame, samples: int) -> AudioFrame | None:
    """A frame without its first samples; None when nothing is left."""
    if samples >= frame.samples:
        return None
    step = 1 if frame.format.is_planar else frame.layout.nb_channels
    rest: NDArray[Any] = np.ascontiguousarray(frame.to_ndarray()[:, samples * step :])
    cut = AudioFrame.from_ndarray(rest, format=frame.format.name, layout=frame.layout.name)
    cut.sample_rate = frame.sample_rate
    return cut
