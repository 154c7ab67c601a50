"""A clip's sound as MoviePy plays it, in a film of its own from which the writer takes it like any film's."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame
from moviepy import AudioClip, AudioFileClip  # type: ignore[import-untyped] # it ships no types
from proglog import ProgressBarLogger  # type: ignore[import-untyped] # it ships no types

from vedit.fx.sound import BLOCK, FilmSound

MOVIEPY_SOUND = "AudioFileClip.__init__.<locals>.<lambda>"
"""The function of a sound that is its file's, as MoviePy reads it."""


def file_of_sound(sound: AudioClip | None) -> Path | None:
    """The file of a sound to which nothing was done; None where there is none or something was."""
    if sound is not None and isinstance(sound.frame_function, FilmSound):
        film = sound.frame_function
        return film.path if sound.duration == film.samples / film.rate else None
    if not isinstance(sound, AudioFileClip) or sound.reader is None:
        return None
    plain = getattr(sound.frame_function, "__qualname__", "") == MOVIEPY_SOUND
    return Path(sound.filename).absolute() if plain and sound.duration == sound.reader.duration else None


def write_carrier(path: Path, sound: AudioClip | None, logger: ProgressBarLogger) -> None:
    """Write a Matroska film of one grey picture and the sound, if there is any, as FLAC of 24 bits from time 0."""
    with av.open(str(path), "w", format="matroska") as out:
        picture = out.add_stream("ffv1", rate=25)
        picture.width = picture.height = 16
        picture.pix_fmt = "yuv420p"
        track = None
        if sound is not None:
            rate = int(getattr(sound, "fps", None) or 44100)
            layout = {1: "mono", 2: "stereo"}.get(sound.nchannels, f"{sound.nchannels}c")
            track = out.add_stream("flac", rate=rate, layout=layout)
            track.format = "s32"
        grey = VideoFrame.from_ndarray(np.full((24, 16), 128, np.uint8), format="yuv420p")
        for packet in [*picture.encode(grey), *picture.encode(None)]:
            out.mux_one(packet)
        if sound is None or track is None:
            return
        total = round(sound.duration * rate)
        for start in logger.iter_bar(chunk=range(0, total, BLOCK)):
            times = np.arange(start, min(total, start + BLOCK)) / rate
            samples = np.asarray(sound.get_frame(times), np.float64).reshape(len(times), -1).clip(-1, 1)
            whole = np.rint(samples * (2**31 - 2**8)).astype(np.int32).reshape(1, -1)
            frame = AudioFrame.from_ndarray(whole, format="s32", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))
