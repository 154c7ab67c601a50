"""Texture on what was made up: there, like its surroundings, and carried along."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.complete import Completed
from vedit.completion.motion import Motion
from vedit.edits.detail import detailed
from vedit.frame import Frame
from vedit.window import Window

HEIGHT, WIDTH = 64, 96
WHOLE = Window(0, HEIGHT, 0, WIDTH)
HOLE = torch.zeros(1, HEIGHT, WIDTH)
HOLE[:, 20:44, 36:60] = 1
UNDER = HOLE[0] > 0


def grain(width: int = WIDTH) -> Tensor:
    """Grey with fine dots."""
    dots = torch.rand(1, HEIGHT, width, generator=torch.Generator().manual_seed(0)).expand(3, -1, -1)
    return 0.4 + 0.2 * dots.round()


def moved(dx: float) -> Motion:
    """Everything goes to the right by ``dx`` pixels a frame."""
    forth = (
        torch.tensor([dx, 0, 0], dtype=torch.float32).view(1, 3, 1, 1).repeat(1, 1, HEIGHT // 2, WIDTH // 2)
    )
    return Motion(forth, forth * torch.tensor([-1, 1, 1]).view(1, 3, 1, 1), WHOLE, 2)


def films(count: int, dx: int = 0, real: float = 0.0) -> Iterator[Completed]:
    """Frames of a grainy scene whose hole was completed without any grain."""
    wide = grain(WIDTH + dx * count)
    for i in range(count):
        left = dx * (count - 1 - i)
        pixels = torch.where(HOLE > 0, torch.tensor(0.5), wide[..., left : left + WIDTH])
        frame = Frame(i, 1, pixels, index=i)
        yield Completed(frame, HOLE, WHOLE, pixels, HOLE * real, moved(dx) if i else None)


def pixels(given: Iterator[Completed]) -> Tensor:
    return torch.stack([done.pixels for done in given if done.pixels is not None])


def roughness(picture: Tensor) -> float:
    """Standard deviation of what a blur takes away, in the middle of the hole's place."""
    fine = picture - F.avg_pool2d(picture, 5, 1, 2)
    return float(fine[..., 26:38, 42:54].std())


def test_what_was_made_up_gets_the_texture_of_its_surroundings() -> None:
    out = pixels(detailed(films(1), share=1, seed=0))[0]
    assert roughness(out) > 0.5 * roughness(grain())
    assert float(out[:, UNDER].mean()) == pytest.approx(0.5, abs=0.03)
    assert torch.equal(out[:, ~UNDER], next(films(1)).frame.pixels[:, ~UNDER])
    assert out.min() >= 0
    assert out.max() <= 1


def test_a_share_of_it_is_added() -> None:
    whole, half = (pixels(detailed(films(1), share=share, seed=0))[0] for share in (1, 0.5))
    assert ((half - 0.5) * 2 - (whole - 0.5))[:, UNDER].abs().max() < 1e-5


def test_it_is_drawn_by_the_seed() -> None:
    first, again, other = (pixels(detailed(films(2), share=1, seed=seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert (first - other)[..., UNDER].abs().mean() > 0.01


def test_it_does_not_boil_where_the_scene_stands_still() -> None:
    out = pixels(detailed(films(16), share=1, seed=0))
    assert roughness(out[-1]) > 0.5 * roughness(grain())
    assert (out.diff(dim=0)).abs().max() < 1e-3


def test_it_goes_with_the_scene() -> None:
    out = pixels(detailed(films(4, dx=2), share=1, seed=0))
    inner = (..., slice(20, 44), slice(44, 58))
    for before, after in pairwise(out):
        assert (after - torch.roll(before, 2, -1))[inner].abs().max() < 1e-3


def test_real_pixels_are_left_alone() -> None:
    out = pixels(detailed(films(2, real=1.0), share=1, seed=0))
    assert bool((out[..., UNDER] == 0.5).all())


def test_frames_without_a_hole_pass_through() -> None:
    nothing = [Completed(Frame(i, 1, grain(), index=i), torch.zeros_like(HOLE)) for i in range(3)]
    given = [nothing[0], *films(1), nothing[1], nothing[2], *films(1)]
    out = list(detailed(iter(given), share=1, seed=0))
    assert [a is b for a, b in zip(given, out, strict=True)] == [True, False, True, True, False]
    assert out[-1].pixels is not None
