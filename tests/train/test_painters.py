"""The painters: same size out, repeatable, the subject stays legible, colour looks keep the colours."""

import numpy as np
import pytest

from vedit.errors import UsageError
from vedit.train.painters import LOOKS, Picture, paint

COLOUR_LOOKS = ("oil", "watercolour", "glass", "halftone")


def disc(shape: tuple[int, int] = (97, 161)) -> tuple[Picture, np.ndarray]:
    """A dark red disc on a light blue ground, and where the disc is."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    inside = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (height / 3) ** 2
    picture = np.where(inside[..., None], (130, 35, 30), (150, 190, 235))
    return (picture + (x % 8)[..., None]).astype(np.uint8), inside


@pytest.mark.parametrize("look", LOOKS)
def test_size_and_repeatability(look: str) -> None:
    picture, _ = disc()
    before = picture.copy()
    first = paint(picture, look, np.random.default_rng(3))
    again = paint(picture, look, np.random.default_rng(3))
    other = paint(picture, look, np.random.default_rng(4))
    assert first.shape == picture.shape
    assert first.dtype == np.uint8
    assert np.array_equal(picture, before)
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("look", LOOKS)
def test_subject_stays_legible(look: str) -> None:
    picture, inside = disc()
    painted = paint(picture, look, np.random.default_rng(0)).mean(-1)
    assert painted[~inside].mean() - painted[inside].mean() > 40


@pytest.mark.parametrize("look", COLOUR_LOOKS)
def test_colours_stay(look: str) -> None:
    picture, inside = disc()
    painted = paint(picture, look, np.random.default_rng(0)).astype(float)
    red, _, blue = painted[inside].mean(0)
    assert red - blue > 50
    red, _, blue = painted[~inside].mean(0)
    assert blue - red > 15


def test_ink_is_ink_on_paper() -> None:
    picture, _ = disc()
    painted = paint(picture, "ink", np.random.default_rng(0)).astype(int)
    # No colour of the picture is left: red and blue differ only as paper and ink do.
    assert np.abs(painted[..., 0] - painted[..., 2]).max() < 40
    bare, solid = (painted.mean(-1) > 215).mean(), (painted.mean(-1) < 70).mean()
    assert bare > 0.15
    assert solid > 0.05


def test_glass_is_leaded() -> None:
    ground = np.full((144, 256, 3), (90, 180, 220), np.uint8)
    painted = paint(ground, "glass", np.random.default_rng(0)).max(-1)
    assert 0.05 < (painted < 80).mean() < 0.45


def test_halftone_dots_have_their_pitch() -> None:
    grey = np.full((168, 168, 3), 150, np.uint8)
    painted = paint(grey, "halftone", np.random.default_rng(0)).mean(-1)
    spectrum = np.abs(np.fft.rfft2(painted - painted.mean()))
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    pitch = 1 / np.hypot(min(row, 168 - row) / 168, column / 168)
    assert pitch == pytest.approx(168 / 42, rel=0.1)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("shape", [(1, 1), (9, 40)])
def test_tiny_pictures(look: str, shape: tuple[int, int]) -> None:
    black = np.zeros((*shape, 3), np.uint8)
    assert paint(black, look, np.random.default_rng(0)).shape == black.shape


def test_unknown_look() -> None:
    with pytest.raises(UsageError, match=r"no painter is called 'fresco'.*oil, ink"):
        paint(disc()[0], "fresco", np.random.default_rng(0))


@pytest.mark.parametrize("picture", [np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8)])
def test_not_a_picture(picture: np.ndarray) -> None:
    with pytest.raises(UsageError, match="cannot be painted"):
        paint(picture, "oil", np.random.default_rng(0))
