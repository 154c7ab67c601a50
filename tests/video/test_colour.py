from fractions import Fraction

import av
import numpy as np
import pytest
import torch

from vedit.video.colour import Converter, keep_unchanged, planes
from vedit.video.source import BT601, BT709, FULL, LIMITED, UNKNOWN, Colour

WEIGHTS = {BT709: (0.2126, 0.0722), BT601: (0.299, 0.114)}


def smooth(height: int = 48, width: int = 64) -> torch.Tensor:
    coarse = torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(coarse, (height, width), mode="bilinear")[0]


@pytest.mark.parametrize("matrix", [BT709, BT601])
@pytest.mark.parametrize("span", [LIMITED, FULL])
def test_luma_follows_the_tagged_matrix_and_range(matrix: int, span: int) -> None:
    colour = Colour(matrix, span, UNKNOWN, UNKNOWN)
    pixels = smooth()
    picture = Converter(colour, 48, False).native(pixels, "yuv444p", colour)
    red, blue = WEIGHTS[matrix]
    luma = red * pixels[0] + (1 - red - blue) * pixels[1] + blue * pixels[2]
    expected = luma * 255 if span == FULL else 16 + 219 * luma
    assert np.abs(planes(picture)[0][..., 0] - expected.numpy()).max() < 1.2


@pytest.mark.parametrize(("height", "matrix"), [(576, BT601), (720, BT709)])
def test_unknown_tags_are_read_by_the_height(height: int, matrix: int) -> None:
    untagged, tagged = Colour(UNKNOWN, 0, UNKNOWN, UNKNOWN), Colour(matrix, LIMITED, UNKNOWN, UNKNOWN)
    picture = Converter(tagged, height, False).native(smooth(), "yuv444p", tagged)
    assert torch.equal(
        Converter(untagged, height, False).pixels(picture), Converter(tagged, height, False).pixels(picture)
    )


@pytest.mark.parametrize(
    ("pix_fmt", "worst"),
    [
        ("yuv420p", 12),
        ("yuvj420p", 12),
        ("yuv420p10le", 12),
        ("yuv444p", 3),
        ("yuv444p10le", 1.1),
        ("gbrp", 0.51),
    ],
)
def test_round_trip(pix_fmt: str, worst: float) -> None:
    colour = Colour(BT709, LIMITED, UNKNOWN, UNKNOWN)
    converter, pixels = Converter(colour, 48, False), smooth()
    back = converter.pixels(converter.native(pixels, pix_fmt, colour))
    assert back.shape == pixels.shape
    assert (back - pixels).abs().max() * 255 <= worst


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


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le", "bgra", "gbrp", "gray"])
@pytest.mark.parametrize("size", [(48, 64), (47, 61)])
def test_samples_outside_the_mask_come_back(pix_fmt: str, size: tuple[int, int]) -> None:
    height, width = size
    dice = np.random.default_rng(0)
    native, edited = (av.VideoFrame(width, height, pix_fmt) for _ in range(2))
    for picture in (native, edited):
        for plane in planes(picture):
            plane[:] = dice.integers(0, 255, plane.shape)
    before = [plane.copy() for plane in planes(edited)]
    changed = torch.zeros(1, height, width)
    changed[:, 11:20, 21:33] = 1
    keep_unchanged(edited, native, changed)
    for new, old, mine in zip(planes(edited), planes(native), before, strict=True):
        down, across = Fraction(height, new.shape[0]), Fraction(width, new.shape[1])
        inside = np.zeros(new.shape[:2], bool)
        for y in range(11, 20):
            for x in range(21, 33):
                inside[y // round(down), x // round(across)] = True
        assert np.array_equal(new[~inside], old[~inside])
        assert np.array_equal(new[inside], mine[inside])
