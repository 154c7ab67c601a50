import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.estimate import Quality, dis_flow


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    """A smooth random picture (3,H,W)."""
    coarse = torch.rand(1, 3, height // 6 + 3, width // 6 + 3, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(coarse, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)


@pytest.mark.parametrize("quality", ["draft", "normal", "best"])
def test_finds_a_shift(quality: Quality) -> None:
    film = texture(96, 140)
    flow = dis_flow(
        film[:, 4:84, 6:134], film[:, 2:82, 1:129], quality=quality
    )  # the picture moves by (5, 2)
    inner = flow[:, 16:-16, 16:-16]
    assert inner[0].sub(5).abs().mean() < 0.5
    assert inner[1].sub(2).abs().mean() < 0.5


def test_a_fade_is_not_motion() -> None:
    film = texture(80, 120, seed=1)
    flow = dis_flow(film, film * 0.6 + 0.1)
    assert flow.abs().mean() < 0.1


@pytest.mark.parametrize("quality", ["draft", "normal"])
@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (9, 100), (11, 640), (12, 12), (18, 121), (12, 640), (300, 13)]
)
def test_any_size_works(size: tuple[int, int], quality: Quality) -> None:
    generator = torch.Generator().manual_seed(3)
    a, b = torch.rand(2, 3, *size, generator=generator)
    flow = dis_flow(a, b, quality=quality)
    assert flow.shape == (2, *size)
    assert flow.isfinite().all()
    assert min(size) >= 12 or flow.eq(0).all()
