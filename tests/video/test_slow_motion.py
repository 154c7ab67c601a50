"""What becomes of sound, subtitles and chapters of a film that lasts longer, or whose speed changes."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

import vedit
from vedit.edits.ramp import curve_over, ramp_keys

RATE = 48000
BEEP = 0.2
"""Seconds of every beep; one begins every half second."""
SRT = "1\n00:00:00,200 --> 00:00:00,900\nHello\n\n2\n00:00:01,000 --> 00:00:01,500\nagain\n"


def beeping(path: Path, *hertz: int, seconds: float = 2.0, start: Fraction = Fraction(0)) -> Path:
    """A film of small grey pictures at 25 fps, and a track of beeps of every pitch, that starts when the picture does
    plus ``start``."""
    with av.open(
        path, "w", container_options={"movie_timescale": "48000"} if path.suffix == ".mov" else {}
    ) as out:
        picture: Any = out.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 32, 32, "yuv420p"
        tracks: list[Any] = [out.add_stream("pcm_s16le", rate=RATE, layout="mono") for _ in hertz]
        for i in range(round(25 * seconds)):
            out.mux(picture.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), i, np.uint8))))
        out.mux(picture.encode(None))
        for pitch, track in zip(hertz, tracks, strict=True):
            times = np.arange(round(seconds * RATE)) / RATE
            wave = np.sin(times * 2 * np.pi * pitch) * 12000 * (times % 0.5 < BEEP)
            for first in range(0, len(wave), 1024):
                block = wave[None, first : first + 1024].astype(np.int16)
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
                frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
                frame.pts = first + round(start * RATE)
                out.mux(track.encode(frame))
            out.mux(track.encode(None))
    return path


def heard(path: Path, track: int = 0) -> tuple[NDArray[np.float64], float]:
    """The samples of a track, and when the first of them is heard."""
    with av.open(path) as film:
        stream = film.streams.audio[track]
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = list(film.decode(stream))
        assert frames[0].pts is not None
        assert frames[0].time_base is not None
        first = float(frames[0].pts * frames[0].time_base)
        parts = [r.to_ndarray()[0] for f in [*frames, None] for r in resampler.resample(f) if r is not None]
    return np.concatenate(parts).astype(float), first


def middles(wave: NDArray[np.float64], first: float, slower: float) -> list[float]:
    """The middle of each of four beeps, looked for around where it should be."""
    found = []
    for i in range(4):
        start = max(0, round((slower * (0.5 * i - 0.1) - first) * RATE))
        energy = wave[start : round((slower * (0.5 * i + 0.3) - first) * RATE)] ** 2
        found.append(float((np.arange(len(energy)) * energy).sum() / energy.sum() + start) / RATE + first)
    return found


def pitch(wave: NDArray[np.float64]) -> float:
    spectrum = np.abs(np.fft.rfft(wave * np.hanning(len(wave))))
    return float(spectrum.argmax()) * RATE / len(wave)


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize("slower", [Fraction(2), Fraction(4), Fraction(1, 2)])
def test_sound_lasts_as_long_as_the_picture_at_its_own_pitch(
    tmp_path: Path, slower: Fraction, ending: str
) -> None:
    src, dst = beeping(tmp_path / "in.mkv", 440, 880), tmp_path / f"out.{ending}"
    report = vedit.interpolate(src, dst, slowmo=slower, quality="draft")
    assert report.duration_out == 2 * slower
    assert sum(stream.kind == "audio" for stream in report.streams) == 2
    assert sum("its pitch kept" in warning for warning in report.warnings) == 2
    for track, hertz in enumerate((440, 880)):
        wave, first = heard(dst, track)
        assert abs(first) < 0.001
        assert abs(len(wave) / RATE + first - float(2 * slower)) < 0.022  # a frame of AAC or Opus
        assert abs(pitch(wave) - hertz) < 3
        meant = [float(slower) * (0.5 * i + BEEP / 2) for i in range(4)]
        np.testing.assert_allclose(middles(wave, first, float(slower)), meant, atol=0.03)


def test_a_track_that_starts_late_still_starts_late(tmp_path: Path) -> None:
    src, dst = beeping(tmp_path / "in.mov", 440, start=Fraction(3, 10)), tmp_path / "out.mkv"
    vedit.interpolate(src, dst, slowmo=3, quality="draft")
    wave, first = heard(dst)
    assert abs(first - 0.9) < 0.0015
    assert abs(len(wave) / RATE - 6) < 0.022


def test_sound_that_would_begin_before_the_film_is_cut_and_it_is_said(tmp_path: Path) -> None:
    # A second of sound before the picture, of which four would be made and three have no place.
    src, dst = beeping(tmp_path / "in.mkv", 440, start=Fraction(-1)), tmp_path / "out.mkv"
    report = vedit.interpolate(src, dst, slowmo=4, quality="draft")
    assert [w for w in report.warnings if "sound" in w and "left out" in w] == [
        "the first 0.75 s of sound are left out: they come long before the first picture, and played at its speed they "
        "would begin before the film does"
    ]
    wave, first = heard(dst)
    assert abs(first) < 0.0015
    assert abs(len(wave) / RATE - 4 * 1.25) < 0.022
    whole = vedit.interpolate(beeping(tmp_path / "whole.mkv", 440), dst, slowmo=4, overwrite=True)
    assert not [w for w in whole.warnings if "left out" in w]


def test_keep_copies_the_sound_and_none_leaves_it_out(tmp_path: Path) -> None:
    src, dst = beeping(tmp_path / "in.mkv", 440), tmp_path / "out.mkv"
    vedit.interpolate(src, dst, slowmo=2, quality="draft", audio="keep")
    np.testing.assert_array_equal(heard(dst)[0], heard(src)[0])
    vedit.interpolate(src, dst, slowmo=2, quality="draft", audio="none", overwrite=True)
    with av.open(dst) as film:
        assert not film.streams.audio


def test_sound_follows_a_ramp_and_is_silent_where_the_picture_stands_still(tmp_path: Path) -> None:
    src, dst = beeping(tmp_path / "in.mkv", 440), tmp_path / "out.mkv"
    report = vedit.interpolate(src, dst, ramp="0=0,2=1,3=1", quality="draft")
    assert report.duration_out == 4
    wave, first = heard(dst)
    assert abs(first) < 0.001
    assert abs(len(wave) / RATE - 4) < 0.022
    assert abs(pitch(wave) - 440) < 3
    curve = curve_over(ramp_keys("0=0,2=1,3=1"), Fraction(2))
    loud = np.abs(wave) > 0.05
    for i in range(4):
        start, stop = (
            float(curve.shown(Fraction(i, 2) + edge)) for edge in (Fraction(2, 100), Fraction(18, 100))
        )
        assert loud[round(start * RATE) : round(stop * RATE)].mean() > 0.7
        quiet, until = (
            float(curve.shown(Fraction(i, 2) + edge)) for edge in (Fraction(26, 100), Fraction(44, 100))
        )
        assert loud[round(quiet * RATE) : round(until * RATE)].mean() < 0.05
    assert loud[round(2.1 * RATE) : round(2.9 * RATE)].mean() < 0.05, "it stands still"
    vedit.interpolate(src, dst, ramp="0=0,2=1", quality="draft", audio="keep", overwrite=True)
    np.testing.assert_array_equal(heard(dst)[0], heard(src)[0])


def cues(path: Path) -> list[tuple[float, float]]:
    with av.open(path) as film:
        stream = film.streams.subtitles[0]
        base, found = stream.time_base, [p for p in film.demux(stream) if p.size and bytes(p) != b"\0\0"]
    assert base is not None
    ends = [((p.pts or 0), (p.pts or 0) + (p.duration or 0)) for p in found]
    return [(float(start * base), float(end * base)) for start, end in ends]


def chapters(path: Path) -> list[tuple[float, float]]:
    with av.open(path) as film:
        return [
            (
                float(c["start"] * Fraction(c["time_base"] or 0)),
                float(c["end"] * Fraction(c["time_base"] or 0)),
            )
            for c in film.chapters()
        ]


def with_chapters(out: Any) -> list[Any]:
    tick = Fraction(1, 1000)
    spans = [(0, 1000), (1000, 2000)]
    out.set_chapters(
        [
            {"id": i, "start": a, "end": b, "time_base": tick, "metadata": {"title": str(i)}}
            for i, (a, b) in enumerate(spans)
        ]
    )
    return []


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_subtitles_and_chapters_come_when_what_they_belong_to_is_shown(
    clicking: Callable[..., Path], tmp_path: Path, ending: str
) -> None:
    src, dst = clicking("in.mkv", srt=SRT, finish=with_chapters), tmp_path / f"out.{ending}"
    assert cues(src) == [(0.2, 0.9), (1.0, 1.5)]
    vedit.interpolate(src, dst, slowmo=3, quality="draft")
    np.testing.assert_allclose(cues(dst), [(0.6, 2.7), (3.0, 4.5)], atol=0.0011)
    np.testing.assert_allclose(chapters(dst), [(0, 3), (3, 6)], atol=0.0011)
    vedit.interpolate(src, dst, ramp={0: 0, 2: 1}, quality="draft", overwrite=True)
    shown = cues(dst)
    assert abs(shown[1][0] - 2) < 0.0011
    assert 0.2 < shown[0][0] < shown[0][1] < 2
    np.testing.assert_allclose(chapters(dst), [(0, 2), (2, 3)], atol=0.0011)


def test_subtitles_and_chapters_of_a_film_that_keeps_its_length_stay(
    clicking: Callable[..., Path], tmp_path: Path
) -> None:
    src, dst = clicking("in.mkv", srt=SRT, finish=with_chapters), tmp_path / "out.mkv"
    vedit.interpolate(src, dst, fps=50, quality="draft")
    assert (cues(dst), chapters(dst)) == (cues(src), chapters(src))
