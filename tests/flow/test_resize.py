"""Fields on other grids: as fast as can be where nothing is learned, and then the same."""

import pytest
import torch

from vedit.flow.resize import resize, resize_flow


@pytest.mark.parametrize("size", [(24, 32), (12, 16), (96, 128), (50, 70), (31, 43), (24, 90)])
def test_what_is_learned_through_and_what_is_not_are_the_same(size: tuple[int, int]) -> None:
    field = torch.rand(2, 5, 48, 64, generator=torch.Generator().manual_seed(0))
    plain, learned = resize(field, *size), resize(field.clone().requires_grad_(), *size)
    assert plain.shape == (2, 5, *size)
    assert float((plain - learned).detach().abs().max()) < 1e-5


def test_a_field_that_does_not_lie_in_one_piece() -> None:
    field = torch.rand(1, 4, 40, 40, generator=torch.Generator().manual_seed(0))[..., 3:35, ::2].transpose(
        2, 3
    )
    assert torch.allclose(resize(field, 40, 64), resize(field.contiguous(), 40, 64))


def test_flow_is_in_pixels_of_its_grid() -> None:
    flow = torch.stack([torch.full((20, 30), 3.0), torch.full((20, 30), -2.0)])[None]
    larger = resize_flow(flow, 40, 90)
    assert torch.allclose(larger[0, 0], torch.tensor(9.0))
    assert torch.allclose(larger[0, 1], torch.tensor(-4.0))
