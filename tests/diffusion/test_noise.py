import torch

from vedit.diffusion.noise import CarriedNoise, carry_noise, first_noise, fresh_noise
from vedit.flow.pairs import PairFlow


def moving(dx: float, height: int = 16, width: int = 24, hidden: float = 0.0) -> PairFlow:
    """A picture that moves right by dx cells a frame, on the latent grid itself."""
    fw = torch.zeros(1, 2, height, width)
    fw[:, 0] = dx
    shade = torch.full((1, 1, height, width), hidden)
    return PairFlow(fw, -fw, shade, shade)


def start() -> CarriedNoise:
    return first_noise(4, 16, 24, seed=3, index=0)


def test_noise_depends_on_seed_and_frame_and_on_nothing_else() -> None:
    shape = (1, 4, 8, 8)
    assert torch.equal(fresh_noise(shape, 1, 5), fresh_noise(shape, 1, 5))
    assert not torch.equal(fresh_noise(shape, 1, 5), fresh_noise(shape, 1, 6))
    assert not torch.equal(fresh_noise(shape, 1, 5), fresh_noise(shape, 2, 5))


def test_noise_stays_where_nothing_moves() -> None:
    first = start()
    assert torch.equal(carry_noise(first, moving(0), 3, 1).noise, first.noise)


def test_noise_moves_with_the_picture_and_is_fresh_where_it_uncovers() -> None:
    first = start()
    after = carry_noise(first, moving(2), 3, 1).noise
    assert torch.equal(after[..., 2:], first.noise[..., :-2])
    assert torch.equal(after[..., :2], fresh_noise((1, 4, 16, 24), 3, 1)[..., :2])


def test_slow_motion_adds_up_instead_of_being_rounded_away() -> None:
    carried = first = start()
    for index in range(1, 5):
        carried = carry_noise(carried, moving(0.25), 3, index)
    assert torch.equal(carried.noise[..., 4:-4], first.noise[..., 3:-5])


def test_hidden_cells_get_fresh_noise() -> None:
    first = start()
    after = carry_noise(first, moving(0, hidden=1.0), 3, 1).noise
    assert torch.equal(after, fresh_noise((1, 4, 16, 24), 3, 1))


def test_no_cell_is_used_twice_when_the_picture_grows() -> None:
    first = start()
    x = torch.arange(24).float()
    fw = torch.zeros(1, 2, 16, 24)
    bw = torch.zeros(1, 2, 16, 24)
    bw[:, 0] = -x / 2  # twice as wide: two cells look back at one
    shade = torch.zeros(1, 1, 16, 24)
    after = carry_noise(first, PairFlow(fw, bw, shade, shade), 3, 1).noise
    values = after[0, 0].flatten()
    assert len(set(values.tolist())) == len(values)
