"""Pictures that are turned, stretched, transparent, of odd sizes or kinds, from file to file."""

import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Unpack

import av
import numpy as np
import pytest
import torch
from av.video.stream import VideoStream
from imageio_ffmpeg import get_ffmpeg_exe  # type: ignore[import-untyped]
from numpy.typing import NDArray

import vedit
from vedit.clip import Clip
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.proof import Report
from vedit.render import Options, render
from vedit.video.colour import Converter
from vedit.video.read import read
from vedit.video.source import BT601, BT709, BT2020, FULL, LIMITED, Colour

Picture = NDArray[np.uint8]
HD = Colour(BT709, LIMITED, BT709, BT709)


@dataclass(frozen=True)
class Same:
    """An edit that changes nothing, but has every picture converted to pixels and back."""

    memoryless = True

    def timing(self, timing: Timing) -> Timing:
        return timing

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        return (frame.edited(frame.pixels) for frame in frames)

    def apply(self, clip: Clip) -> Clip:
        return clip


def unsymmetrical(width: int = 64, height: int = 48, alpha: bool = False) -> Picture:
    """Four quarters of different colours, which no turn leaves alike."""
    picture = np.full((height, width, 3), 60, np.uint8)
    picture[: height // 2, : width // 2] = 180, 60, 60
    picture[: height // 2, width // 2 :] = 60, 160, 70
    picture[height // 2 :, : width // 2] = 70, 80, 190
    if alpha:
        fade = np.broadcast_to(np.linspace(0, 255, width).astype(np.uint8), (height, width))
        return np.dstack([picture, fade])
    return picture


def write(
    path: Path,
    picture: Picture,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    colour: Colour = HD,
    sar: Fraction | None = None,
    turn: tuple[int, bool, bool] | None = None,
) -> Path:
    height, width = picture.shape[:2]
    options = {"libx264": {"qp": "1"}, "libx265": {"x265-params": "qp=1:log-level=none"}}
    with av.open(path, "w") as film:
        stream = film.add_stream(codec, rate=25, options=options.get(codec, {}))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        context = stream.codec_context
        context.colorspace, context.color_range = colour.matrix, colour.range
        context.color_primaries, context.color_trc = colour.primaries, colour.transfer
        if sar:
            context.sample_aspect_ratio = sar
        if turn:
            stream.set_display_rotation(*turn)
        if codec == "libvpx-vp9":
            stream.metadata["alpha_mode"] = "1"
            stream.options.update({"auto-alt-ref": "0", "crf": "4", "b": "0"})
        pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1) / 255
        for i in range(4):
            native = Converter(colour, height, picture.shape[2] == 4).native(pixels, pix_fmt, colour)
            native.pts, native.time_base = i, Fraction(1, 25)
            film.mux(stream.encode(native))
        film.mux(stream.encode(None))
    return path


def shown(path: Path) -> NDArray[np.int64]:
    """The first picture as FFmpeg's own tool shows it: upright."""
    raw = (
        "-frames:v",
        "1",
        "-f",
        "rawvideo",
        "-pix_fmt",
        "rgb24",
        "-sws_flags",
        "accurate_rnd+full_chroma_int",
        "-",
    )
    made = subprocess.run(
        [get_ffmpeg_exe(), "-v", "error", "-i", path, *raw], check=True, capture_output=True
    )
    return np.frombuffer(made.stdout, np.uint8).reshape(vedit.probe(path).height, -1, 3).astype(np.int64)


def both_ways(path: Path, out: Path, **options: Unpack[Options]) -> list[Report]:
    """The film written anew, once from its own samples and once from pixels."""
    options["overwrite"] = True
    one = render(path, out, [], **options)
    two = render(path, out.with_stem("pixels"), [Same()], **options)
    return [one, two]


TURNS = [(d, h, v) for d in (0, 90, 180, 270) for h, v in ((False, False), (True, False))]


@pytest.mark.parametrize("turn", TURNS)
def test_all_eight_turns_come_out_upright(tmp_path: Path, turn: tuple[int, bool, bool]) -> None:
    path = write(tmp_path / "turned.mp4", unsymmetrical(), sar=Fraction(4, 3), turn=turn)
    upright = shown(path)
    source = vedit.probe(path)
    sideways = turn[0] in (90, 270)
    assert (source.width, source.height) == ((48, 64) if sideways else (64, 48))
    for ending in ("mkv", "mp4"):
        for report in both_ways(path, tmp_path / f"out.{ending}", crf=0):
            after = vedit.probe(report.output).video
            assert (after.rotation, after.mirrored) == (0, False)
            assert after.sar == (Fraction(3, 4) if sideways else Fraction(4, 3))
            assert np.abs(shown(report.output) - upright).mean() < 2


@pytest.mark.parametrize(
    ("ending", "codec", "told"),
    [
        ("mp4", "libx264", False),
        ("mov", "prores_ks", False),
        ("mkv", "libx264", False),
        ("mkv", "ffv1", True),
        ("webm", "libvpx-vp9", True),
    ],
)
def test_the_shape_of_pixels_is_kept_or_told(tmp_path: Path, ending: str, codec: str, told: bool) -> None:
    path = write(tmp_path / "wide.mp4", unsymmetrical(), sar=Fraction(4, 3))
    for report in both_ways(path, tmp_path / f"out.{ending}", codec=codec):
        assert any("not square" in warning for warning in report.warnings) == told
        if not told:
            assert vedit.probe(report.output).video.sar == Fraction(4, 3)


@pytest.mark.parametrize(
    ("pix_fmt", "codec"), [("yuv444p", "libx264"), ("yuv420p", "ffv1"), ("yuv420p10le", "ffv1")]
)
@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
def test_odd_sizes_stay_odd(tmp_path: Path, pix_fmt: str, codec: str, ending: str) -> None:
    path = write(tmp_path / "odd.mkv", unsymmetrical(63, 47), codec, pix_fmt)
    for report in both_ways(path, tmp_path / f"out.{ending}"):
        assert (vedit.probe(report.output).width, vedit.probe(report.output).height) == (63, 47)
        assert np.abs(shown(report.output) - shown(path)).mean() < 4


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("in.mov", "prores_ks", "yuva444p10le"),
        ("in.webm", "libvpx-vp9", "yuva420p"),
        ("in.mkv", "ffv1", "bgra"),
    ],
)
@pytest.mark.parametrize("ending", ["mov", "mkv", "webm", "mp4"])
def test_transparency_is_kept_or_told(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, ending: str
) -> None:
    path = write(tmp_path / name, unsymmetrical(alpha=True), codec, pix_fmt)
    assert vedit.probe(path).video.alpha
    wanted = np.linspace(0, 1, 64)
    for report in both_ways(path, tmp_path / f"out.{ending}"):
        after = vedit.probe(report.output)
        told = any("transparency is lost" in warning for warning in report.warnings)
        assert (after.video.alpha, told) == ((False, True) if ending == "mp4" else (True, False))
        if after.video.alpha:
            with closing(read(after, Notes())) as frames:
                pixels = next(frames).pixels
            assert np.abs(pixels[3].mean(0).numpy() - wanted).max() < 0.03
            assert np.abs(pixels[:3, 8, 24].numpy() * 255 - (180, 60, 60)).max() < 8


@pytest.mark.parametrize(
    ("pix_fmt", "codec", "ending", "bits"),
    [
        ("yuv420p10le", "libx264", "mp4", 10),
        ("yuv422p10le", "prores_ks", "mov", 10),
        ("yuv420p10le", "libx264", "webm", 10),
        ("yuv420p12le", "libx265", "mp4", 12),
        ("gbrp12le", "ffv1", "mkv", 12),
        ("gray10le", "ffv1", "mkv", 10),
        ("gray16le", "ffv1", "mkv", 16),
    ],
)
def test_deep_films_stay_deep(tmp_path: Path, pix_fmt: str, codec: str, ending: str, bits: int) -> None:
    ramp = np.linspace(0, 255, 256).astype(np.uint8)[None, :, None].repeat(64, 0).repeat(3, 2)
    path = write(tmp_path / ("deep.mov" if codec == "prores_ks" else "deep.mkv"), ramp, codec, pix_fmt)
    for report in both_ways(path, tmp_path / f"out.{ending}"):
        after = vedit.probe(report.output)
        assert after.video.bit_depth == bits
        with closing(read(after, Notes())) as frames:
            pixels = next(frames).pixels
        assert np.abs(pixels.mean(1).numpy() * 255 - ramp[0].T).max() < 2


def test_a_gif_becomes_a_film(tmp_path: Path) -> None:
    path = tmp_path / "moving.gif"
    with av.open(path, "w") as film:
        stream = film.add_stream("gif", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb8"
        for i in range(4):
            picture = av.VideoFrame.from_ndarray(np.roll(unsymmetrical(), i, 1)).reformat(format="rgb8")
            film.mux(stream.encode(picture))
        film.mux(stream.encode(None))
    for ending in ("mp4", "mkv", "mov", "webm"):
        for report in both_ways(path, tmp_path / f"out.{ending}"):
            assert report.frames_out == 4
            assert np.abs(shown(report.output) - shown(path)).mean() < 8


@pytest.mark.parametrize("matrix", [BT709, BT601, BT2020])
@pytest.mark.parametrize("span", [LIMITED, FULL])
@pytest.mark.parametrize("codec", ["libx264", "ffv1", "mjpeg"])
def test_colours_look_the_same_to_others(tmp_path: Path, matrix: int, span: int, codec: str) -> None:
    path = write(
        tmp_path / "film.mkv", unsymmetrical(), "ffv1", "yuv444p", Colour(matrix, span, BT709, BT709)
    )
    for report in both_ways(path, tmp_path / "out.mkv", codec=codec):
        for y, x in ((12, 16), (12, 48), (36, 16), (36, 48)):
            assert np.abs(shown(report.output)[y, x] - unsymmetrical()[y, x]).max() <= (
                4 if codec == "mjpeg" else 3
            )
