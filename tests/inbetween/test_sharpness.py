"""New pictures as sharp as their neighbours."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.inbetween.sharpness import detail, sharpen


def picture(channels: int = 3) -> Tensor:
    noise = torch.rand(1, channels, 60, 80, generator=torch.Generator().manual_seed(0))
    return F.avg_pool2d(noise, 3, 1, 1, count_include_pad=False)


def made_sharp(frame: Tensor, wanted: Tensor, most: float = 0.5) -> Tensor:
    frame = frame.clone()
    sharpen(frame, wanted, most)
    return frame


def test_a_soft_picture_is_brought_up_to_what_is_wanted() -> None:
    sharp = picture()
    soft = 0.8 * sharp + 0.2 * F.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
    wanted = detail(sharp)
    assert detail(soft) < 0.85 * wanted
    assert abs(float(detail(made_sharp(soft, wanted)) / wanted) - 1) < 0.01


def test_one_that_is_sharp_enough_stays_to_the_bit() -> None:
    frame = picture()
    assert torch.equal(made_sharp(frame, 0.9 * detail(frame)), frame)


@pytest.mark.parametrize("most", [0.5, 1])
def test_a_blur_is_not_driven_to_stripes(most: float) -> None:
    """However much is wanted, no more of the detail is added than is allowed."""
    soft = F.avg_pool2d(picture(), 9, 1, 4, count_include_pad=False)
    edges = soft - F.avg_pool2d(soft, 3, 1, 1, count_include_pad=False)
    added = made_sharp(soft, 100 * detail(soft), most) - soft
    inner = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(added[inner], most * edges[inner], rtol=1e-4, atol=1e-6)


def test_alpha_is_left_alone() -> None:
    frame = picture(4)
    assert torch.equal(made_sharp(frame, 2 * detail(frame))[:, 3], frame[:, 3])


def test_a_part_of_a_picture_is_sharpened_where_it_lies() -> None:
    whole = picture()
    part = whole[..., :51, :73]
    apart = made_sharp(part, 2 * detail(part))
    sharpen(part, 2 * detail(part), 0.5)
    assert torch.equal(whole[..., :51, :73], apart)
    assert torch.equal(whole[..., 51:, :], picture()[..., 51:, :])
