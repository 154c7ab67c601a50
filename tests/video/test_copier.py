from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import AttachmentStream, Disposition

QUARTERS = [i / 4 for i in range(1, 8)]
MS = Fraction(1, 1000)


def png() -> bytes:
    file = BytesIO()
    with av.open(file, "w", format="image2pipe") as out:
        stream: Any = out.add_stream("png", rate=1)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgb24"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((16, 16, 3), 77, np.uint8))))
        out.mux(stream.encode(None))
    return file.getvalue()


def with_cover(out: Any) -> list[Any]:
    """A cover as MP4 has it, chapters and a timecode."""
    with av.open(BytesIO(png()), "r") as image:
        cover = out.add_stream_from_template(image.streams[0], opaque=True)
        (packet,) = (p for p in image.demux() if p.size)
    cover.disposition = Disposition.attached_pic
    packet.stream, packet.pts, packet.dts = cover, 0, 0
    two_chapters(out)
    out.metadata["timecode"] = "01:02:03:04"
    return [packet]


def two_chapters(out: Any) -> list[Any]:
    times = [(1, 0, 1000), (2, 1000, 2000)]
    out.set_chapters(
        [
            {"id": n, "start": a, "end": b, "time_base": MS, "metadata": {"title": f"Part {n}"}}
            for n, a, b in times
        ]
    )
    return []


def first_times(path: Path) -> dict[str, Fraction]:
    """When picture and sound begin."""
    found: dict[str, Fraction] = {}
    with av.open(path) as film:
        for packet in film.demux(video=0, audio=0):
            if packet.size and packet.pts is not None:
                time = packet.pts * packet.time_base
                found[packet.stream.type] = min(time, found.get(packet.stream.type, time))
    return found


@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "ac3"])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_sound_that_begins_before_zero_does_not_move_the_picture(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
    codec: str,
    rate: int,
) -> None:
    path, out = clicking("in.mp4", codec, rate=rate), tmp_path / "out.mkv"
    assert first_times(path)["audio"] < 0
    _, warnings = identity(path, out)
    assert not warnings
    assert first_times(out)["video"] == 0
    assert abs(first_times(out)["audio"] - first_times(path)["audio"]) <= MS
    before, after = clicks(path)[-7:], clicks(out)[-7:]
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 0.0006
    # And on into a container with another clock.
    identity(out, tmp_path / "again.mp4")
    again = clicks(tmp_path / "again.mp4")[-7:]
    assert max(abs(a - b) for a, b in zip(again, before, strict=True)) < 0.0006
    assert first_times(tmp_path / "again.mp4")["video"] == 0


def test_a_film_that_has_to_be_moved_stays_in_step_and_says_so(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
) -> None:
    path, out = clicking("in.mp4", "alac", start=Fraction(-1, 10)), tmp_path / "out.mkv"
    _, (warning,) = identity(path, out)
    assert "0.1" in warning
    assert "is moved" in warning
    shift = first_times(out)["video"]
    assert 0 < shift <= Fraction(11, 100)
    before = [t for t in clicks(path) if t > 0]
    after = [t for t in clicks(out) if t > 0]
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 0.0011


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_cover_among_chapters_and_timecode_arrives_bit_for_bit(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    path, out = clicking("in.mp4", "aac", finish=with_cover), tmp_path / f"out.{ending}"
    written, warnings = identity(path, out)
    assert [s.kind for s in written.streams] == ["audio", "video"]
    assert len(warnings) == 1
    assert "timecode 01:02:03:04" in warnings[0]
    again, _ = identity(out, tmp_path / "again.mp4")
    for film_path in (out, tmp_path / "again.mp4"):
        with av.open(film_path) as film:
            (cover,) = (s for s in film.streams.video if s.disposition & Disposition.attached_pic)
            (packet,) = (p for p in film.demux(cover) if p.size)
            assert bytes(packet) == png()
            tags = {k.lower(): v for k, v in film.streams.video[0].metadata.items()}
            assert tags["timecode"] == "01:02:03:04"
            assert [c["metadata"]["title"] for c in film.chapters()] == ["Part 1", "Part 2"]
    assert [s.md5 for s in again.streams] == [s.md5 for s in written.streams]


@pytest.mark.parametrize("ending", ["mov", "webm"])
def test_a_cover_is_left_out_with_a_word(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    path = clicking("in.mp4", "libopus" if ending == "webm" else "aac", finish=with_cover)
    written, warnings = identity(path, tmp_path / f"out.{ending}")
    assert [s.kind for s in written.streams] == ["audio"]
    assert any("the cover picture (png) is left out" in warning for warning in warnings)


def test_attachments_arrive_in_matroska_and_are_left_out_elsewhere_with_a_word(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path
) -> None:
    def attach(out: Any) -> list[Any]:
        out.add_attachment("font.ttf", "application/x-truetype-font", b"FONT" * 99)
        out.add_attachment("front.png", "image/png", png())
        return []

    path, out = clicking("in.mkv", "libopus", finish=attach), tmp_path / "out.mkv"
    written, warnings = identity(path, out)
    assert not warnings
    assert sorted(s.kind for s in written.streams) == ["attachment", "audio", "video"]
    with av.open(out) as film:
        (font,) = (s for s in film.streams if isinstance(s, AttachmentStream))
        assert (font.name, font.mimetype, font.data) == (
            "font.ttf",
            "application/x-truetype-font",
            b"FONT" * 99,
        )
        (cover,) = (s for s in film.streams.video if s.disposition & Disposition.attached_pic)
        assert cover.metadata["filename"] == "front.png"
        assert bytes(next(film.demux(cover))) == png()
    for ending, kinds in (("mp4", ["audio", "video"]), ("webm", ["audio"])):
        written, warnings = identity(path, tmp_path / f"out.{ending}")
        assert [s.kind for s in written.streams] == kinds
        assert any("font.ttf" in warning and "is left out" in warning for warning in warnings)
        assert len(warnings) == 3 - len(kinds)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
def test_chapters_keep_their_times(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    path, out = clicking("in.mkv", "libopus", finish=two_chapters), tmp_path / f"out.{ending}"
    identity(path, out, "auto")
    with av.open(out) as film:
        marks: list[Any] = film.chapters()
    chapters = [(c["start"] * c["time_base"], c["metadata"]["title"]) for c in marks]
    assert chapters == [(0, "Part 1"), (1, "Part 2")]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_sound_track_that_holds_nothing_harms_no_other(
    clicking: Callable[..., Path],
    clicks: Callable[..., list[float]],
    identity: Callable[..., Any],
    tmp_path: Path,
    ending: str,
) -> None:
    path, out = tmp_path / "in.mkv", tmp_path / f"out.{ending}"
    with av.open(clicking("one.mkv", "aac")) as film, av.open(path, "w") as more:
        more.add_stream("aac", rate=48000, layout="mono")  # before the picture, too
        streams = [more.add_stream_from_template(stream) for stream in film.streams]
        for packet in film.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                more.mux(packet)
    written, warnings = identity(path, out)
    assert len(written.streams) == (2 if ending == "mkv" else 1)
    assert warnings == ([] if ending == "mkv" else ["audio stream 0 (aac) is left out: it holds nothing"])
    before, after = clicks(path, 1), clicks(out, 1 if ending == "mkv" else 0)
    assert max(abs(a - b) for a, b in zip(after, before, strict=True)) < 0.0011


def test_damaged_packets_that_a_container_cannot_rewrite_are_left_out(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path
) -> None:
    path = clicking("in.ts", "aac")
    data = bytearray(path.read_bytes())
    header = data.index(b"\xff\xf1", len(data) // 2)
    data[header + 1] &= 0xFE  # ADTS (ISO/IEC 13818-7, 6.2) with a checksum
    data[header + 6] |= 3  # over several blocks, which FFmpeg does not know how to write to MP4
    path.write_bytes(data)
    written, warnings = identity(path, tmp_path / "out.mp4")
    assert written.streams[0].packets > 50
    assert any("1 damaged packets of sound" in warning for warning in warnings)


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_sound_whose_times_come_twice_is_copied(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    path = clicking("in.ts", "aac")
    data = path.read_bytes()
    middle = len(data) // 376 * 188
    path.write_bytes(data[:middle] + data[middle - 12 * 188 :])
    written, warnings = identity(path, tmp_path / f"out.{ending}")
    assert not written.streams[0].converted
    assert any("times that did not rise" in warning for warning in warnings)


@pytest.mark.parametrize("ending", ["mov", "mkv"])
def test_sound_cut_off_within_a_sample_ends_before_it(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    path = clicking("in.avi", "pcm_s16le")
    with av.open(path) as film:
        (*_, last) = (p for p in film.demux(audio=0) if p.size)
        assert last.pos is not None
        cut = last.pos + 8 + 101
    path.write_bytes(path.read_bytes()[:cut])
    with av.open(path) as film:
        assert any(p.size % 2 for p in film.demux(audio=0)), "the file holds half a sample"
    _, warnings = identity(path, tmp_path / f"out.{ending}")
    assert any("1 damaged packets of sound" in warning for warning in warnings)
