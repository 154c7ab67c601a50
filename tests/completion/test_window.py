"""The part of a picture that a hole and its surroundings take up."""

import pytest
import torch

from vedit.completion.marked import Marked
from vedit.completion.window import MARGIN, SHARE, STEP, window_around
from vedit.window import Window


def holes(height: int, width: int, *boxes: tuple[int, int, int, int]) -> Marked:
    mask = torch.zeros(1, height, width)
    for top, bottom, left, right in boxes:
        mask[:, top:bottom, left:right] = 1
    return Marked(mask)


def test_without_a_hole_there_is_no_window() -> None:
    assert window_around([holes(64, 96)] * 3) is None


def test_it_holds_the_holes_of_all_masks_and_what_is_around_them() -> None:
    window = window_around(
        [holes(500, 700, (200, 210, 300, 310)), holes(500, 700), holes(500, 700, (250, 251, 331, 400))]
    )
    assert window is not None
    assert window.top <= 200 - MARGIN
    assert window.bottom >= 251 + MARGIN
    assert window.left <= 300 - MARGIN
    assert window.right >= 400 + MARGIN
    assert window.height < 251 - 200 + 2 * (MARGIN + STEP)
    assert [side % STEP for side in (window.top, window.bottom, window.left, window.right)] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("height", "width", "box"),
    [(63, 97, (0, 63, 0, 97)), (63, 97, (62, 63, 96, 97)), (1, 1, (0, 1, 0, 1)), (40, 300, (0, 9, 150, 151))],
)
def test_it_ends_where_the_picture_does(height: int, width: int, box: tuple[int, int, int, int]) -> None:
    window = window_around([holes(height, width, box)])
    assert window is not None
    assert 0 <= window.top < window.bottom <= height
    assert 0 <= window.left < window.right <= width
    assert window.bottom == height
    assert window.top % STEP == window.left % STEP == 0


def test_larger_pictures_show_more_around_a_hole() -> None:
    window = window_around([holes(100, 3200, (50, 51, 1600, 1601))])
    assert window is not None
    assert min(1600 - window.left, window.right - 1601) >= 3200 // SHARE > MARGIN


def test_it_cuts_out_a_view_and_knows_its_place_in_another() -> None:
    image = torch.arange(2 * 80 * 120.0).view(2, 80, 120)
    outer, inner = Window(16, 80, 32, 112), Window(32, 48, 64, 100)
    part = outer.of(image)
    assert part.shape == (2, outer.height, outer.width) == (2, 64, 80)
    assert torch.equal(inner.within(outer).of(part), inner.of(image))
    inner.of(image)[:] = -1
    assert (image == -1).sum() == 2 * 16 * 36
    assert (part == -1).sum() == 2 * 16 * 36
