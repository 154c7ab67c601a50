"""The frame before brought to where it is now."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.carry import carry
from vedit.completion.motion import LOST


def picture(height: int, width: int) -> Tensor:
    noise = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(0))
    return F.interpolate(noise, (height, width), mode="bicubic").clamp(0, 1)


def motion(rows: int, columns: int, dx: float = 0, dy: float = 0, error: float = 0) -> Tensor:
    return torch.tensor([dx, dy, error], dtype=torch.float32).view(1, 3, 1, 1).repeat(1, 1, rows, columns)


def test_what_stands_still_stays() -> None:
    before = picture(32, 48)
    there, known = carry(before, motion(16, 24), 2)
    assert (there - before).abs().max() < 1e-4
    assert bool((known == 1).all())


@pytest.mark.parametrize("cell", [2, 4])
def test_it_follows_the_motion_back(cell: int) -> None:
    """dx is where a pixel was before: 5 to the right, so the picture goes 5 to the left."""
    before = picture(32, 48)
    there, known = carry(before, motion(32 // cell, 48 // cell, dx=5, dy=-2), cell)
    assert there.shape == (1, 3, 32, 48)
    assert (there[..., 2:, :43] - before[..., :-2, 5:]).abs().max() < 1e-4
    assert bool((known[..., 2:, :43] == 1).all())


def test_parts_of_a_pixel_are_sampled_sharply() -> None:
    before = picture(32, 48)
    there, _ = carry(before, motion(16, 24, dx=0.5), 2)
    middle = (before[..., 4:40] * 9 + before[..., 5:41] * 9 - before[..., 3:39] - before[..., 6:42]) / 16
    assert (there[..., 4:40] - middle).abs().max() < 0.02


def test_what_came_from_outside_is_unknown_and_nought() -> None:
    there, known = carry(picture(32, 48) + 1, motion(16, 24, dx=5, dy=-2), 2)
    assert bool((known[..., :2, :] == 0).all())
    assert bool((known[..., 43:] == 0).all())
    assert bool((there[..., 43:] == 0).all())
    assert known.sum() == 30 * 43


def test_lost_cells_are_unknown() -> None:
    back = motion(16, 24)
    back[:, 2, 4:6, 8:10] = LOST
    there, known = carry(picture(32, 48) + 1, back, 2)
    assert known.sum() == 32 * 48 - 16
    assert bool((known[..., 8:12, 16:20] == 0).all())
    assert bool((there[..., 8:12, 16:20] == 0).all())


def test_windows_need_not_begin_at_the_same_place() -> None:
    """This window begins 16 to the right of the old one and 8 below, and is smaller."""
    before = picture(48, 64)
    there, known = carry(before, motion(8, 12), 2, shift=(16, 8))
    assert (there - before[..., 8:24, 16:40]).abs().max() < 1e-4
    assert bool((known == 1).all())
    _, known = carry(before, motion(8, 12), 2, shift=(52, -4))
    assert known.sum() == 12 * 12


def test_only_what_is_wanted_is_sampled() -> None:
    before = picture(32, 48) + 1
    whole, known = carry(before, motion(16, 24, dx=5.5, dy=-2), 2)
    where = torch.zeros(31, 47)  # the picture ends within the last cells
    where[4:20, 30:47] = 1
    there, wanted = carry(before, motion(16, 24, dx=5.5, dy=-2), 2, where=where)
    inside = F.pad(where, (0, 1, 0, 1))
    assert torch.equal(wanted, known * inside)
    assert 0 < wanted.sum() < inside.sum()
    torch.testing.assert_close(there, whole * inside)
    nothing, _ = carry(before, motion(16, 24), 2, where=torch.zeros(32, 48))
    assert not nothing.any()
