"""Filling holes from a picture's own patches."""

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from vedit.diffusion.patches import BUDGET, fill_from_patches
from vedit.errors import UsageError
from vedit.flow.complete import harmonic


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def weave(height: int, width: int) -> Tensor:
    """A periodic texture that a membrane cannot continue."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    warp, weft = torch.sin(x * 0.9 + y * 0.3), torch.sin(y * 0.7 - x * 0.2)
    return torch.stack([0.5 + 0.2 * warp, 0.5 + 0.2 * weft, 0.5 + 0.1 * warp * weft])


def hole_at(height: int, width: int, rows: slice, columns: slice) -> Tensor:
    hole = torch.zeros(1, height, width)
    hole[:, rows, columns] = 1
    return hole


def membrane(picture: Tensor, hole: Tensor) -> Tensor:
    return harmonic((picture * (1 - hole))[None], hole[None])[0]


def fill(picture: Tensor, hole: Tensor, seed: int = 0) -> Tensor:
    damaged = picture * (1 - hole)
    return fill_from_patches(damaged, hole, prior=membrane(picture, hole), seed=seed)


def error(filled: Tensor, picture: Tensor, hole: Tensor) -> float:
    return math.sqrt(float(((filled - picture) * hole).square().sum() / (3 * hole.sum())))


def test_texture_is_continued_where_a_membrane_is_blank() -> None:
    picture = weave(96, 128)
    hole = hole_at(96, 128, slice(36, 56), slice(50, 70))
    blank = error(membrane(picture, hole), picture, hole)
    assert error(fill(picture, hole), picture, hole) < 0.4 * blank


def test_an_edge_goes_on_straight_through_the_hole() -> None:
    picture = torch.full((3, 96, 96), 0.2)
    picture[:, :, 48:] = 0.8
    hole = hole_at(96, 96, slice(38, 58), slice(38, 58))
    filled, blank = fill(picture, hole), membrane(picture, hole)
    assert error(filled, picture, hole) < 0.5 * error(blank, picture, hole)
    for columns in (slice(40, 44), slice(53, 57)):
        off, before = ((p - picture)[:, 48, columns].abs().max() for p in (filled, blank))
        assert float(off) < 0.5 * float(before)


def test_outside_stays_bit_equal_and_inside_ignores_what_was_there() -> None:
    picture = weave(64, 80)
    hole = hole_at(64, 80, slice(0, 14), slice(60, 80))  # in a corner
    hole[:, 40:44, 10:12] = 1
    prior = membrane(picture, hole)
    one = fill_from_patches(picture, hole, prior=prior, seed=3)
    other = fill_from_patches(torch.where(hole > 0, torch.nan, picture), hole, prior=prior, seed=3)
    assert torch.equal(one, other)
    assert torch.equal(one[:, hole[0] == 0], picture[:, hole[0] == 0])
    assert one.min() >= 0
    assert one.max() <= 1


def test_a_seed_repeats_itself_and_another_differs() -> None:
    picture = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(1))
    hole = hole_at(64, 64, slice(24, 40), slice(24, 40))
    assert torch.equal(fill(picture, hole, seed=1), fill(picture, hole, seed=1))
    assert not torch.equal(fill(picture, hole, seed=1), fill(picture, hole, seed=2))


def test_a_filling_keeps_the_priors_colours_and_adds_detail() -> None:
    """A prior with the right shading, which no patch outside the hole has, but without its texture."""
    shading = torch.zeros(1, 96, 128)
    shading[:, 36:60, 50:74] = -0.2 * torch.hann_window(24)[:, None] * torch.hann_window(24)
    picture, smooth = weave(96, 128) + shading, torch.full((3, 96, 128), 0.5) + shading
    hole = hole_at(96, 128, slice(36, 60), slice(50, 74))
    damaged = picture * (1 - hole)
    filled = fill_from_patches(damaged, hole, prior=smooth, seed=0)
    middle = (slice(None), slice(44, 52), slice(58, 66))
    darker = 0.5 - float(smooth[middle].mean())
    assert float((filled[middle].mean() - picture[middle].mean()).abs()) < 0.5 * darker
    assert float(filled[middle][0].diff().std()) > 0.5 * float(picture[middle][0].diff().std())


def test_a_hole_beyond_the_budget_is_filled_at_a_smaller_scale() -> None:
    height, width = 300, 420
    picture = (
        weave(height // 3, width // 3)[:, :, None, :, None].expand(-1, -1, 3, -1, 3).reshape(3, height, width)
    )
    hole = hole_at(height, width, slice(0, 260), slice(100, 310))
    assert int(hole.sum()) > BUDGET
    filled = fill(picture, hole)
    assert torch.isfinite(filled).all()
    assert torch.equal(filled[:, hole[0] == 0], picture[:, hole[0] == 0])
    inside = filled[0, 100:180, 160:260]
    assert float(inside.std()) > 0.5 * float(picture[0, :, :100].std())  # not a blank


@pytest.mark.parametrize("size", [(1, 1), (5, 9), (12, 40)])
def test_without_exemplars_the_prior_remains(size: tuple[int, int]) -> None:
    prior = torch.rand(3, *size, generator=torch.Generator().manual_seed(0))
    filled = fill_from_patches(torch.zeros(3, *size), torch.ones(1, *size), prior=prior, seed=0)
    assert torch.allclose(filled, prior, atol=1e-6)


def test_no_hole_no_change() -> None:
    picture = weave(20, 20)
    assert torch.equal(fill(picture, torch.zeros(1, 20, 20)), picture)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    picture = weave(20, 20)
    with pytest.raises(UsageError, match=r"hole is \(1, 20, 21\)"):
        fill_from_patches(picture, torch.zeros(1, 20, 21), prior=picture, seed=0)
