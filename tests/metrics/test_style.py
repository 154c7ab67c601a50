import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics import structure, style_distance


def smooth_noise(seed: int, size: int = 96, cell: int = 6) -> Tensor:
    coarse = torch.rand(1, 3, size // cell, size // cell, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, size=(size, size), mode="bilinear")[0]


def test_a_picture_is_at_no_distance_from_itself() -> None:
    picture = smooth_noise(0)
    assert style_distance(picture, picture) == 0
    assert structure(picture, picture) == pytest.approx(1, abs=1e-5)


def test_the_same_texture_is_nearer_than_a_coarser_one_and_than_other_colours() -> None:
    style = smooth_noise(0)
    same = style_distance(smooth_noise(1), style)
    assert same < 0.6 * style_distance(smooth_noise(2, cell=24), style)
    assert same < 0.3 * style_distance(smooth_noise(1) * torch.tensor([0.3, 0.8, 0.5]).view(3, 1, 1), style)


def test_where_things_are_does_not_count_and_directions_hardly_do() -> None:
    style = smooth_noise(0)
    assert style_distance(style.flip(-1), style) < 0.1 * style_distance(1 - style.square(), style)
    other = smooth_noise(5).square()
    values = [style_distance(other, style, seed=seed) for seed in range(3)]
    assert max(values) < 1.2 * min(values)
    assert style_distance(other, style) == values[0]


def test_structure_does_not_mind_brightness_and_minds_another_drawing() -> None:
    picture = smooth_noise(0, cell=12)
    assert structure(picture, 0.6 * picture + 0.3) > 0.95
    assert structure(picture, 1 - picture) > 0.95
    assert structure(picture, smooth_noise(1, cell=12)) < 0.4


def test_another_size_is_brought_to_the_reference() -> None:
    picture = smooth_noise(0, cell=12)
    small = F.interpolate(picture[None], size=(64, 64), mode="area")[0]
    assert structure(picture, small) > 0.8
    assert style_distance(small, picture) < 0.05


def test_wrong_shapes_are_refused() -> None:
    good = torch.rand(3, 32, 32)
    for bad in (torch.rand(1, 3, 32, 32), torch.rand(32, 32), torch.rand(4, 32, 32)):
        with pytest.raises(UsageError, match="shape"):
            style_distance(bad, good)
        with pytest.raises(UsageError, match="shape"):
            structure(good, bad)
