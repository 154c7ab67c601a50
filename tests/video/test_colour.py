from fractions import Fraction
from itertools import product
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from torch import Tensor

from vedit.video.colour import Converter, planes
from vedit.video.source import BT601, BT709, BT2020, FULL, LIMITED, UNKNOWN, Colour
from vedit.window import Window

WEIGHTS = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114), BT2020: (0.2627, 0.0593)}
"""Of red and blue in luma: ITU-R BT.709-6, BT.601-7, BT.2020-2."""
PATCHES = 24
"""Pixels a side of a patch of the chart."""


def smooth(height: int = 48, width: int = 64) -> Tensor:
    coarse = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]


def ramp() -> Tensor:
    """Grey from black to white."""
    return torch.linspace(0, 1, 768).expand(3, 16, -1)


def chart() -> Tensor:
    """Black, white, primaries, secondaries at two strengths, and colours between."""
    colours = torch.tensor([*product((0.0, 0.5, 1.0), (0.0, 0.5, 1.0), (0.0, 0.4, 1.0))])
    row = colours.repeat_interleave(PATCHES, 0).T
    return row[:, None].expand(3, PATCHES, -1).contiguous()


def inside(samples: Tensor) -> Tensor:
    """The middle of each patch, away from where neighbours share chroma."""
    return samples.view(3, PATCHES, -1, PATCHES)[:, 8:16, :, 10:14]


def exact_codes(rgb: Tensor, colour: Colour, bits: int) -> Tensor:
    """Y, Cb and Cr as BT.601, BT.709 and BT.2020 write them down, not rounded."""
    red, blue = WEIGHTS[colour.matrix]
    r, g, b = rgb.double()
    y = red * r + (1 - red - blue) * g + blue * b
    signals = torch.stack([y, (b - y) / (2 * (1 - blue)), (r - y) / (2 * (1 - red))])
    unit, peak = 1 << (bits - 8), (1 << bits) - 1
    if colour.range == FULL:
        return signals * peak + torch.tensor([0, 128 * unit, 128 * unit])[:, None, None]
    scale, offset = torch.tensor([219, 224, 224]), torch.tensor([16, 128, 128])
    return (signals * scale[:, None, None] + offset[:, None, None]) * unit


def half_a_code(pix_fmt: str, colour: Colour) -> float:
    """The most that rounding to codes can move a colour, in 1/255."""
    kind = av.VideoFormat(pix_fmt)
    levels = 1 << kind.components[0].bits
    if kind.is_rgb:
        return 0.5 * 255 / (levels - 1)
    red, blue = WEIGHTS[colour.matrix]
    full = 1 / (levels - 1)
    luma, chroma = (full, full) if colour.range == FULL else (256 / levels / 219, 256 / levels / 224)
    return 0.5 * 255 * (luma + 2 * (1 - min(red, blue)) * chroma)


@pytest.mark.parametrize("matrix", [BT709, BT601, BT2020])
@pytest.mark.parametrize("span", [LIMITED, FULL])
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le", "yuv444p12le", "yuv444p16le"])
def test_codes_are_those_of_the_recommendations(pix_fmt: str, matrix: int, span: int) -> None:
    colour = Colour(matrix, span, UNKNOWN, UNKNOWN)
    bits = av.VideoFormat(pix_fmt).components[0].bits
    for image in (ramp(), chart()):
        picture = Converter(colour, 48, False).native(image, pix_fmt, colour)
        codes = torch.stack([torch.from_numpy(plane[..., 0].astype(float)) for plane in planes(picture)])
        error = codes - exact_codes(image, colour, bits).clamp(0, 2**bits - 1)
        assert error.abs().max() < 0.51
        assert error.mean().abs() < 0.1 * 2 ** (bits - 8)


@pytest.mark.parametrize(("height", "matrix"), [(576, BT601), (720, BT709)])
def test_unknown_tags_are_read_by_the_height(height: int, matrix: int) -> None:
    untagged, tagged = Colour(UNKNOWN, 0, UNKNOWN, UNKNOWN), Colour(matrix, LIMITED, UNKNOWN, UNKNOWN)
    picture = Converter(tagged, height, False).native(smooth(), "yuv444p", tagged)
    assert torch.equal(
        Converter(untagged, height, False).pixels(picture), Converter(tagged, height, False).pixels(picture)
    )


FORMATS = [
    *(
        "yuv420p",
        "yuv422p",
        "yuv444p",
        "yuv440p",
        "yuv411p",
        "yuvj420p",
        "yuvj422p",
        "yuvj444p",
        "nv12",
        "yuyv422",
    ),
    *("yuv420p10le", "yuv422p10le", "yuv444p12le", "yuv420p16le", "yuv422p10be", "p010le"),
    *("gbrp", "gbrp10le", "gbrp16le", "rgb24", "bgra", "bgr0", "rgb48le", "x2rgb10le"),
]


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("matrix", [BT709, BT601, BT2020])
@pytest.mark.parametrize("span", [LIMITED, FULL])
def test_ramp_and_chart_come_back(pix_fmt: str, matrix: int, span: int) -> None:
    colour = Colour(matrix, span, UNKNOWN, UNKNOWN)
    converter = Converter(colour, 48, False)
    greys = (converter.pixels(converter.native(ramp(), pix_fmt, colour)) - ramp()) * 255
    colours = (inside(converter.pixels(converter.native(chart(), pix_fmt, colour))) - inside(chart())) * 255
    assert greys.abs().max() < 0.6
    assert greys.mean().abs() < 0.02
    assert colours.abs().max() <= half_a_code(pix_fmt, colour) + 0.01


@pytest.mark.parametrize("pix_fmt", ["gray", "gray10le", "gray16le"])
@pytest.mark.parametrize("span", [LIMITED, FULL, 0])
def test_grey_formats_keep_the_ramp(pix_fmt: str, span: int) -> None:
    colour = Colour(UNKNOWN, span, UNKNOWN, UNKNOWN)
    converter = Converter(colour, 48, False)
    error = (converter.pixels(converter.native(ramp(), pix_fmt, colour)) - ramp()) * 255
    assert error.abs().max() < 0.6
    assert error.mean().abs() < 0.02


@pytest.mark.parametrize("pix_fmt", FORMATS)
@pytest.mark.parametrize("size", [(48, 64), (47, 61)])
def test_pixels_nobody_changed_become_the_samples_they_were(pix_fmt: str, size: tuple[int, int]) -> None:
    colour = Colour(BT709, LIMITED, UNKNOWN, UNKNOWN)
    converter, dice = Converter(colour, 48, False), np.random.default_rng(0)
    if pix_fmt == "yuyv422":  # two pixels share their bytes
        size = (size[0], 64)
    picture = VideoFrame(size[1], size[0], pix_fmt)
    if pix_fmt in ("yuyv422", "x2rgb10le", "bgra", "bgr0", "p010le", "yuv422p10be"):
        picture = converter.native(0.25 + 0.5 * torch.rand(3, *size), pix_fmt, colour)
    else:
        top = 2 ** picture.format.components[0].bits
        for plane in planes(picture):  # near enough to grey that no colour leaves RGB
            plane[:] = dice.integers(int(top * 0.47), int(top * 0.53), plane.shape)
    again = converter.native(converter.pixels(picture), pix_fmt, colour)
    for new, old in zip(again.planes, picture.planes, strict=True):
        lines = [np.frombuffer(memoryview(p), np.uint8).reshape(p.height, p.line_size) for p in (new, old)]
        used = (
            av.VideoFormat(pix_fmt).padded_bits_per_pixel * size[1] // 8
            if len(picture.planes) == 1
            else new.width
        )
        assert np.array_equal(lines[0][:, :used], lines[1][:, :used])


@pytest.mark.parametrize(
    ("pix_fmt", "codec"),
    [
        *(
            (name, "ffv1")
            for name in ("yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p16le")
        ),
        *((name, "ffv1") for name in ("gbrp10le", "gbrp16le", "gray", "bgra")),
        ("yuvj420p", "libx264"),
    ],
)
@pytest.mark.parametrize("span", [LIMITED, FULL])
def test_a_lossless_film_holds_the_pixels(pix_fmt: str, codec: str, span: int, tmp_path: Path) -> None:
    colour = Colour(BT709, span, BT709, BT709)
    converter = Converter(colour, 16, False)
    with av.open(tmp_path / "film.mkv", "w") as film:
        stream = film.add_stream(codec, rate=25, options={"qp": "0"} if "264" in codec else {})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = ramp().shape[2], 16, pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = BT709, span
        film.mux([*stream.encode(converter.native(ramp(), pix_fmt, colour)), *stream.encode(None)])
    with av.open(tmp_path / "film.mkv") as film:
        (picture,) = film.decode(video=0)
    assert (converter.pixels(picture) - ramp()).abs().max() * 255 < 1


def test_conversion_between_formats_keeps_what_is_beyond_white() -> None:
    colour = Colour(BT709, LIMITED, UNKNOWN, UNKNOWN)
    picture = VideoFrame(16, 16, "yuv420p")
    for plane, code in zip(planes(picture), (250, 128, 128), strict=True):
        plane[:] = code
    deep = Converter(colour, 16, False).convert(picture, "yuv422p10le", colour)
    assert [set(plane.ravel().tolist()) for plane in planes(deep)] == [{1000}, {512}, {512}]


def test_ten_bits_keep_more_than_eight() -> None:
    colour = Colour(BT709, LIMITED, UNKNOWN, UNKNOWN)
    converter = Converter(colour, 8, False)
    ramp = torch.linspace(0.4, 0.5, 64).expand(3, 8, 64)
    levels = [
        len(set(converter.pixels(converter.native(ramp, f, colour))[1, 0].tolist()))
        for f in ("yuv444p", "yuv444p10le")
    ]
    assert levels[1] > 2 * levels[0]


def test_alpha_is_the_fourth_channel() -> None:
    colour = Colour(BT709, LIMITED, UNKNOWN, UNKNOWN)
    converter = Converter(colour, 48, True)
    pixels = torch.cat([smooth(), torch.linspace(0, 1, 64).expand(1, 48, 64)])
    back = converter.pixels(converter.native(pixels, "yuva444p", colour))
    assert back.shape == (4, 48, 64)
    assert (back[3] - pixels[3]).abs().max() < 0.01


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv411p", "yuvj422p", "yuv420p10le", "bgra", "gbrp", "gray"])
@pytest.mark.parametrize("size", [(48, 64), (47, 61)])
def test_a_window_is_converted_as_in_the_whole_and_the_rest_stays(
    pix_fmt: str, size: tuple[int, int]
) -> None:
    height, width = size
    dice = np.random.default_rng(0)
    native = av.VideoFrame(width, height, pix_fmt)
    for plane in planes(native):
        plane[:] = dice.integers(0, 255, plane.shape)
    colour = Colour(BT709, LIMITED, UNKNOWN, UNKNOWN)
    converter = Converter(colour, height, pix_fmt == "bgra")
    pixels = converter.pixels(native)
    window = Window(11, 20, 21, 33)
    assert torch.equal(converter.pixels(native, window), window.of(pixels))
    changed = torch.zeros(1, height, width)
    window.of(changed)[:] = 1
    pixels = torch.where(changed > 0, torch.rand(3 + converter.alpha, height, width), pixels)
    whole = converter.native(pixels, pix_fmt, colour)
    new = converter.retouched(native, lambda asked: asked.of(pixels), changed, colour)
    for mine, edited, old in zip(planes(new), planes(whole), planes(native), strict=True):
        down, across = Fraction(height, mine.shape[0]), Fraction(width, mine.shape[1])
        inside = np.zeros(mine.shape[:2], bool)
        for y in range(11, 20):
            for x in range(21, 33):
                inside[y // round(down), x // round(across)] = True
        assert np.array_equal(mine[inside], edited[inside])
        assert np.array_equal(mine[~inside], old[~inside])
