"""Pictures fetched, compared and mixed: on a CPU by OpenCV, which has to do what torch does elsewhere."""

from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.resize import resize_flow
from vedit.flow.warp import warp
from vedit.inbetween.source import Source, apart, mixed


def smooth(channels: int, height: int, width: int, seed: int) -> Tensor:
    """A picture without detail too fine for any kernel, in [0, 1]."""
    rough = torch.rand(1, channels, height // 8, width // 8, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(rough, (height, width), mode="bicubic").clamp(0, 1)


@pytest.mark.parametrize("kernel", ["bilinear", "bicubic"])
@pytest.mark.parametrize("channels", [3, 4])
def test_a_picture_is_fetched_along_a_coarser_flow_and_beyond_its_border(
    kernel: Literal["bilinear", "bicubic"], channels: int
) -> None:
    picture = smooth(channels, 64, 96, 1)
    flow = 30 * (smooth(2, 32, 48, 2) - 0.5)
    fetched = Source(picture, kernel).along(flow)
    there = warp(picture, resize_flow(flow, 64, 96), kernel)
    assert fetched.shape == picture.shape
    assert float((fetched - there).abs().max()) < 0.01  # OpenCV knows places to a 32nd of a pixel
    assert float((fetched - picture).abs().mean()) > 0.05


def test_pictures_are_mixed_by_their_shares() -> None:
    views = [smooth(4, 48, 64, seed).contiguous(memory_format=torch.channels_last) for seed in range(5)]
    shares = torch.rand(1, 5, 24, 32, generator=torch.Generator().manual_seed(7)).softmax(1)
    large = F.interpolate(shares, (48, 64), mode="bilinear")
    meant = sum((view * large[:, k : k + 1] for k, view in enumerate(views)), torch.zeros_like(views[0]))
    assert float((mixed(views, shares) - meant).abs().max()) < 1e-4


def test_what_counts_little_takes_nothing_away() -> None:
    views = [torch.full((1, 3, 16, 16), 0.5).contiguous(memory_format=torch.channels_last)] * 4
    shares = torch.tensor([1e-7, 1e-7, 1e-7, 1 - 3e-7]).view(1, 4, 1, 1).expand(-1, -1, 16, 16)
    assert float((mixed(views, shares) - 0.5).abs().max()) < 0.1 / 255


def test_how_far_apart_two_pictures_are_is_a_mean_over_nine_pixels() -> None:
    first = smooth(3, 40, 56, 1).contiguous(memory_format=torch.channels_last)
    second = first.clone(memory_format=torch.preserve_format)
    second[0, :, 20, 30] = (second[0, :, 20, 30] + 0.5) % 1
    found = apart(first, second)
    meant = float((first - second).abs().mean(1)[0, 20, 30]) / 81
    assert found.shape == (1, 1, 40, 56)
    assert float((found[0, 0, 16:25, 26:35] - meant).abs().max()) < 1e-6
    found[0, 0, 16:25, 26:35] = 0
    assert float(found.abs().max()) < 1e-6
