"""Sounds of MoviePy's clips that are made as they are listened to: of a film file, or another sound stretched."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.error import FFmpegError
from moviepy import AudioClip  # type: ignore[import-untyped] # it ships no types
from numpy.typing import NDArray

from vedit.frame import Pace
from vedit.video.decode import open_film
from vedit.video.sound import GAP
from vedit.video.source import Source
from vedit.video.tempo import Tempo

Samples = NDArray[np.float32]

BLOCK = 16384
"""Samples asked of another sound at once: MoviePy's reader gives wrong ones when asked for more than its buffer."""
KEPT = 1 << 18
"""Samples that are kept, some seconds."""
FAR = 1 << 20
"""Samples ahead from which a sound begins anew there rather than being gone through."""


class Sound(ABC):
    """The frame function of an AudioClip: samples at times, silence where there are none.

    Asked for in order they are made once; going back, or far ahead, begins anew.
    """

    def __init__(self, rate: int, channels: int, samples: int) -> None:
        self.rate, self.channels, self.samples = rate, channels, samples
        self._begin(0)

    @abstractmethod
    def blocks(self, start: int) -> Generator[Samples]:
        """The sound from exactly this sample on, ``(N, channels)`` in [-1, 1]."""

    def __call__(self, t: "float | NDArray[np.float64]") -> Samples:
        """The samples at times, ``(N, channels)``; at one time, ``(channels,)``."""
        places = np.rint(np.atleast_1d(np.asarray(t, float)) * self.rate).astype(np.int64)
        heard = (places >= 0) & (places < self.samples)
        out = np.zeros((len(places), self.channels), np.float32)
        if heard.any():
            low, high = int(places[heard].min()), int(places[heard].max()) + 1
            out[heard] = self._between(low, high)[places[heard] - low]
        return out if np.ndim(t) else out[0]

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key not in ("_made", "_kept")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._begin(0)

    def close(self) -> None:
        """Stop reading; asked again, it begins anew."""
        self._made.close()
        self._begin(0)

    def _begin(self, start: int) -> None:
        self._made = self.blocks(start)
        self._kept = np.zeros((0, self.channels), np.float32)
        self._end = start

    def _between(self, low: int, high: int) -> Samples:
        if low < self._end - len(self._kept) or low > self._end + FAR:
            self._made.close()
            self._begin(max(0, low - self.rate))
        parts = [self._kept]
        while self._end < high:
            block = next(self._made, None)
            if block is None:
                block = np.zeros((high - self._end, self.channels), np.float32)
            parts.append(block)
            self._end += len(block)
        sound = np.concatenate(parts) if len(parts) > 1 else self._kept
        first = self._end - len(sound)
        self._kept = sound[-KEPT:]
        return sound[low - first : high - first]


class FilmSound(Sound):
    """The main sound of a film, each sample at its time from the first picture on.

    MoviePy's own reader plays sound that begins late too early.

    Args:
        source: a film that has sound.
    """

    def __init__(self, source: Source) -> None:
        self.path: Path = source.path
        self._starts = source.pts[0] * source.time_base
        with open_film(source.path) as film:
            best = film.streams.best("audio")
            stream = best if isinstance(best, AudioStream) else film.streams.audio[0]
            self._index = stream.index
            rate, channels = stream.codec_context.sample_rate, min(2, stream.codec_context.channels)
            end = source.end * source.time_base
            if stream.duration is not None and stream.time_base is not None:
                end = ((stream.start_time or 0) + stream.duration) * stream.time_base
            elif film.duration is not None:
                end = Fraction((film.start_time or 0) + film.duration, 10**6)
        super().__init__(rate, channels, max(1, round((end - self._starts) * rate)))

    def blocks(self, start: int) -> Generator[Samples]:
        at, limit = start, Fraction(0)
        for place, block in self._decoded(start):
            gap = place - at
            if gap > limit:
                yield np.zeros((gap, self.channels), np.float32)
                at = place
            elif gap < -limit:
                block = block[-gap:]
            if len(block):
                yield block
                at += len(block)
                limit = GAP * self.rate  # clocks are coarse: what is off by less follows on

    def _decoded(self, start: int) -> Iterator[tuple[int, Samples]]:
        """Blocks and the samples they begin at, from one at or before ``start`` on."""
        mix = AudioResampler("flt", "stereo" if self.channels == 2 else "mono", self.rate)
        with open_film(self.path) as film:
            stream = film.streams[self._index]
            if start and stream.time_base:
                ahead = self._starts + Fraction(start, self.rate) - 1
                film.seek(int(ahead / stream.time_base), stream=stream)
            for packet in film.demux(stream):
                try:
                    frames = packet.decode()
                except FFmpegError:  # its time stays silent
                    continue
                for frame in frames:
                    assert isinstance(frame, AudioFrame)  # noqa: S101 - of a sound stream
                    if frame.pts is None or frame.time_base is None:
                        continue
                    place = round((frame.pts * frame.time_base - self._starts) * self.rate)
                    frame.pts = None
                    for mixed in mix.resample(frame):
                        yield place, np.asarray(mixed.to_ndarray(), np.float32).reshape(-1, self.channels)


class Stretched(Sound):
    """Another sound by a pace, at its own pitch, as `vedit.video.sound` stretches a film's."""

    def __init__(self, sound: AudioClip, pace: Pace) -> None:
        self.sound = sound
        self.pace = pace
        rate = int(getattr(sound, "fps", None) or 44100)
        super().__init__(rate, sound.nchannels, round(pace.shown(Fraction(sound.duration)) * rate))

    def blocks(self, start: int) -> Generator[Samples]:
        done = 0
        for new in self._all():
            done += len(new)
            if done > start:
                yield new[max(0, len(new) - (done - start)) :]

    def _all(self) -> Iterator[Samples]:
        tempo = Tempo(self.rate, lambda n: float(self.pace.source(Fraction(n, self.rate)) * self.rate))
        total = int(self.sound.duration * self.rate)
        for begin in range(0, total, BLOCK):
            times = np.arange(begin, min(total, begin + BLOCK)) / self.rate
            samples = np.asarray(self.sound.get_frame(times), np.float32).reshape(len(times), -1)
            for new in tempo.stretched(np.ascontiguousarray(samples.T)):
                yield new.T
        for new in tempo.rest(self.samples):
            yield new.T


def clip_of(sound: Sound) -> AudioClip:
    """A MoviePy clip of a sound; nothing is computed yet."""
    clip = AudioClip()
    clip.frame_function, clip.fps, clip.nchannels = sound, sound.rate, sound.channels
    clip.duration = clip.end = sound.samples / sound.rate
    return clip
