"""Motion between frames with holes, where it is known."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.motion import LOST, Motion, hidden_motion
from vedit.flow.complete import harmonic
from vedit.window import Window


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    noise = torch.rand(1, 3, height // 6, width // 6, generator=torch.Generator().manual_seed(seed))
    fine = F.interpolate(noise, (height, width), mode="bicubic")[0].clamp(0, 1)
    return (fine * 255).round() / 255


def pan(dx: int, dy: int, height: int = 96, width: int = 128) -> tuple[Tensor, Tensor]:
    """Two pictures; what the first shows at x is at x + (dx, dy) in the second."""
    wide = texture(height + 40, width + 40)
    first = wide[:, 20 : 20 + height, 20 : 20 + width]
    return first, wide[:, 20 - dy : 20 - dy + height, 20 - dx : 20 - dx + width]


def a_hole(height: int, width: int, *box: int) -> Tensor:
    mask = torch.zeros(1, height, width)
    top, bottom, left, right = box
    mask[:, top:bottom, left:right] = 1
    return mask


def found(first: Tensor, second: Tensor, mask: Tensor) -> Motion:
    """As the evidence asks for it: the hole filled smoothly in both."""
    filled = [harmonic((p * (1 - mask))[None], mask[None])[0] for p in (first, second)]
    whole = Window(0, first.shape[-2], 0, first.shape[-1])
    return hidden_motion(filled[0], filled[1], mask, mask, whole, "normal")


@pytest.mark.parametrize(("dx", "dy"), [(4, 0), (-3, 2), (0, -6)])
def test_a_pan_goes_on_behind_the_hole(dx: int, dy: int) -> None:
    mask = a_hole(96, 128, 34, 62, 44, 84)
    motion = found(*pan(dx, dy), mask)
    assert motion.cell == 2
    assert motion.forth.shape == motion.back.shape == (1, 3, 48, 64)
    under = F.max_pool2d(mask, 2)[0] > 0
    wanted = torch.tensor([dx, dy]).view(2, 1)
    assert (motion.forth[0, :2, under] - wanted).abs().max() < 0.5
    assert (motion.back[0, :2, under] + wanted).abs().max() < 0.5
    assert motion.forth[0, 2, under].max() < 0.5
    inner = (..., slice(6, -6), slice(6, -6))
    assert (motion.forth[0, :2][inner] - wanted[..., None]).abs().mean() < 0.2


def test_a_zoom_goes_on_behind_the_hole() -> None:
    """Affine motion is what the smoothest surface continues."""
    wide = texture(96, 128)
    y, x = torch.meshgrid(torch.arange(96) - 47.5, torch.arange(128) - 63.5, indexing="ij")
    grid = torch.stack([x / 1.05 / 64, y / 1.05 / 48], -1)[None]
    closer = F.grid_sample(wide[None], grid, mode="bicubic", padding_mode="reflection", align_corners=False)[
        0
    ]
    mask = a_hole(96, 128, 20, 50, 70, 104)
    motion = found(wide, closer.clamp(0, 1), mask)
    under = F.max_pool2d(mask, 2)[0] > 0
    wanted = F.avg_pool2d(torch.stack([x, y])[None] * 0.05, 2)[0]
    assert wanted[0, under].max() > 1.8
    assert (motion.forth[0, :2] - wanted)[:, under].abs().max() < 0.5


def test_a_still_mark_does_not_hold_the_picture() -> None:
    """It fills a third of the picture, its filling has edges, and only its surroundings say how it moves."""
    mask = a_hole(96, 128, 16, 80, 40, 90)
    motion = found(*pan(5, 0), mask)
    under = F.max_pool2d(mask, 2)[0] > 0
    assert (motion.forth[0, 0, under] - 5).abs().mean() < 0.5


def test_equal_pictures_have_no_motion() -> None:
    first, _ = pan(0, 0)
    motion = found(first, first, a_hole(96, 128, 30, 60, 30, 60))
    assert bool((motion.forth == 0).all())
    assert bool((motion.back == 0).all())


def test_where_there_is_no_match_motion_is_lost() -> None:
    motion = found(texture(96, 128, 1), texture(96, 128, 2), a_hole(96, 128, 40, 44, 40, 44))
    assert (motion.forth[:, 2] >= LOST).float().mean() > 0.5
    left_behind = found(*pan(-6, 0), a_hole(96, 128, 40, 44, 40, 44)).forth[0, 2]
    assert (left_behind[:, :2] >= LOST).float().mean() > 0.9
    assert (left_behind[:, 8:-8] >= LOST).float().mean() < 0.05


@pytest.mark.parametrize(("height", "width"), [(63, 97), (13, 40), (5, 9), (1, 1)])
def test_any_size_has_cells_for_all_its_pixels(height: int, width: int) -> None:
    mask = a_hole(height, width, height // 3, height // 3 + 1, 0, width)
    motion = found(*pan(1, 0, height, width), mask)
    assert motion.forth.shape == motion.back.shape == (1, 3, -(-height // 2), -(-width // 2))
    assert bool(torch.isfinite(motion.forth).all())


def test_a_hole_without_surroundings_stands_still() -> None:
    motion = found(*pan(3, 0, 32, 48), torch.ones(1, 32, 48))
    assert bool((motion.forth == 0).all())


def test_large_windows_have_larger_cells_and_the_same_pixels() -> None:
    mask = a_hole(800, 840, 300, 420, 300, 420)
    motion = found(*pan(8, -4, 800, 840), mask)
    assert motion.cell == 4
    assert motion.forth.shape == (1, 3, 200, 210)
    under = F.max_pool2d(mask, 4)[0] > 0
    assert (motion.forth[0, :2, under] - torch.tensor([[8], [-4]])).abs().max() < 0.8


def test_places_are_those_of_the_picture() -> None:
    forth = torch.arange(3 * 4 * 6.0).view(1, 3, 4, 6)
    motion = Motion(forth, forth, Window(16, 24, 32, 44), 2)
    places = torch.tensor([[32.5, 16.5], [34.5, 18.5], [33.5, 16.5], [30.0, 20.0], [38.0, 25.0]])
    dx, dy, error = motion.at(motion.forth, places)
    assert torch.allclose(dx[:3], torch.tensor([0, 7, 0.5]), atol=1e-5)
    assert torch.allclose(dy[:3], 24 + torch.tensor([0, 7, 0.5]), atol=1e-5)
    assert torch.allclose(error[:3], 48 + torch.tensor([0, 7, 0.5]), atol=1e-5)
    assert bool((error[3:] >= LOST).all())
