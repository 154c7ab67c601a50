"""The sound of a reel: each piece's samples, cut to the sample, faded where one piece meets the next."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.video.frame import VideoFrame

from vedit.fx.sound import FilmSound, Samples

FADE = Fraction(1, 100)
"""Seconds over which the sound of a piece comes and goes: no click, and nobody hears it."""
BLOCK = 1 << 15
"""Samples that are written at once."""

Stretch = tuple[Fraction, Fraction, Fraction]
"""When a piece begins in the film and in the reel, and when it ends in the reel, in seconds."""


def sound_of(sound: FilmSound, stretches: Sequence[Stretch]) -> Iterator[Samples]:
    """The samples of a reel in order, ``(N, channels)``; sample ``n`` of it is the one at its time in the film.

    A piece begins at the sample nearest to its first picture; it is as long as its place in the reel, to the sample.
    """
    rate = sound.rate
    for film, begins, ends in stretches:
        total = round(ends * rate) - round(begins * rate)
        first, fade = round(film * rate), min(int(FADE * rate), total // 2)
        for start in range(0, total, BLOCK):
            places = np.arange(start, min(total, start + BLOCK))
            try:
                samples = sound((first + places) / rate)
            except FFmpegError:  # the file is broken here: from now on the sound is silent
                samples = sound((first + places) / rate)
            near = np.minimum(places, total - 1 - places)
            gain = np.minimum(1, (near + 0.5) / fade) if fade else np.ones(len(places))
            yield samples * gain[:, None].astype(np.float32)
    sound.close()


def write_carrier(path: Path, sound: FilmSound | None, stretches: Sequence[Stretch]) -> None:
    """Write a Matroska film of one grey picture and the reel's sound, if there is any, as it is, from time 0."""
    with av.open(str(path), "w", format="matroska") as out:
        picture = out.add_stream("ffv1", rate=25)
        picture.width = picture.height = 16
        picture.pix_fmt = "yuv420p"
        layout, track = "mono", None
        if sound is not None:
            layout = "stereo" if sound.channels == 2 else "mono"
            track = out.add_stream("pcm_f32le", rate=sound.rate, layout=layout)
        grey = VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
        for packet in [*picture.encode(grey), *picture.encode(None)]:
            out.mux_one(packet)
        if sound is None or track is None:
            return
        at = 0
        for samples in sound_of(sound, stretches):
            packed = np.ascontiguousarray(samples, np.float32).reshape(1, -1)
            frame = AudioFrame.from_ndarray(packed, format="flt", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = sound.rate, at, Fraction(1, sound.rate)
            at += len(samples)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
