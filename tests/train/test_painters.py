"""The painters: same size out, nothing but the noise is chance, the subject stays legible, colours are kept."""

import numpy as np
import pytest
from skimage.data import astronaut

from vedit.diffusion.looks import LOOKS
from vedit.errors import UsageError
from vedit.train.painters import PAINTERS, Chance, Picture, paint
from vedit.train.painters.chance import CELL

NO_CHANCE = {"cel"}
"""Looks with nothing accidental in them."""
COLOUR_LOOKS = ("oil", "watercolour", "stained-glass", "halftone", "cel")


def painted(picture: Picture, look: str, seed: int = 0) -> Picture:
    return paint(picture, look, Chance.seeded(picture.shape[0], picture.shape[1], seed))


def disc(shape: tuple[int, int] = (97, 161)) -> tuple[Picture, np.ndarray]:
    """A dark red disc on a light blue ground, and where the disc is."""
    height, width = shape
    y, x = np.mgrid[0:height, 0:width]
    inside = (y - height / 2) ** 2 + (x - width / 2) ** 2 < (height / 3) ** 2
    picture = np.where(inside[..., None], (130, 35, 30), (150, 190, 235))
    return (picture + (x % 8)[..., None]).astype(np.uint8), inside


@pytest.mark.parametrize("look", PAINTERS)
def test_size_and_repeatability(look: str) -> None:
    picture, _ = disc()
    before = picture.copy()
    first = painted(picture, look, 3)
    again = painted(picture, look, 3)
    other = painted(picture, look, 4)
    assert first.shape == picture.shape
    assert first.dtype == np.uint8
    assert np.array_equal(picture, before)
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (look in NO_CHANCE)


def test_there_is_a_painter_for_every_look_of_the_engine() -> None:
    assert list(PAINTERS) == list(LOOKS)


@pytest.mark.parametrize("look", PAINTERS)
def test_picture_and_noise_moved_by_whole_cells_move_the_painting(look: str) -> None:
    """All over the picture a mark is where its noise is: nothing knows where the corner is, but near the borders."""
    photo = np.ascontiguousarray(astronaut()[:192, 120:392])  # type: ignore[no-untyped-call]
    height, width = photo.shape[:2]
    chance = Chance.seeded(height, width, 5)
    down, right, margin = 3 * CELL, 5 * CELL, 56
    moved = np.roll(photo, (down, right), (0, 1))
    moved_chance = Chance(np.roll(chance.noise, (3, 5), (1, 2)), height, width)
    expected = np.roll(paint(photo, look, chance), (down, right), (0, 1)).astype(int)
    inner = (slice(margin + down, height - margin), slice(margin + right, width - margin))

    def off(painting: Picture) -> float:
        return float(np.abs(painting - expected)[inner].mean())

    unlike = off(paint(moved, look, chance))
    assert off(paint(moved, look, moved_chance)) < 0.15 * unlike + 0.1
    assert unlike > 3 or look in NO_CHANCE


@pytest.mark.parametrize("look", PAINTERS)
def test_subject_stays_legible(look: str) -> None:
    picture, inside = disc()
    grey = painted(picture, look).mean(-1)
    assert grey[~inside].mean() - grey[inside].mean() > 40


@pytest.mark.parametrize("look", COLOUR_LOOKS)
def test_colours_stay(look: str) -> None:
    picture, inside = disc()
    colours = painted(picture, look).astype(float)
    red, _, blue = colours[inside].mean(0)
    assert red - blue > 50
    red, _, blue = colours[~inside].mean(0)
    assert blue - red > 15


def test_ink_is_ink_on_paper() -> None:
    picture, _ = disc()
    drawn = painted(picture, "ink").astype(int)
    # No colour of the picture is left: red and blue differ only as paper and ink do.
    assert np.abs(drawn[..., 0] - drawn[..., 2]).max() < 40
    bare, solid = (drawn.mean(-1) > 215).mean(), (drawn.mean(-1) < 70).mean()
    assert bare > 0.15
    assert solid > 0.05


def test_glass_is_leaded() -> None:
    ground = np.full((144, 256, 3), (90, 180, 220), np.uint8)
    window = painted(ground, "stained-glass").max(-1)
    assert 0.05 < (window < 80).mean() < 0.45


def test_halftone_dots_have_their_pitch() -> None:
    grey = np.full((168, 168, 3), 150, np.uint8)
    printed = painted(grey, "halftone").mean(-1)
    spectrum = np.abs(np.fft.rfft2(printed - printed.mean()))
    row, column = np.unravel_index(spectrum.argmax(), spectrum.shape)
    pitch = 1 / np.hypot(min(row, 168 - row) / 168, column / 168)
    assert pitch == pytest.approx(168 / 34, rel=0.1)


@pytest.mark.parametrize("look", PAINTERS)
@pytest.mark.parametrize("shape", [(1, 1), (9, 40)])
def test_tiny_pictures(look: str, shape: tuple[int, int]) -> None:
    black = np.zeros((*shape, 3), np.uint8)
    assert painted(black, look).shape == black.shape


def test_unknown_look() -> None:
    with pytest.raises(UsageError, match=r"no painter is called 'fresco'.*oil, watercolour"):
        painted(disc()[0], "fresco")


@pytest.mark.parametrize("picture", [np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.uint8)])
def test_not_a_picture(picture: np.ndarray) -> None:
    with pytest.raises(UsageError, match="cannot be painted"):
        paint(picture, "oil", Chance.seeded(8, 8, 0))
