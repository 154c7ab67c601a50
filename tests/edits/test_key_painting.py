from functools import cache

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits import key_painting, patch_votes
from vedit.edits.key_painting import Pass, paint_key
from vedit.edits.palette import colour_map, palette_of, recolour
from vedit.errors import UsageError
from vedit.metrics import structure, style_distance


def frame(height: int = 64, width: int = 96) -> Tensor:
    """A bright disc and a dark post before a slope."""
    y = torch.linspace(0, 1, height)[:, None].expand(height, width)
    x = torch.linspace(0, 1.5, width).expand(height, width)
    disc = (((x - 0.5) ** 2 + (y - 0.5) ** 2) < 0.06).float()
    post = ((x > 1.0) & (x < 1.15) & (y > 0.2)).float()
    ground = torch.stack([0.3 + 0.2 * y, 0.5 - 0.1 * y, 0.6 - 0.3 * y])
    ground = ground * (1 - disc) + disc * torch.tensor([0.9, 0.8, 0.6]).view(3, 1, 1)
    return ground * (1 - post) + post * torch.tensor([0.1, 0.1, 0.2]).view(3, 1, 1)


def checks() -> Tensor:
    """Tiles of two reds and a yellow with dark joints."""
    tiles = torch.randint(3, (12, 12), generator=torch.Generator().manual_seed(0))
    colours = torch.tensor([[0.8, 0.2, 0.1], [0.5, 0.1, 0.1], [0.9, 0.8, 0.2]])[tiles].permute(2, 0, 1)
    picture = F.interpolate(colours[None], scale_factor=8.0, mode="nearest")[0]
    picture[:, ::8] = 0.05
    picture[:, :, ::8] = 0.05
    return picture


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_painting, "PASSES", (Pass(0.5, 12, (0.4, 0.7), 3), Pass(1.0, 3, (0.0, 1.0), 4)))
    monkeypatch.setattr(key_painting, "AGAIN", (Pass(0.5, 4, (0.4,), 3), Pass(1.0, 2, (1.0,), 4)))
    monkeypatch.setattr(patch_votes, "VOTERS", 1000)


@cache
def key(held: float = 1.0, seed: int = 0) -> Tensor:
    return paint_key(frame(), checks(), structure=held, seed=seed)


def test_the_key_is_nearer_to_the_style_than_its_colours_alone() -> None:
    toned = recolour(frame()[None], *colour_map(palette_of(frame()), palette_of(checks())))[0]
    assert key().shape == (3, 64, 96)
    assert 0 <= float(key().min()) <= float(key().max()) <= 1
    assert style_distance(key(), checks()) < 0.8 * style_distance(toned, checks())


def test_more_structure_holds_more_of_the_drawing() -> None:
    loose, usual, firm = (structure(frame(), key(held)) for held in (0.0, 1.0, 2.0))
    assert loose < usual < firm
    assert firm > 0.45


def test_the_same_seed_paints_the_same_and_another_does_not() -> None:
    assert torch.equal(paint_key(frame(), checks()), key())
    assert not torch.equal(key(1.0, 1), key())


def test_a_start_is_kept_to_and_progress_is_told() -> None:
    told: list[float] = []
    again = paint_key(frame(), checks(), start=key(), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)
    assert (again - key()).abs().mean() < (key(1.0, 1) - key()).abs().mean()


def test_a_large_frame_keeps_its_size_and_a_tiny_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_painting, "LONGEST", 64)
    monkeypatch.setattr(key_painting, "PASSES", (Pass(1.0, 2, (1.0,), 4),))
    assert paint_key(frame(100, 140), checks()).shape == (3, 100, 140)
    assert paint_key(frame(9, 14), checks()[:, :20, :11]).shape == (3, 9, 14)


def test_enlarged_to_the_whole_frame_its_edges_are_sharp() -> None:
    whole = frame(192, 288)[None]
    small = F.interpolate(whole, size=(64, 96), mode="area")
    dimmed = 0.5 * small + 0.2
    enlarged = key_painting._enlarged(dimmed, small, whole)
    plain = F.interpolate(dimmed, size=(192, 288), mode="bicubic")
    wanted = 0.5 * whole + 0.2
    assert (enlarged - wanted).abs().mean() < 0.7 * (plain - wanted).abs().mean()


@pytest.mark.parametrize("flat", [0.0, 1.0])
def test_flat_pictures_paint(flat: float) -> None:
    out = paint_key(torch.full((3, 64, 64), 0.5), torch.full((3, 40, 40), flat))
    assert out.isfinite().all()
    assert float((out - flat).abs().mean()) < 0.1


def test_what_cannot_be_painted_is_refused() -> None:
    with pytest.raises(UsageError, match="frame"):
        paint_key(torch.rand(1, 3, 64, 64), checks())
    with pytest.raises(UsageError, match="style"):
        paint_key(frame(), torch.rand(40, 40))
    with pytest.raises(UsageError, match="start"):
        paint_key(frame(), checks(), start=torch.rand(3, 10, 10))
    with pytest.raises(UsageError, match="structure"):
        paint_key(frame(), checks(), structure=3)
