"""Far matches: what a search from coarse to fine does not find."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.estimate import coarse_flows
from vedit.flow.matching import with_far_matches


def scene(shift: int) -> Tensor:
    """A small thing on a fine ground, ``(3, 180, 320)``, that many pixels to the right of column 60."""
    noise = torch.Generator().manual_seed(4)
    ground = F.interpolate(torch.rand(1, 3, 45, 80, generator=noise), (180, 320), mode="bicubic")[0] * 0.3
    thing = F.interpolate(torch.rand(1, 3, 4, 4, generator=noise), (24, 24), mode="bicubic")[0] * 0.5 + 0.5
    frame = ground.clone()
    frame[:, 80:104, 60 + shift : 84 + shift] = thing
    return frame.clamp(0, 1)


def test_a_small_thing_that_moves_twice_its_width_is_found() -> None:
    first, last = scene(0), scene(48)
    none = torch.zeros(1, 2, 180, 320)
    rough = with_far_matches(none, first[None], last[None])
    assert rough.shape == (1, 2, 45, 80)
    inside = rough[0, :, 21:25, 16:20].mean((1, 2))
    assert abs(float(inside[0]) - 12) < 2  # 48 pixels, of which four are one of the small grid
    assert abs(float(inside[1])) < 1
    assert float(rough[0, :, :15].abs().max()) == 0, "the ground stays"


def test_the_search_goes_on_from_there() -> None:
    forward, backward = coarse_flows(scene(0), scene(48))
    middle = slice(43, 49)
    assert abs(float(forward[0, middle, 33:39].mean()) - 24) < 3  # on the grid of half the size
    assert abs(float(backward[0, middle, 57:63].mean()) + 24) < 3


def test_flow_that_fits_is_kept() -> None:
    first = scene(0)
    flow = torch.zeros(1, 2, 180, 320)
    assert torch.equal(with_far_matches(flow, first[None], first[None]), torch.zeros(1, 2, 45, 80))
