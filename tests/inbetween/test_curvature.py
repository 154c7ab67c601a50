"""Motion that bends: what the frames before and after a pair say about the way between its two."""

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.edits import Interpolate
from vedit.inbetween.pair import Pair
from vedit.inbetween.picture import Picture

CPU = torch.device("cpu")


def wide() -> Tensor:
    noise = torch.Generator().manual_seed(3)
    octaves = [torch.rand(1, 3, 160 // s, 480 // s, generator=noise) for s in (40, 16, 8)]
    return sum(F.interpolate(o, size=(160, 480), mode="bicubic") for o in octaves)[0] / 3  # type: ignore[index]


def seen(place: float) -> Tensor:
    """The picture as a camera at that column shows it, ``(3, 160, 240)``."""
    grid = F.affine_grid(torch.eye(2, 3)[None], [1, 3, 160, 240], align_corners=True)
    columns = (grid[..., 0] + 1) / 2 * 239 + place
    there = torch.stack([columns / 479 * 2 - 1, grid[..., 1]], -1)
    return F.grid_sample(wide()[None], there, mode="bicubic", align_corners=True)[0].clamp(0, 1)


def pair(first: float, last: float) -> Pair:
    return Pair(Picture(seen(first), CPU), Picture(seen(last), CPU))


def error(picture: Tensor, place: float) -> float:
    inner = (slice(None), slice(20, -20), slice(40, -40))
    return float((picture - seen(place))[inner].abs().mean())


def speeding_up(time: float) -> float:
    """Where a camera is that gains four pixels a frame with every frame."""
    return 60 + 10 * time + 2 * time * time


def test_a_camera_that_speeds_up_is_met_where_it_is() -> None:
    middle = pair(speeding_up(0), speeding_up(1))
    straight = middle.at(0.5)
    before, after = pair(speeding_up(-1), speeding_up(0)), pair(speeding_up(1), speeding_up(2))
    middle.between(before, after, (1.0, 1.0))
    assert error(middle.at(0.5), speeding_up(0.5)) < 0.7 * error(straight, speeding_up(0.5))


def test_gaps_of_other_lengths_say_the_same() -> None:
    """In a film of varying rate the frame before may be half as far away in time."""
    middle = pair(speeding_up(0), speeding_up(1))
    straight = middle.at(0.5)
    middle.between(pair(speeding_up(-0.5), speeding_up(0)), None, (0.5, 1.0))
    assert error(middle.at(0.5), speeding_up(0.5)) < 0.9 * error(straight, speeding_up(0.5))


def test_even_motion_stays_straight() -> None:
    middle = pair(72, 80)
    straight = middle.at(0.5)
    middle.between(pair(64, 72), pair(80, 88), (1.0, 1.0))
    assert float((middle.at(0.5) - straight).abs().mean()) < 0.002


def test_another_scene_beside_it_bends_nothing() -> None:
    middle = pair(72, 80)
    straight = middle.at(0.5)
    other = Pair(Picture(1 - seen(200), CPU), middle.frame0)
    middle.between(other, None, (1.0, 1.0))
    assert float((middle.at(0.5) - straight).abs().mean()) < 0.01


def test_a_film_is_interpolated_along_its_bends() -> None:
    places = [speeding_up(t) for t in range(4)]
    whole = Interpolate(factor=2).apply(Clip.at_rate(torch.stack([seen(p) for p in places]), 25)).frames
    alone = Interpolate(factor=2).apply(Clip.at_rate(torch.stack([seen(p) for p in places[1:3]]), 25)).frames
    assert error(whole[3], speeding_up(1.5)) < 0.7 * error(alone[1], speeding_up(1.5))
