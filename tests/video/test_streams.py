from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import vedit
from vedit.video.probe import probe
from vedit.video.streams import plan_streams


def two_pictures(path: Path, preset: str = "ultrafast") -> Path:
    """A film with two picture streams, at 25 and at 30000/1001 frames per second."""
    with av.open(str(path), "w") as out:
        streams = []
        for rate in (Fraction(25), Fraction(30000, 1001)):
            stream = out.add_stream("libx264", rate=rate, options={"preset": preset})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            stream.codec_context.time_base = 1 / rate
            streams.append(stream)
        for stream in streams:
            for i in range(20):
                picture = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * i, np.uint8), format="rgb24")
                picture.pts, picture.time_base = i, stream.codec_context.time_base
                out.mux(stream.encode(picture))
            out.mux(stream.encode(None))
    return path


def shown_at(path: Path, stream: int) -> list[float]:
    """When a stream's packets are shown, in the order of the file, in seconds from the first."""
    with av.open(str(path)) as film:
        seconds = [
            p.pts * p.time_base for p in film.demux(film.streams[stream]) if p.size and p.pts is not None
        ]
    return [float(one - min(seconds)) for one in seconds]


def times(path: Path, stream: int) -> tuple[list[Fraction], Fraction]:
    """When a stream's packets are shown, and how long the stream lasts, in seconds."""
    with av.open(str(path)) as film:
        of = film.streams[stream]
        assert of.time_base is not None
        assert of.duration is not None
        packets = [p.pts * of.time_base for p in film.demux(of) if p.size and p.pts is not None]
        return sorted(packets), of.duration * of.time_base


def test_a_copied_picture_stream_keeps_its_times_whatever_the_edited_one_counts_in(tmp_path: Path) -> None:
    source, out = two_pictures(tmp_path / "two.mp4"), tmp_path / "out.mp4"
    vedit.interpolate(source, out, fps=60, quality="draft")
    assert times(out, 1) == times(source, 1)
    assert times(out, 0)[1] == times(source, 0)[1] == Fraction(20, 25)


def with_data(codec: str) -> Callable[[Any], list[Any]]:
    """Adds a data track of four packets."""

    def add(out: Any) -> list[Any]:
        stream = out.add_data_stream(codec)
        stream.time_base = Fraction(1, 1000)
        packets = [av.Packet(b"data" * (i + 1)) for i in range(4)]
        for i, packet in enumerate(packets):
            packet.stream, packet.time_base = stream, Fraction(1, 1000)
            packet.pts, packet.dts, packet.duration = 500 * i, 500 * i, 500
        return packets

    return add


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov"])
def test_a_copied_picture_stream_of_matroska_with_b_frames_keeps_its_times(
    ending: str, identity: Callable[..., Any], tmp_path: Path
) -> None:
    path, out = two_pictures(tmp_path / "in.mkv", "medium"), tmp_path / f"out.{ending}"
    _, warnings = identity(path, out)
    assert not warnings
    shown = [shown_at(film, 1) for film in (path, out)]
    assert shown[0] != sorted(shown[0]), "pictures come in another order than they are shown"
    assert all(abs(a - b) < 0.0011 for a, b in zip(*shown, strict=True))


@pytest.mark.parametrize("ending", ["mov", "mp4"])
def test_sound_without_compression_is_copied_whatever_the_size_of_its_packets(
    ending: str, clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path
) -> None:
    path = clicking("in.mkv", "pcm_s16le", block=1920)  # a picture's worth, as in MXF
    written, _ = identity(path, tmp_path / f"out.{ending}")
    assert [stream.converted for stream in written.streams] == [False]


def test_data_of_an_action_camera_is_copied_where_it_can_be_read_again(
    clicking: Callable[..., Path], identity: Callable[..., Any], contents: Callable[..., Any], tmp_path: Path
) -> None:
    path = clicking("in.mp4", "aac", finish=with_data("bin_data"))
    before = contents(path, 2)
    assert [data for _, data in before] == [b"data" * (i + 1) for i in range(4)]
    for ending in ("mp4", "mov"):
        written, warnings = identity(path, tmp_path / f"out.{ending}")
        assert not warnings
        assert ("data", 4) in [(s.kind, s.packets) for s in written.streams]
        assert contents(tmp_path / f"out.{ending}", 2) == before
    written, (warning,) = identity(path, tmp_path / "out.mkv")
    assert [s.kind for s in written.streams] == ["audio"]
    assert "data stream 2 (bin_data) is left out" in warning


@pytest.mark.parametrize("codec", ["klv", "timed_id3"])
@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_data_that_would_break_the_film_is_left_out_with_a_word(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, codec: str, ending: str
) -> None:
    path = clicking("in.ts", finish=with_data(codec))
    written, warnings = identity(path, tmp_path / f"out.{ending}")
    assert written.streams == ()
    assert any(f"({codec}) is left out" in warning for warning in warnings)


def test_the_plan_says_what_becomes_of_every_stream(clicking: Callable[..., Path]) -> None:
    text = "1\n00:00:00,200 --> 00:00:00,900\nHello\n"
    source = probe(clicking("in.mkv", "aac", "flac", srt=text))
    fates = {
        (container, audio): [(str(plan.how), plan.codec) for plan in plan_streams(source, container, audio)]
        for container in ("mp4", "mov", "matroska", "webm")
        for audio in ("auto", "aac", "none")
    }
    copied, aac, opus, dropped = ("copy", "aac"), ("convert", "aac"), ("convert", "opus"), ("drop", "")
    text_as = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
    for container, codec in text_as.items():
        cues = ("copy" if codec == "subrip" else "convert", codec)
        always = opus if container == "webm" else aac
        assert sorted(fates[container, "aac"]) == sorted([always, always, cues])
        assert sorted(fates[container, "none"]) == sorted([dropped, dropped, cues])
    assert ("copy", "flac") in fates["mp4", "auto"]
    assert ("copy", "flac") in fates["matroska", "auto"]
    assert sorted(fates["mov", "auto"]) == sorted([copied, aac, ("convert", "mov_text")])
    assert fates["webm", "auto"].count(opus) == 2
    for plan in plan_streams(source, "webm", "auto"):
        assert plan.facts.codec in plan.reason
        assert plan.codec in plan.reason
