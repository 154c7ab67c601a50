"""Frames that are there tell where motion misleads: there, a dissolve is mixed in."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.quality import Quality
from vedit.inbetween.pair import Pair
from vedit.inbetween.picture import Picture

CPU = torch.device("cpu")
Film = Callable[[int], Tensor]


def noise(height: int, width: int, scale: int, seed: int) -> Tensor:
    coarse = torch.rand(1, 3, height // scale, width // scale, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, size=(height, width), mode="bicubic").clamp(0, 1)[0]


def pan(time: int) -> Tensor:
    return noise(160, 320, 16, 1)[..., 40 - 2 * time : 280 - 2 * time]


def leaves(time: int) -> Tensor:
    """Foliage in the wind: every place is seen some pixels off, otherwise in every frame."""
    picture = F.avg_pool2d(noise(160, 240, 4, 2), 3, 1, 1)
    waves = 3 * torch.randn(1, 2, 16, 24, generator=torch.Generator().manual_seed(time))
    x_off, y_off = F.interpolate(waves, size=(160, 240), mode="bicubic")[0]
    y, x = torch.meshgrid(torch.arange(160), torch.arange(240), indexing="ij")
    places = torch.stack([2 * (x + x_off) / 239 - 1, 2 * (y + y_off) / 159 - 1], -1)
    return F.grid_sample(picture[None], places[None], align_corners=True, padding_mode="border")[0]


def pair(film: Film, time: int, quality: Quality = "best") -> Pair:
    return Pair(Picture(film(time), CPU), Picture(film(time + 2), CPU), quality)


def error(picture: Tensor, truth: Tensor) -> float:
    return float((picture - truth).square().mean())


@pytest.mark.parametrize("quality", ["normal", "best"])
def test_what_no_motion_explains_is_dissolved(quality: Quality) -> None:
    alone, beside, dissolved = [], [], []
    for time in (0, 2):
        middle, truth = pair(leaves, time + 2, quality), leaves(time + 3)
        alone.append(error(middle.at(0.5), truth))
        middle.between(pair(leaves, time, quality), pair(leaves, time + 4, quality), (1.0, 1.0))
        beside.append(error(middle.at(0.5), truth))
        dissolved.append(error((leaves(time + 2) + leaves(time + 4)) / 2, truth))
    assert sum(dissolved) < sum(beside) < 0.99 * sum(alone)


def test_what_moves_is_left_as_it_was() -> None:
    middle = pair(pan, 2)
    alone = middle.at(0.5)
    middle.between(pair(pan, 0), pair(pan, 4), (1.0, 1.0))
    assert (alone - middle.at(0.5)).abs().max() < 0.01


def test_at_a_cut_one_side_tells_and_a_frame_is_tried_once() -> None:
    """What the pair before found out about the frame that both share is taken over."""
    first, middle = pair(leaves, 0), pair(leaves, 2)
    alone = middle.at(0.5)
    middle.between(first, None, (1.0, 1.0))
    tried_here = middle.at(0.5)
    assert not torch.equal(tried_here, alone)
    first.between(None, middle, (1.0, 1.0))
    again = pair(leaves, 2)
    again.between(first, None, (1.0, 1.0))
    assert torch.equal(again.at(0.5), tried_here)
