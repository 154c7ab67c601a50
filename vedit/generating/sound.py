"""A sound track cut to a film's length, and captions, in a file from which the writer takes them as from any film."""

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container.output import OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from vedit.errors import InputError, VeditError
from vedit.video.decode import open_film

FADE = Fraction(1, 2)
"""Seconds over which a sound that is longer than the film fades out, for it would break off."""

GIVE = "Give a WAV, FLAC or MP3 file, or a film with sound."

Samples = NDArray[np.float32]


def write_carrier(path: Path, sound: Path | None, captions: str, seconds: Fraction) -> Fraction:
    """Write a Matroska film of one grey picture, the sound, if there is any, as FLAC from time 0, and the captions.

    Args:
        path: where to.
        sound: a film or a sound file; its main track is taken, from its first sample on.
        captions: as SubRip; empty means none.
        seconds: how much of the sound; what is longer is cut there, to the sample, and fades out.

    Returns:
        How many seconds of sound there are.

    Raises:
        InputError: the sound is missing, has no track, or cannot be read.
    """
    with ExitStack() as opened:
        out = opened.enter_context(av.open(str(path), "w", format="matroska"))
        picture = out.add_stream("ffv1", rate=25)
        picture.width = picture.height = 16
        picture.pix_fmt = "yuv420p"
        heard = None if sound is None else opened.enter_context(_Heard(sound, out))
        packets: list[Packet[Stream]] = []
        if captions:
            written = opened.enter_context(av.open(BytesIO(captions.encode()), "r", format="srt"))
            words = out.add_stream_from_template(written.streams.subtitles[0])
            packets = [packet for packet in written.demux(subtitles=0) if packet.dts is not None]
            for packet in packets:
                packet.stream = words
        grey = VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
        out.mux([*picture.encode(grey), *picture.encode(None), *packets])
        return Fraction(0) if heard is None else heard.copy(seconds)


class _Heard:
    """A file's main sound track, and the track that it becomes.

    Raises:
        InputError: when it is made, entered or copied: the sound is missing, has no track, or cannot be read.
    """

    def __init__(self, sound: Path, out: OutputContainer) -> None:
        self._sound, self._out = sound, out

    def __enter__(self) -> "_Heard":
        sound = self._sound
        try:
            self._file = open_film(sound)
        except VeditError as error:
            raise InputError(f"sound: {error.problem}", GIVE) from error
        stream = self._file.streams.best("audio")
        if not isinstance(stream, AudioStream):
            self._file.close()
            raise InputError(f"sound {sound} has no sound track", GIVE)
        self._stream = stream
        self._rate = stream.codec_context.sample_rate
        self._layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self._track = self._out.add_stream("flac", rate=self._rate, layout=self._layout)
        self._track.format = "s32"
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def copy(self, seconds: Fraction) -> Fraction:
        """Write so much of it; returns how many seconds there are."""
        rate, layout, track, at = self._rate, self._layout, self._track, 0
        try:
            mixed = _mixed(self._file.decode(self._stream), AudioResampler("flt", layout, rate))
            for block in cut(mixed, int(seconds * rate), int(FADE * rate)):
                whole = np.rint(block.clip(-1, 1) * np.float64(2**31 - 2**8)).astype(np.int32)
                frame = AudioFrame.from_ndarray(whole.reshape(1, -1), format="s32", layout=layout)
                frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
                self._out.mux(track.encode(frame))
                at += len(block)
            self._out.mux(track.encode(None))
        except (FFmpegError, OSError) as error:
            why = error.strerror or error
            raise InputError(f"sound {self._sound} cannot be read: {why}", GIVE) from error
        if not at:
            raise InputError(f"sound {self._sound} holds no sound", GIVE)
        return Fraction(at, rate)


def cut(blocks: Iterator[Samples], length: int, fade: int) -> Iterator[Samples]:
    """Sound ``(N, channels)`` up to a number of samples; where it would go on, its last ``fade`` samples fade out."""
    held: list[Samples] = []
    begun, waiting = 0, 0
    longer = False
    for block in blocks:
        held.append(block)
        waiting += len(block)
        if begun + waiting > length:
            longer = True
            break
        while held and waiting - len(held[0]) >= fade:
            first = held.pop(0)
            begun, waiting = begun + len(first), waiting - len(first)
            yield first
    if not held:
        return
    rest = np.concatenate(held)[: length - begun]
    if longer and len(rest):
        fade = min(fade, len(rest))
        rest[len(rest) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)[:, None]
    if len(rest):
        yield rest


def _mixed(frames: Iterator[AudioFrame], mix: AudioResampler) -> Iterator[Samples]:
    for frame in frames:
        frame.pts = None
        for ready in mix.resample(frame):
            yield np.asarray(ready.to_ndarray(), np.float32).reshape(-1, len(mix.layout.channels)).copy()
