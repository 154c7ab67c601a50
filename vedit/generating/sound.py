"""A sound track cut to a film's length, in a file of its own from which the writer takes it as from any film."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from vedit.errors import InputError

FADE = Fraction(1, 2)
"""Seconds over which a sound that is longer than the film fades out, for it would break off."""

Samples = NDArray[np.float32]


def write_carrier(path: Path, sound: Path | None, seconds: Fraction) -> Fraction:
    """Write a Matroska film of one grey picture and the sound, if there is any, as FLAC from time 0.

    Args:
        path: where to.
        sound: a film or a sound file; its main track is taken, from its first sample on.
        seconds: how much of it; what is longer is cut there, to the sample, and fades out.

    Returns:
        How many seconds of sound there are.

    Raises:
        InputError: the sound is missing, has no track, or cannot be read.
    """
    with av.open(str(path), "w", format="matroska") as out:
        picture = out.add_stream("ffv1", rate=25)
        picture.width = picture.height = 16
        picture.pix_fmt = "yuv420p"
        grey = VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
        if sound is None:
            for packet in [*picture.encode(grey), *picture.encode(None)]:
                out.mux_one(packet)
            return Fraction(0)
        try:
            with av.open(str(sound)) as heard:
                stream = heard.streams.best("audio")
                if not isinstance(stream, AudioStream):
                    raise InputError(
                        f"sound {sound} has no sound track", "Give a sound file, or a film with sound."
                    )
                rate = stream.codec_context.sample_rate
                layout = "mono" if stream.codec_context.channels == 1 else "stereo"
                track = out.add_stream("flac", rate=rate, layout=layout)
                track.format = "s32"
                for packet in [*picture.encode(grey), *picture.encode(None)]:
                    out.mux_one(packet)
                at = 0
                mixed = _mixed(heard.decode(stream), AudioResampler("flt", layout, rate))
                for block in cut(mixed, int(seconds * rate), int(FADE * rate)):
                    whole = np.rint(block.clip(-1, 1) * np.float64(2**31 - 2**8)).astype(np.int32)
                    frame = AudioFrame.from_ndarray(whole.reshape(1, -1), format="s32", layout=layout)
                    frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
                    out.mux(track.encode(frame))
                    at += len(block)
                out.mux(track.encode(None))
        except FileNotFoundError as error:
            raise InputError(f"sound {sound} does not exist", "Check the path.") from error
        except (FFmpegError, OSError) as error:
            raise InputError(
                f"sound {sound} cannot be read: {error}", "Convert it to WAV or FLAC."
            ) from error
        if not at:
            raise InputError(f"sound {sound} holds no sound", "Convert it to WAV or FLAC.")
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
