"""New pictures as sharp as their neighbours."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.inbetween.sharpness import detail, sharpened


def picture(channels: int = 3) -> Tensor:
    noise = torch.rand(1, channels, 60, 80, generator=torch.Generator().manual_seed(0))
    return F.avg_pool2d(noise, 3, 1, 1, count_include_pad=False)


def test_a_soft_picture_is_brought_up_to_what_is_wanted() -> None:
    sharp = picture()
    soft = 0.8 * sharp + 0.2 * F.avg_pool2d(sharp, 3, 1, 1, count_include_pad=False)
    wanted = detail(sharp)
    assert detail(soft) < 0.85 * wanted
    assert abs(float(detail(sharpened(soft, wanted)) / wanted) - 1) < 0.01


def test_one_that_is_sharp_enough_stays_to_the_bit() -> None:
    frame = picture()
    assert torch.equal(sharpened(frame, 0.9 * detail(frame)), frame)


def test_a_blur_is_not_driven_to_stripes() -> None:
    """However much is wanted, no more than half of the detail is added."""
    soft = F.avg_pool2d(picture(), 9, 1, 4, count_include_pad=False)
    edges = soft - F.avg_pool2d(soft, 3, 1, 1, count_include_pad=False)
    added = sharpened(soft, 100 * detail(soft)) - soft
    inner = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(added[inner], 0.5 * edges[inner])


def test_alpha_is_left_alone() -> None:
    frame = picture(4)
    assert torch.equal(sharpened(frame, 2 * detail(frame))[:, 3], frame[:, 3])
