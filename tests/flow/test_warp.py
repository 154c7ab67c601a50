import pytest
import torch

from vedit.flow.warp import warp


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_whole_pixel_flow_is_a_shift(mode: str) -> None:
    image = torch.rand(2, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    flow = torch.zeros(2, 2, 20, 30)
    flow[:, 0], flow[:, 1] = 3, -2
    out = warp(image, flow, mode)  # type: ignore[arg-type]
    torch.testing.assert_close(out[:, :, 2:, :-3], image[:, :, :-2, 3:], atol=1e-4, rtol=0)


def test_outside_takes_the_border() -> None:
    image = torch.rand(1, 1, 6, 8, generator=torch.Generator().manual_seed(1))
    flow = torch.zeros(1, 2, 6, 8)
    flow[:, 0] = 100
    torch.testing.assert_close(warp(image, flow), image[..., -1:].expand_as(image))


def test_result_has_the_size_of_the_flow() -> None:
    image = torch.arange(8.0).expand(1, 1, 4, 8)
    out = warp(image, torch.full((1, 2, 2, 3), 1.0))
    torch.testing.assert_close(out, torch.tensor([1.0, 2.0, 3.0]).expand(1, 1, 2, 3))


def test_bicubic_keeps_more_detail_than_bilinear() -> None:
    x = torch.arange(64.0)
    image = (0.5 + 0.4 * torch.sin(x * 1.2)).expand(1, 1, 16, 64)
    wanted = (0.5 + 0.4 * torch.sin((x + 0.5) * 1.2)).expand(1, 1, 16, 64)[..., 4:-4]
    flow = torch.zeros(1, 2, 16, 64)
    flow[:, 0] = 0.5
    cubic, linear = ((warp(image, flow, m)[..., 4:-4] - wanted).abs().mean() for m in ("bicubic", "bilinear"))
    assert cubic < linear / 2
