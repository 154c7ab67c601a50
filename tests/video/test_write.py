import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from vedit.errors import OutputError, UsageError, VeditError
from vedit.frame import Notes
from vedit.video.output import Output, plan_output
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source
from vedit.video.write import Writer, Written


def identity(path: Path, output: Output, notes: Notes | None = None) -> Written:
    source, notes = probe(path), notes or Notes()
    with Writer(source, output, source.timing, notes) as writer:
        for frame in read(source, notes):
            writer.add(frame)
        return writer.finish()


def samples(path: Path) -> list[NDArray[np.int64]]:
    with av.open(path) as film:
        return [frame.to_ndarray().astype(np.int64) for frame in film.decode(video=0)]


def sound(path: Path) -> list[str]:
    with av.open(path) as film:
        sums = {s.index: hashlib.sha256() for s in film.streams.audio}
        for packet in film.demux(film.streams.audio):
            sums[packet.stream.index].update(bytes(packet))
        return [s.hexdigest() for s in sums.values()]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_identity_keeps_times_length_and_sound(
    film: Callable[..., Path], tmp_path: Path, ending: str
) -> None:
    path = film(shots=(9, 8), tracks=2)
    out = tmp_path / f"out.{ending}"
    written = identity(path, Output(out))
    before, after = probe(path), probe(out)
    assert written.pts_identical
    assert (written.frames, after.frames, after.rate) == (17, 17, before.rate)
    assert sound(out) == sound(path)
    assert len(written.streams) == 2
    if ending == "mkv":
        assert written.worst_time_error <= Fraction(1, 1000)
    else:
        assert [p * after.time_base for p in after.pts] == [p * before.time_base for p in before.pts]
        assert after.duration == before.duration


def test_untouched_pictures_reach_the_encoder_bit_for_bit(film: Callable[..., Path], tmp_path: Path) -> None:
    path, out = film(), tmp_path / "out.mkv"
    identity(path, Output(out, codec="ffv1"))
    assert all(np.array_equal(a, b) for a, b in zip(samples(path), samples(out), strict=True))


def test_outside_a_mask_nothing_changes(film: Callable[..., Path], tmp_path: Path) -> None:
    path, out = film(), tmp_path / "out.mkv"
    source = probe(path)
    changed = torch.zeros(1, source.height, source.width)
    changed[:, 16:32, 20:40] = 1
    with Writer(source, Output(out, codec="ffv1"), source.timing, Notes()) as writer:
        for frame in read(source, Notes()):
            writer.add(frame.edited(1 - frame.pixels, changed))
        writer.finish()
    luma = np.ones((source.height, source.width), bool)
    luma[16:32, 20:40] = False
    for old, new in zip(samples(path), samples(out), strict=True):
        old_luma, new_luma = old[: source.height], new[: source.height]
        assert np.array_equal(new_luma[luma], old_luma[luma])
        assert np.abs(new_luma[~luma] - old_luma[~luma]).mean() > 10


def test_last_frame_lasts_exactly_as_long_as_it_should(film: Callable[..., Path], tmp_path: Path) -> None:
    source = probe(film())
    *_, last = frames = list(read(source, Notes()))
    last.duration *= 3
    out = tmp_path / "out.mp4"
    timing = source.timing.__class__(source.time_base, source.rate, source.pts[0], last.end)
    with Writer(source, Output(out), timing, Notes()) as writer:
        for frame in frames:
            writer.add(frame)
        writer.finish()
    assert probe(out).duration == (last.end - source.pts[0]) * source.time_base


def test_varying_times_and_late_start_survive(tmp_path: Path, film: Callable[..., Path]) -> None:
    source = probe(film(shots=(12,)))
    path, out = tmp_path / "vfr.mkv", tmp_path / "out.mp4"
    moments = [1000 + t for t in (0, 40, 80, 140, 200, 210, 300, 333, 400, 401, 500, 700)]
    timing = source.timing.__class__(Fraction(1, 1000), None, moments[0], 760)
    with Writer(source, Output(path, audio="none"), timing, Notes()) as writer:
        for frame, pts, end in zip(read(source, Notes()), moments, [*moments[1:], 1760], strict=True):
            writer.add(frame.at(pts, end - pts, frame.index))
        writer.finish()
    assert identity(path, Output(out)).pts_identical
    after = probe(out)
    assert [p * after.time_base for p in after.pts] == [Fraction(m, 1000) for m in moments]
    assert after.duration == Fraction(760, 1000)


def test_subtitles_chapters_and_tags_come_along(film: Callable[..., Path], tmp_path: Path) -> None:
    srt, rich, out = tmp_path / "a.srt", tmp_path / "rich.mkv", tmp_path / "out.mkv"
    srt.write_text("1\n00:00:00,100 --> 00:00:00,300\nHello\n", encoding="utf-8")
    with av.open(film()) as plain, av.open(srt) as text, av.open(rich, "w") as new:
        ins = [*plain.streams, *text.streams]
        outs = [new.add_stream_from_template(s, opaque=True) for s in ins]
        outs[2].metadata["language"] = "fra"
        new.metadata["title"] = "A film"
        millisecond = Fraction(1, 1000)
        new.set_chapters(
            [{"id": 1, "start": 0, "end": 200, "time_base": millisecond, "metadata": {"title": "One"}}]
        )
        for container, offset in ((plain, 0), (text, 2)):
            for packet in container.demux():
                if packet.size:
                    packet.stream = outs[offset + packet.stream.index]
                    new.mux(packet)
    written = identity(rich, Output(out))
    assert [(s.kind, s.language) for s in written.streams] == [("audio", None), ("subtitle", "fra")]
    with av.open(out) as film_out:
        assert [s.type for s in film_out.streams] == ["video", "audio", "subtitle"]
        assert film_out.metadata["title"] == "A film"
        assert [c["metadata"]["title"] for c in film_out.chapters()] == ["One"]


def blank(path: Path, codec: str, size: tuple[int, int], pix_fmt: str, sar: Fraction = Fraction(1)) -> Path:
    with av.open(path, "w") as film:
        stream = film.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, pix_fmt
        context = stream.codec_context
        context.sample_aspect_ratio = sar
        context.colorspace, context.color_range, context.color_primaries, context.color_trc = 5, 2, 5, 6
        for _ in range(3):
            film.mux(stream.encode(av.VideoFrame(*size, pix_fmt)))
        film.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_colour_tags_and_shape_of_pixels_are_kept(tmp_path: Path, ending: str) -> None:
    path = blank(tmp_path / "in.mov", "libx264", (64, 48), "yuv422p", Fraction(4, 3))
    out, notes = tmp_path / f"out.{ending}", Notes()
    identity(path, Output(out), notes)
    before, after = probe(path), probe(out)
    assert after.video.colour == before.video.colour
    assert (after.video.sar, after.video.pix_fmt) == (Fraction(4, 3), before.video.pix_fmt)
    assert notes.warnings == []


def test_odd_sizes_are_kept(tmp_path: Path) -> None:
    out, notes = tmp_path / "out.mp4", Notes()
    identity(blank(tmp_path / "in.mkv", "ffv1", (63, 47), "yuv420p"), Output(out), notes)
    after = probe(out)
    assert (after.width, after.height, after.video.pix_fmt) == (63, 47, "yuvj444p")
    assert notes.warnings == []  # x264 needs full chroma here, which loses nothing


def test_what_the_output_cannot_hold_is_told(tmp_path: Path) -> None:
    notes = Notes()
    path = blank(tmp_path / "in.mov", "prores_ks", (64, 48), "yuva444p10le", Fraction(4, 3))
    identity(path, Output(tmp_path / "out.webm"), notes)
    assert [w.split(":")[0] for w in notes.warnings] == [
        "bit depth is reduced",
        "colour is stored at lower resolution",
        "pixels that are not square (4/3) are not marked so",
    ]


def complaint(source: Source, output: Output) -> VeditError:
    with pytest.raises(VeditError) as caught:
        plan_output(source, output)
    return caught.value


def test_complaints_come_before_work(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film()
    source = probe(path)
    existing = tmp_path / "there.mkv"
    existing.write_bytes(b"keep me")
    before = sorted(p.name for p in tmp_path.iterdir())
    for output, error, words in [
        (Output(path, overwrite=True), UsageError, "source itself"),
        (Output(existing), UsageError, "exists"),
        (Output(tmp_path / "out.xyz"), UsageError, ".mkv"),
        (Output(tmp_path / "none" / "out.mp4"), OutputError, "does not exist"),
        (Output(tmp_path / "out.mp4", codec="nonsense"), UsageError, "libx264"),
        (Output(tmp_path / "out.mp4", codec="aac"), UsageError, "not a video encoder"),
        (Output(tmp_path / "out.mp4", crf=99), UsageError, "0 (best) to 51"),
        (Output(tmp_path / "out.mkv", codec="ffv1", crf=10), UsageError, "no crf"),
        (Output(tmp_path / "out.webm", codec="libx264"), UsageError, "libvpx-vp9"),
        (Output(tmp_path / "out.webm"), UsageError, "cannot be copied"),
        (Output(tmp_path / "out.mp4", audio="loud"), UsageError, "none"),
    ]:
        found = complaint(source, output)
        assert type(found) is error, output
        assert words in str(found)
    assert sorted(p.name for p in tmp_path.iterdir()) == before
    assert existing.read_bytes() == b"keep me"


def test_leaving_unfinished_leaves_nothing(film: Callable[..., Path], tmp_path: Path) -> None:
    source = probe(film(shots=(90,)))  # more than the encoder looks ahead, so bytes are written
    before = sorted(tmp_path.iterdir())
    with Writer(source, Output(tmp_path / "out.mp4"), source.timing, Notes()) as writer:
        for frame in read(source, Notes()):
            writer.add(frame)
        assert len(list(tmp_path.iterdir())) == len(before) + 1
    assert sorted(tmp_path.iterdir()) == before


def test_names_that_trip_others(film: Callable[..., Path], tmp_path: Path) -> None:
    path = film("-in: 100%d späce 日本.mp4")
    out = tmp_path / ("-" + "ü" * 100 + "%03d.mkv")
    assert identity(path, Output(out)).frames == 10
    assert out.exists()


def test_webm_with_transparency(tmp_path: Path) -> None:
    path, out = tmp_path / "in.mkv", tmp_path / "out.webm"
    with av.open(path, "w") as film:
        stream = film.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuva420p"
        rgba = np.full((48, 64, 4), 128, np.uint8)
        rgba[:, :32, 3], rgba[:, 32:, 3] = 0, 255
        for _ in range(4):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="yuva420p")))
        film.mux(stream.encode(None))
    identity(path, Output(out))
    frame = next(iter(read(probe(out), Notes())))
    assert frame.pixels.shape == (4, 48, 64)
    assert frame.pixels[3, :, :24].max() < 0.2
    assert frame.pixels[3, :, 40:].min() > 0.8
