import subprocess
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]
from numpy.typing import NDArray

import vedit
from vedit.errors import UsageError

WIDTH, HEIGHT = 96, 64


def moment(step: int) -> NDArray[np.uint8]:
    """A bright bar on dark, 2 pixels further right at every step, and a dot that is one line high."""
    picture = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    picture[3, 4 * step % WIDTH] = 255
    picture[:, 10 + 2 * step : 22 + 2 * step] = 210
    return picture


def bar(picture: NDArray[np.uint8]) -> float:
    """Where the bar is."""
    bright = picture[8:-8, :, 1].astype(float).mean(0) > 125
    return float(np.flatnonzero(bright).mean())


def combing(picture: NDArray[np.uint8]) -> float:
    """How far lines are from the mean of the lines above and below."""
    lines = picture[..., 1].astype(float)
    return float(np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean())


def write(path: Path, order: str, count: int, codec: str, *, mixed: bool = False) -> Path:
    """A film of fields, two moments a picture; with ``mixed``, the first half is progressive."""
    options = {"field_order": "tt" if order == "tff" else "bb"}
    if codec == "mpeg2video":
        options |= {"flags": "+ilme+ildct", "b": "20M"}
    with av.open(path, "w") as film:
        stream = film.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv422p"
        graphs: dict[str, Graph] = {}
        for i in range(count):
            first, second = moment(2 * i), moment(2 * i + 1)
            woven, mode = first.copy(), order
            if mixed and i < count // 2:
                mode = "prog"
            else:
                late = slice(1, None, 2) if order == "tff" else slice(0, None, 2)
                woven[late] = second[late]
            picture = VideoFrame.from_ndarray(woven).reformat(format="yuv422p")
            if mode not in graphs:
                graph = graphs[mode] = Graph()
                source = graph.add_buffer(
                    width=WIDTH, height=HEIGHT, format=picture.format, time_base=Fraction(1, 25)
                )
                graph.link_nodes(source, graph.add("setfield", mode), graph.add("buffersink")).configure()
            graphs[mode].vpush(picture)
            marked = graphs[mode].vpull()
            marked.pts, marked.time_base = i, Fraction(1, 25)
            film.mux(stream.encode(marked))
        film.mux(stream.encode(None))
    return path


def pictures(path: Path) -> Iterator[NDArray[np.uint8]]:
    with av.open(path) as film:
        for picture in film.decode(video=0):
            yield picture.to_ndarray(format="rgb24").astype(np.uint8)


@pytest.mark.parametrize("order", ["tff", "bff"])
@pytest.mark.parametrize("codec", ["mpeg2video", "ffv1", "huffyuv"])
def test_combs_go_and_motion_stays_in_order(tmp_path: Path, order: str, codec: str) -> None:
    path, out = (
        write(tmp_path / "fields.mkv", order, 12, "ffv1" if codec == "huffyuv" else codec),
        tmp_path / "out.mkv",
    )
    if codec == "huffyuv":  # PyAV does not put it into Matroska
        marked, path = path, tmp_path / "unmarked.mkv"
        subprocess.run([get_ffmpeg_exe(), "-v", "error", "-i", marked, "-c:v", codec, path], check=True)
    source = vedit.probe(path)
    assert source.video.field_order == order
    report = vedit.interpolate(path, out, factor=1, codec="ffv1")
    assert report.pts_identical
    assert report.frames_out == 12
    assert any("interlaced" in warning for warning in report.warnings)
    assert vedit.probe(out).video.field_order == "progressive"
    before, after = list(pictures(path)), list(pictures(out))
    assert max(map(combing, after)) < 0.25 * min(map(combing, before))
    places = [bar(picture) for picture in after]
    # Of its two fields a picture keeps the first, whichever lines these are.
    assert places == pytest.approx([15.5 + 4 * i for i in range(12)], abs=0.8)


def test_progressive_pictures_of_a_mixed_film_pass_as_they_are(tmp_path: Path) -> None:
    path, out = write(tmp_path / "mixed.mkv", "tff", 12, "ffv1", mixed=True), tmp_path / "out.mkv"
    source = vedit.probe(path)
    if source.video.field_order == "progressive":
        pytest.fail("the film does not say that it is interlaced")
    vedit.interpolate(path, out, factor=1, codec="ffv1")
    for i, (old, new) in enumerate(zip(pictures(path), pictures(out), strict=True)):
        assert np.array_equal(old, new) == (i < 6)


def test_one_interlaced_picture(tmp_path: Path) -> None:
    path = write(tmp_path / "one.mkv", "tff", 1, "ffv1")
    assert vedit.interpolate(path, tmp_path / "out.mkv", factor=1).frames_out == 1


def test_a_sideways_interlaced_film_is_refused(tmp_path: Path) -> None:
    source = vedit.probe(write(tmp_path / "fields.mkv", "tff", 2, "ffv1"))
    with pytest.raises(UsageError, match="sideways"):
        replace(source, video=replace(source.video, rotation=90)).as_edited()
