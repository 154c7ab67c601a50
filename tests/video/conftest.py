"""Films with sound, subtitles and whatever else, as small as they go."""

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from vedit.frame import Notes
from vedit.video.output import Output
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.write import Writer, Written

STEP = Fraction(1, 4)
"""Seconds from click to click."""


@pytest.fixture
def identity() -> Callable[..., tuple[Written, list[str]]]:
    """``identity(path, out, audio="auto")``: the film written anew, no frame edited, and the warnings."""

    def run(path: Path, out: Path, audio: str = "copy") -> tuple[Written, list[str]]:
        source, notes = probe(path), Notes()
        with Writer(source, Output(out, audio=audio), source.timing, notes) as writer:
            for frame in read(source, notes):
                writer.add(frame)
            return writer.finish(), notes.warnings

    return run


@pytest.fixture
def clicking(tmp_path: Path) -> Callable[..., Path]:
    """A maker of films of two seconds with a click of one sample every quarter second from ``start`` on.

    ``without=(0.6, 1.1)`` leaves out the packets between; ``srt`` is the text of a subtitle track; ``block`` how
    many samples the encoder gets at a time; ``finish`` may add streams and tags and gives the packets for them.
    """

    def make(
        name: str,
        *codecs: str,
        rate: int = 48000,
        layout: str = "mono",
        start: Fraction = Fraction(0),
        without: tuple[float, float] = (0, 0),
        srt: str = "",
        block: int = 960,
        finish: Callable[[Any], list[Any]] | None = None,
        options: dict[str, str] | None = None,
    ) -> Path:
        path = tmp_path / name
        with av.open(path, "w", container_options=options or {}) as out:
            picture: Any = out.add_stream("libvpx-vp9" if path.suffix == ".webm" else "mpeg4", rate=25)
            picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
            picture.codec_context.time_base = Fraction(1, 25)
            tracks: list[Any] = [
                out.add_stream(codec, rate=rate, options={"strict": "-2"}) for codec in codecs
            ]
            for track in tracks:
                track.codec_context.layout = layout
            packets: list[Any] = []
            if srt:
                with av.open(BytesIO(srt.encode()), "r", format="srt") as text:
                    cues = out.add_stream_from_template(text.streams[0])
                    for packet in text.demux():
                        if packet.size:
                            packet.stream = cues
                            packets.append(packet)
            packets += finish(out) if finish else []
            for i in range(50):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 4 * i, np.uint8))
                frame.pts, frame.time_base = i, Fraction(1, 25)
                packets += picture.encode(frame)
            packets += picture.encode(None)
            for track in tracks:
                wave = np.zeros(2 * rate, np.float32)
                wave[:: int(rate * STEP)] = 0.9
                for at in range(0, len(wave), block):
                    if without[0] <= at / rate < without[1]:
                        continue
                    samples = np.stack([wave[at : at + block]] * track.codec_context.channels)
                    sound = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
                    sound.sample_rate, sound.time_base = rate, Fraction(1, rate)
                    sound.pts = at + int(start * rate)
                    packets += track.encode(sound)
                packets += track.encode(None)
            for packet in sorted(packets, key=lambda p: (p.dts or 0) * p.time_base):
                out.mux(packet)
        return path

    return make


@pytest.fixture
def clicks() -> Callable[..., list[float]]:
    """``clicks(path, track=0)``: when a sound track clicks, in seconds after the film's first picture."""

    def find(path: Path, track: int = 0) -> list[float]:
        found: list[float] = []
        with av.open(path) as film:
            first = min(p.pts * p.time_base for p in film.demux(video=0) if p.pts is not None and p.size)
        with av.open(path) as film:
            for packet in film.demux(audio=track):
                frames: list[Any] = packet.decode()
                for frame in frames:
                    channels = frame.layout.nb_channels
                    wave = np.abs(frame.to_ndarray().astype(np.float64))
                    wave = (wave if frame.format.is_planar else wave.reshape(-1, channels).T)[0]
                    wave /= {"s16": 2**15, "s32": 2**31}.get(frame.format.packed.name, 1)
                    at = frame.pts * frame.time_base - first
                    found += [float(at) + int(k) / frame.sample_rate for k in np.flatnonzero(wave > 0.3)]
        found.sort()
        return [t for before, t in pairwise([-1.0, *found]) if t - before > 0.01]

    return find


@pytest.fixture
def contents() -> Callable[..., list[tuple[int | None, bytes]]]:
    """``contents(path, stream)``: time in milliseconds and payload of every packet of a stream."""

    def read_all(path: Path, stream: int) -> list[tuple[int | None, bytes]]:
        with av.open(path) as film:
            return [
                (None if p.pts is None else round(1000 * p.pts * p.time_base), bytes(p))
                for p in film.demux(film.streams[stream])
                if p.size
            ]

    return read_all
