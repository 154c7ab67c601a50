import colorsys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray
from torch import Tensor

import vedit
from vedit.errors import EngineError, UsageError
from vedit.frame import Notes
from vedit.video import tonemap
from vedit.video.colour import Converter
from vedit.video.read import read
from vedit.video.source import BT2020, HLG, LIMITED, PQ, SDR, UNKNOWN, Colour

NITS = (1, 5, 26, 100, 203, 400, 600, 1000)
"""From deep shadow over a grey card (26) and white paper (203) to the brightest highlight."""
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""Light in BT.709 to light in BT.2020 (ITU-R BT.2087)."""
HUES = {"grey": (1, 1, 1), "skin": (1, 0.49, 0.30), "sky": (0.14, 0.38, 1), "leaf": (0.02, 1, 0.02)}
PATCH = 16


def pq(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """SMPTE ST 2084."""
    y = (nits / 10000) ** 0.1593017578125
    return np.asarray(((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375)


def hlg(nits: NDArray[np.float64]) -> NDArray[np.float64]:
    """ITU-R BT.2100 on a display of 1000 nits."""
    shown = nits / 1000
    luma = shown @ np.array([0.2627, 0.6780, 0.0593])
    scene = shown * luma[..., None] ** (1 / 1.2 - 1)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.asarray(np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright))


CURVES = {PQ: pq, HLG: hlg}


@pytest.fixture
def chart(tmp_path: Path) -> Callable[..., Path]:
    """A maker of HDR films that show a chart: a row for each of HUES, a column for each of NITS."""

    def make(
        transfer: int = PQ,
        pix_fmt: str = "yuv420p10le",
        count: int = 3,
        name: str = "hdr.mkv",
        *,
        odd: bool = False,
    ) -> Path:
        light = np.array([[np.multiply(hue, n) for n in NITS] for hue in HUES.values()])
        light = light.repeat(PATCH, 0).repeat(PATCH, 1) @ TO_BT2020.T
        pixels = torch.from_numpy(CURVES[transfer](light)).float().permute(2, 0, 1)
        if odd:
            pixels = pixels[:, :-1, :-1].contiguous()
        colour = Colour(BT2020, LIMITED, BT2020, transfer)
        with av.open(tmp_path / name, "w") as film:
            stream = film.add_stream("ffv1", rate=25)
            assert isinstance(stream, VideoStream)
            stream.height, stream.width, stream.pix_fmt = *pixels.shape[1:], pix_fmt
            context = stream.codec_context
            context.colorspace, context.color_range = colour.matrix, colour.range
            context.color_primaries, context.color_trc = colour.primaries, colour.transfer
            for i in range(count):
                picture = Converter(colour, pixels.shape[1], False).native(pixels, pix_fmt, colour)
                picture.pts, picture.time_base = i, Fraction(1, 25)
                film.mux(stream.encode(picture))
            film.mux(stream.encode(None))
        return tmp_path / name

    return make


def patches(path: Path) -> Tensor:
    """``(hues, nits, RGB)`` of the chart in a film's first picture."""
    source = vedit.probe(path).as_edited("tonemap")
    with closing(read(source, Notes())) as frames:
        pixels = next(frames).pixels
    middle = pixels[:, PATCH // 2 :: PATCH, PATCH // 2 :: PATCH]
    return middle.permute(1, 2, 0)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_greys_stay_natural_and_highlights_roll_off(chart: Callable[..., Path], transfer: int) -> None:
    greys = patches(chart(transfer))[0]
    assert (greys.amax(-1) - greys.amin(-1)).max() < 0.02
    levels = greys[:, 1].tolist()
    assert levels == sorted(levels)
    for nits, level in zip(NITS[:4], levels, strict=False):  # BT.1886, white at 203 nits
        assert level == pytest.approx((nits / 203) ** (1 / 2.4), abs=0.012)
    assert 0.85 < levels[NITS.index(203)] < 0.95
    assert min(b - a for a, b in pairwise(levels)) > 0.01  # nothing clips before 1000 nits
    assert levels[-1] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("transfer", [PQ, HLG])
def test_hues_do_not_shift(chart: Callable[..., Path], transfer: int) -> None:
    seen = patches(chart(transfer))
    for row, hue in zip(seen[1:], list(HUES.values())[1:], strict=True):
        wanted = colorsys.rgb_to_hsv(*(part ** (1 / 2.4) for part in hue))[0]
        for patch in row[2:]:
            assert colorsys.rgb_to_hsv(*patch.tolist())[0] == pytest.approx(wanted, abs=0.02)


def test_hdr_is_refused_unless_tone_mapping_is_asked_for(chart: Callable[..., Path], tmp_path: Path) -> None:
    path = chart()
    with pytest.raises(UsageError, match="--hdr tonemap"):
        vedit.interpolate(path, tmp_path / "out.mkv", factor=1)
    assert not (tmp_path / "out.mkv").exists()


@pytest.mark.parametrize(
    ("ending", "codec"), [("mp4", "h264"), ("mkv", "h264"), ("mov", "h264"), ("webm", "av1")]
)
def test_the_film_is_bt709_in_ten_bits(
    chart: Callable[..., Path], tmp_path: Path, ending: str, codec: str
) -> None:
    out = tmp_path / f"out.{ending}"
    report = vedit.interpolate(chart(count=12), out, factor=1, hdr="tonemap")
    video = vedit.probe(out).video
    assert report.pts_identical
    assert any("tone-mapped" in warning for warning in report.warnings)
    assert (video.codec, video.pix_fmt, video.bit_depth, video.colour) == (codec, "yuv420p10le", 10, SDR)


@pytest.mark.parametrize(
    ("pix_fmt", "made"),
    [
        ("yuv422p10le", "yuv422p10le"),
        ("yuv444p12le", "yuv444p10le"),
        ("gbrp10le", "yuv444p10le"),
        ("yuv420p", "yuv420p10le"),
    ],
)
def test_chroma_keeps_its_resolution(chart: Callable[..., Path], pix_fmt: str, made: str) -> None:
    path = chart(pix_fmt=pix_fmt)
    source = vedit.probe(path).as_edited("tonemap")
    assert source.video.pix_fmt == made
    with closing(read(source, Notes())) as frames:
        natives = [frame.native for frame in frames]
    assert [n.format.name for n in natives if isinstance(n, VideoFrame)] == [made] * 3
    assert patches(path)[0, 2, 1] == pytest.approx(0.425, abs=0.02)


def test_metadata_for_each_scene_is_told_to_be_lost(chart: Callable[..., Path]) -> None:
    source = vedit.probe(chart())
    source = replace(source, video=replace(source.video, dynamic="HDR10+"))
    assert any("HDR10+ metadata is lost" in remark for remark in source.as_edited("tonemap").remarks)
    twice = source.as_edited("tonemap").as_edited("refuse")
    assert twice == source.as_edited("tonemap")


def test_dolby_vision_without_another_picture_is_refused(chart: Callable[..., Path]) -> None:
    source = vedit.probe(chart())
    only = replace(source.video, dynamic="Dolby Vision", colour=Colour(UNKNOWN, LIMITED, UNKNOWN, UNKNOWN))
    with pytest.raises(UsageError, match="Dolby Vision"):
        replace(source, video=only).as_edited("tonemap")


def endless(picture: VideoFrame) -> Iterator[VideoFrame]:
    while True:
        yield picture


def test_stopping_early_ends_the_process(chart: Callable[..., Path]) -> None:
    source = vedit.probe(chart()).as_edited("tonemap")
    assert source.original is not None
    picture = VideoFrame(source.width, source.height, source.original.pix_fmt)
    stream = tonemap.tonemapped(endless(picture), source)
    assert next(stream).pts is None
    assert "vedit-tonemap" in {thread.name for thread in threading.enumerate()}
    stream.close()  # type: ignore[attr-defined]
    # The thread ends after the process that it feeds.
    assert "vedit-tonemap" not in {thread.name for thread in threading.enumerate()}


def test_a_filter_that_fails_is_told_and_not_waited_for(chart: Callable[..., Path]) -> None:
    source = vedit.probe(chart()).as_edited("tonemap")
    assert source.original
    constant_luminance = replace(source.original.colour, matrix=10)  # zscale does not know it
    source = replace(source, original=replace(source.original, colour=constant_luminance))
    with pytest.raises(EngineError, match="invalid colorspace"), closing(read(source, Notes())) as frames:
        list(frames)


def test_odd_sizes_are_mapped_as_even_ones(chart: Callable[..., Path]) -> None:
    even, odd = (
        next(iter(read(vedit.probe(path).as_edited("tonemap"), Notes()))).pixels
        for path in (chart(HLG), chart(HLG, odd=True, name="odd.mkv"))
    )
    assert odd.shape == (3, 4 * PATCH - 1, 8 * PATCH - 1)
    assert (even[:, :-1, :-1] - odd).abs().mean() < 0.01


def test_a_process_that_dies_is_told_with_its_words(
    chart: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = vedit.probe(chart()).as_edited("tonemap")
    monkeypatch.setattr(tonemap, "WHITE", -1)  # zscale refuses it
    with pytest.raises(EngineError, match="npl"), closing(read(source, Notes())) as frames:
        list(frames)
