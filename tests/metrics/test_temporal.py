import pytest
import torch
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics.temporal import flicker, join_ratio, pairs_of, warp_error


@pytest.fixture(scope="module")
def moving() -> Tensor:
    """A soft texture moving 1 pixel a frame, ``(6, 3, 64, 96)``."""
    coarse = torch.rand(1, 3, 16, 28, generator=torch.Generator().manual_seed(0))
    texture = torch.nn.functional.interpolate(coarse, size=(64, 112), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([texture[:, :, i : i + 96] for i in range(6)])


def noise(like: Tensor, seed: int = 1) -> Tensor:
    return 0.1 * torch.randn(like.shape, generator=torch.Generator().manual_seed(seed))


def test_what_moves_along_is_steady_and_new_noise_in_each_frame_is_not(moving: Tensor) -> None:
    pairs = pairs_of(moving)
    assert warp_error(moving, moving, pairs=pairs) < 0.2
    assert warp_error(1 - moving, moving, pairs=pairs) < 0.2  # another look that keeps to the motion
    # The change of two independent noises of deviation 0.1 has twice the variance; the warp blurs one a little.
    assert warp_error(moving + noise(moving), moving, pairs=pairs) == pytest.approx(20, rel=0.3)


def test_what_stays_while_the_film_moves_is_not_steady(moving: Tensor) -> None:
    stuck = moving[:1].expand_as(moving)
    assert warp_error(stuck, moving) > 10 * warp_error(moving, moving)


def test_pairs_known_already_change_nothing(moving: Tensor) -> None:
    painted = moving + noise(moving)
    pairs = pairs_of(moving)
    assert warp_error(painted, moving) == warp_error(painted, moving, pairs=pairs)
    assert join_ratio(painted, moving, [3]) == join_ratio(painted, moving, [3], pairs=pairs)


def test_flicker_is_the_change_where_the_film_stands_still(moving: Tensor) -> None:
    still = moving[:1].repeat(4, 1, 1, 1)
    assert flicker(still, still) == 0
    brighter = still + torch.tensor([0, 0.1, 0, 0.1]).view(4, 1, 1, 1)
    assert flicker(brighter, still) == pytest.approx(25.5, rel=1e-3)
    # Half the film changes, and whatever happens there does not count.
    half = still.clone()
    half[1::2, :, :, 48:] = 1 - half[1::2, :, :, 48:]
    mixed = still.clone()
    mixed[1::2, :, :, 48:] += 0.5
    assert flicker(mixed, half) < 0.05 * flicker(mixed, still)


def test_flicker_is_zero_where_nothing_stands_still(moving: Tensor) -> None:
    flash = torch.tensor([0, 1.0, 0]).view(3, 1, 1, 1).expand(3, 3, 32, 32)
    assert flicker(moving[:3, :, :32, :32] + noise(flash), flash) == 0


def test_a_seam_shows_in_the_join_ratio(moving: Tensor) -> None:
    pairs = pairs_of(moving)
    assert join_ratio(moving, moving, [3], pairs=pairs) == pytest.approx(1, abs=0.5)
    seamed = moving.clone()
    seamed[3:] = seamed[3:] * 0.8 + 0.1
    assert join_ratio(seamed, moving, [3], pairs=pairs) > 5
    assert join_ratio(seamed, moving, [2], pairs=pairs) < 1  # the seam is not there
    assert join_ratio(seamed, moving, [], pairs=pairs) == 1
    assert join_ratio(seamed, moving, range(1, 6), pairs=pairs) == 1


def test_films_that_cannot_be_compared_are_refused(moving: Tensor) -> None:
    with pytest.raises(UsageError, match="cannot be compared"):
        warp_error(moving[:3], moving)
    with pytest.raises(UsageError, match="cannot be compared"):
        flicker(moving[:1], moving[:1])
    with pytest.raises(UsageError, match="joins"):
        join_ratio(moving, moving, [6])
