import torch
from torch import Tensor

from vedit.edits.texture import in_keeping

HOLE = torch.zeros(1, 80, 96)
HOLE[:, 30:50, 36:60] = 1


def noise(amount: float, seed: int = 0) -> Tensor:
    return amount * torch.randn(3, 80, 96, generator=torch.Generator().manual_seed(seed))


def fill(picture: Tensor, drawn: Tensor) -> Tensor:
    smooth = torch.full((3, 80, 96), 0.5)
    return (in_keeping(drawn, smooth, HOLE, picture, HOLE) - smooth)[:, 30:50, 36:60]


def test_a_flat_picture_stays_flat() -> None:
    assert float(fill(torch.full((3, 80, 96), 0.5), 0.5 + noise(0.1)).abs().max()) < 1e-3


def test_detail_is_kept_where_the_picture_has_as_much() -> None:
    drawn = 0.5 + noise(0.05, seed=1)
    kept = fill(0.5 + noise(0.1), drawn)
    assert torch.allclose(kept, (drawn - 0.5)[:, 30:50, 36:60], atol=1e-6)


def test_a_grey_film_gets_no_colours_but_keeps_its_grain() -> None:
    grey = 0.5 + noise(0.1).mean(0, keepdim=True).expand(3, -1, -1) * 1.7
    made = fill(grey, 0.5 + noise(0.1, seed=1))
    assert float((made - made.mean(0, keepdim=True)).abs().max()) < 1e-3
    assert float(made.mean(0).std()) > 0.03


def test_what_the_hole_hides_is_not_looked_at() -> None:
    loud = torch.where(HOLE > 0, torch.rand(3, 80, 96), torch.tensor(0.5))
    assert float(fill(loud, 0.5 + noise(0.1)).abs().max()) < 1e-3


def test_a_hard_edge_beside_the_hole_is_no_texture() -> None:
    boxed = torch.full((3, 80, 96), 0.5)
    boxed[:, :28] = 0  # the black bar of a letterbox, two pixels above the hole
    assert float(fill(boxed, 0.5 + noise(0.1)).abs().max()) < 0.02
