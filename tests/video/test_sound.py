from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import corpus
import pytest

from vedit.errors import UsageError
from vedit.video.probe import probe

QUARTERS = [i / 4 for i in range(8)]
TAKEN = {
    "aac": "mp4 mov mkv",
    "libopus": "mp4 mkv webm",
    "flac": "mp4 mkv",
    "pcm_s16le": "mp4 mov mkv",
    "vorbis": "mp4 mkv webm",
    "libmp3lame": "mp4 mov mkv",
    "ac3": "mp4 mov mkv",
}


def near(found: list[float], meant: list[float], within: float) -> bool:
    return len(found) == len(meant) and all(abs(a - b) <= within for a, b in zip(found, meant, strict=True))


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("codec", TAKEN)
def test_every_sound_in_every_container_is_copied_or_converted_with_a_word_and_in_time(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
    codec: str,
    ending: str,
) -> None:
    path, out = clicking("in.mkv", codec, layout="stereo"), tmp_path / f"out.{ending}"
    before = clicks(path)
    if ending in TAKEN[codec].split():
        written, warnings = identity(path, out, "copy")
        assert not warnings
        assert not written.streams[0].converted
    else:
        with pytest.raises(UsageError, match=r"cannot be copied.*--audio auto.*\.mkv.*--audio none"):
            identity(path, out, "copy")
        written, warnings = identity(path, out, "auto")
        target = "opus" if ending == "webm" else "aac"
        assert written.streams[0].converted
        assert written.streams[0].codec == target
        (warning,) = warnings
        assert f"is converted to {target}" in warning
        assert warning.count(written.streams[0].kind) == 1
    # Opus and the 1 ms clock of Matroska are half a millisecond off.
    after = clicks(out)
    assert near(after[-6:], before[-6:], 0.0011)
    with av.open(out) as film:
        assert film.streams.audio[0].codec_context.channels == 2


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("start", [Fraction(0), Fraction(48, 100), Fraction(3, 7)])
def test_converted_sound_begins_at_its_sample(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
    ending: str,
    start: Fraction,
) -> None:
    exact = {"movie_timescale": "48000"}
    path = clicking("in.mov", "pcm_s16le", start=start, options=exact)
    out = tmp_path / f"out.{ending}"
    identity(path, out, "aac")
    within = 0.0006 if ending == "mkv" else 1.5 / 48000
    assert near(clicks(out), clicks(path), within)
    assert near(clicks(out), [float(start) + t for t in QUARTERS], within + 1 / 48000)
    with av.open(out) as film:
        first: Any = next(film.demux(audio=0))
    tick = Fraction(1, 1000) if ending == "mkv" else first.time_base
    assert abs(first.pts * first.time_base - (start - Fraction(1024, 48000))) <= tick


def test_what_sounds_before_the_film_begins_is_not_converted(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
) -> None:
    # A clock that wraps: the picture begins before 0, and the sound a tenth of a second before it.
    late = {"output_ts_offset": str(2**33 / 90000 - 0.5), "muxdelay": "0", "muxpreload": "0"}
    path = clicking("in.ts", "ac3", start=Fraction(-1, 10), options=late)
    assert probe(path).pts[0] < 0
    assert near(clicks(path), [-0.1 + i / 4 for i in range(8)], 0.0011)
    for ending in ("mp4", "mkv"):
        out = tmp_path / f"out.{ending}"
        identity(path, out, "aac")
        assert near(clicks(out), [0.15 + i / 4 for i in range(7)], 0.0011)
        with av.open(out) as film:
            first: Any = next(film.demux(video=0))
        assert first.pts == 0


def test_a_gap_stays_a_gap(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path = clicking("in.mkv", "pcm_s16le", without=(0.6, 1.1))
    out = tmp_path / "out.mp4"
    identity(path, out, "aac")
    assert near(clicks(out), [0, 0.25, 0.5, 1.25, 1.5, 1.75], 0.0011)


def test_damaged_packets_are_left_out_and_counted(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path, out = clicking("in.mov", "aac"), tmp_path / "out.webm"
    with av.open(path) as film:
        packets: list[Any] = [(p.pos, p.size) for p in film.demux(audio=0) if p.size]
    data = bytearray(path.read_bytes())
    for pos, size in packets[30:33]:  # from 0.64 s on
        data[pos : pos + size] = b"\xff" * size
    path.write_bytes(bytes(data))
    _, warnings = identity(path, out, "auto")
    assert any("3 damaged packets" in warning for warning in warnings)
    assert near(clicks(out)[-4:], [1.0, 1.25, 1.5, 1.75], 0.0011)


@pytest.mark.parametrize(
    ("rate", "layout", "ending", "expected"),
    [
        (44100, "5.1", "mp4", (44100, "5.1")),
        (44100, "5.1(side)", "webm", (48000, "5.1")),
        (22050, "mono", "webm", (24000, "mono")),
        (192000, "stereo", "mp4", (96000, "stereo")),
        (8000, "mono", "mov", (8000, "mono")),
    ],
)
def test_rate_and_channels_are_kept_where_the_encoder_takes_them(
    clicking: Callable[..., Path],
    identity: Callable[..., Any],
    tmp_path: Path,
    rate: int,
    layout: str,
    ending: str,
    expected: tuple[int, str],
) -> None:
    path, out = clicking("in.mkv", "pcm_s16le", rate=rate, layout=layout), tmp_path / f"out.{ending}"
    _, warnings = identity(path, out, "aac")
    with av.open(out) as film:
        context = film.streams.audio[0].codec_context
        assert context.layout.name == expected[1]
        if ending != "webm":  # Opus always decodes at 48000
            assert context.sample_rate == expected[0]
        packets: list[Any] = [p for p in film.demux(audio=0) if p.size]
        last = max((p.pts + p.duration) * p.time_base for p in packets)
    assert abs(last - 2) <= Fraction(1024, min(rate, 48000))
    assert ("instead of 192000" in warnings[0]) == (rate == 192000)


def test_every_policy(clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path) -> None:
    path = clicking("in.mkv", "aac", "flac")
    codecs = {}
    for audio in ("copy", "auto", "aac", "none"):
        written, warnings = identity(path, tmp_path / f"{audio}.mp4", audio)
        codecs[audio] = [(s.codec, s.converted) for s in written.streams]
        assert len(warnings) == (2 if audio in ("aac", "none") else 0)
    assert codecs["copy"] == codecs["auto"] == [("aac", False), ("flac", False)]
    assert codecs["aac"] == [("aac", True), ("aac", True)]
    assert codecs["none"] == []
    with pytest.raises(UsageError, match=r"audio is 'mp3'. Use one of copy, auto, aac, none"):
        identity(path, tmp_path / "x.mp4", "mp3")


@pytest.mark.parametrize("ending", ["mp4", "mov"])
@pytest.mark.parametrize("audio", ["aac", "copy"])
def test_a_last_packet_of_a_few_samples_is_not_lost(
    identity: Callable[..., Any], tmp_path: Path, ending: str, audio: str
) -> None:
    seconds = (90 * 1024 + 20) / corpus.SOUND_RATE
    codec = "pcm_s16le" if audio == "aac" else "aac"
    path = corpus.write(tmp_path / "in.mkv", sounds=[corpus.Sound(codec, seconds)])
    written, _ = identity(path, tmp_path / f"out.{ending}", audio)
    assert written.streams[0].packets == 92  # one of them before time 0
