"""What other frames show of a hole, on small films whose hidden pixels are known."""

import weakref
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.evidence import RING, Evidence, gather
from vedit.flow.complete import grow
from vedit.frame import Frame

HEIGHT, WIDTH = 64, 96


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    noise = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    blobs = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    return (blobs * 255).round() / 255


def pan(count: int, step: int = 3, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    """The camera goes right, so everything goes left by ``step`` pixels a frame."""
    wide = texture(height, width + step * count)
    return torch.stack([wide[:, :, i * step : i * step + width] for i in range(count)])


def box(top: int, bottom: int, left: int, right: int, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    mask = torch.zeros(1, height, width)
    mask[:, top:bottom, left:right] = 1
    return mask


def films(frames: Tensor, masks: Tensor, paint: float = 0.0) -> Iterator[tuple[Frame, Tensor]]:
    """Frames with something painted over what the masks mark."""
    for i, (frame, mask) in enumerate(zip(frames, masks.expand(len(frames), -1, -1, -1), strict=True)):
        yield Frame(i, 1, torch.where(mask > 0, torch.tensor(paint), frame), index=i), mask


def evidence(frames: Tensor, masks: Tensor, radius: int = 8, paint: float = 0.0) -> list[Evidence]:
    return list(gather(films(frames, masks, paint), "normal", radius))


def both(seen: Evidence) -> tuple[Tensor, Tensor]:
    assert seen.ahead is not None
    assert seen.behind is not None
    return seen.ahead, seen.behind


HOLE = box(22, 42, 40, 52)


def test_what_a_pan_shows_later_and_earlier_is_found() -> None:
    truth = pan(16)
    seen = evidence(truth, HOLE)[8]
    under = HOLE[0] > 0
    for way, side in zip(both(seen), ("ahead", "behind"), strict=True):
        found, error, distance, speed = way[3:, under]
        assert found.mean() > 0.95, side
        assert set(found.unique().tolist()) <= {0, 1}
        assert (way[:3, under] - truth[8][:, under])[:, found > 0].abs().mean() < 0.02
        assert error[found > 0].mean() < 0.15
        assert (speed[found > 0] * 8 - 3).abs().mean() < 0.3
        steps = (distance * 24).round()
        assert bool((steps[found > 0] >= 1).all())
        assert bool((distance[found == 0] == 0).all())
    # The scene goes left: the hole's left side is the first to come out, later on.
    ahead, behind = both(seen)
    assert ahead[5, 32, 40:44].max() < ahead[5, 32, 48:52].min()
    assert behind[5, 32, 40:44].min() > behind[5, 32, 48:52].max()
    assert (ahead[5, 32, 40:52] * 24 - torch.arange(1, 13) / 3).abs().max() < 2


def test_the_motion_is_from_the_frame_before() -> None:
    given = evidence(pan(4), HOLE)
    assert given[0].motion is None
    for seen in given[1:]:
        assert seen.motion is not None
        assert (seen.motion.forth[0, 0, 11:21, 20:26] + 3).abs().max() < 0.5


def test_a_still_film_shows_nothing_and_the_hole_is_filled_smoothly() -> None:
    frames = pan(6, step=0)
    for seen in evidence(frames, HOLE):
        assert seen.picture is not None
        outside = HOLE[0] == 0
        assert (seen.picture - frames[0])[:, outside].abs().max() < 1e-3
        around = frames[0][:, grow(HOLE[None], 2)[0, 0] > HOLE[0]]
        assert bool((seen.picture[:, ~outside].amax(1) <= around.amax(1) + 1e-3).all())
        assert bool((seen.picture[:, ~outside].amin(1) >= around.amin(1) - 1e-3).all())
        for way in both(seen):
            assert bool((way[3:, ~outside] == 0).all())
            assert torch.equal(way[:3, ~outside], seen.picture[:, ~outside])


def test_some_known_pixels_around_the_hole_are_fetched_too() -> None:
    """They show how well fetching works."""
    truth = pan(10)
    ahead, _ = both(evidence(truth, HOLE)[2])
    ring = (grow(HOLE[None], RING) - HOLE[None])[0, 0] > 0
    assert ahead[3, ring].mean() > 0.9
    assert (ahead[:3, ring] - truth[2][:, ring]).abs().mean() < 0.02
    far = grow(HOLE[None], RING + 2)[0, 0] == 0
    assert bool((ahead[3:, far] == 0).all())


def test_what_is_painted_over_a_hole_does_not_matter() -> None:
    for dark, light in zip(evidence(pan(6), HOLE), evidence(pan(6), HOLE, paint=1.0), strict=True):
        for a, b in zip(both(dark), both(light), strict=True):
            assert torch.equal(a, b)


def test_what_a_moving_thing_hides_is_found_where_it_has_been() -> None:
    truth = pan(10, step=0)
    masks = torch.stack([box(20, 40, 10 + 7 * i, 22 + 7 * i) for i in range(10)])
    seen = evidence(truth, masks)[5]
    under = masks[5, 0] > 0
    for way in both(seen):
        assert way[3, under].mean() > 0.95
        assert (way[:3, under] - truth[5][:, under]).abs().mean() < 0.02
        assert (way[5, under] * 24).max() <= 3


def test_it_looks_no_farther_than_the_radius() -> None:
    near, far = (both(evidence(pan(16), HOLE, radius)[8])[0] for radius in (2, 6))
    under = HOLE[0] > 0
    assert 0.3 < near[3, under].mean() < 0.7
    assert far[3, under].mean() > 0.95
    assert (near[5] * 24).max() <= 2


def test_what_leaves_the_picture_is_not_found() -> None:
    """A hole at the left border of a picture that goes left: earlier frames show it, later ones do not."""
    hole = box(20, 44, 0, 12)
    seen = evidence(pan(16), hole)[8]
    assert seen.window is not None
    ahead, behind = both(seen)
    under = seen.window.of(hole)[0] > 0
    assert ahead[3, under].mean() < 0.3
    assert behind[3, under].mean() > 0.9


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9, 20])
@pytest.mark.parametrize("radius", [1, 8])
def test_every_frame_comes_once_and_in_order(count: int, radius: int) -> None:
    frames = pan(max(count, 1))[:count]
    given = list(gather(films(frames, HOLE), "draft", radius))
    assert [seen.frame.index for seen in given] == list(range(count))
    assert all(torch.equal(seen.mask, HOLE) for seen in given)


def test_only_what_lies_near_a_hole_in_time_has_evidence() -> None:
    masks = torch.zeros(9, 1, HEIGHT, WIDTH)
    masks[4] = HOLE
    given = evidence(pan(9), masks)
    assert [seen.window is not None for seen in given] == [False] * 3 + [True] * 3 + [False] * 3
    assert [seen.ahead is not None for seen in given] == [False] * 4 + [True] + [False] * 4
    assert [seen.motion is not None for seen in given] == [False] * 4 + [True] * 2 + [False] * 3
    ahead, behind = both(given[4])
    under = HOLE[0] > 0
    assert ahead[3, under].mean() > 0.95
    assert (behind[5, under] * 24).max() <= 1


def test_only_a_window_around_the_hole_is_looked_at() -> None:
    """What the rest of a wide picture shows changes nothing."""
    truth, hole = pan(5, height=48, width=400), box(20, 30, 60, 70, 48, 400)
    other = truth.clone()
    other[..., 200:] = 0.5
    for a, b in zip(evidence(truth, hole), evidence(other, hole), strict=True):
        assert a.window is not None
        assert a.window.right < 200
        assert torch.equal(torch.cat(both(a)), torch.cat(both(b)))


def test_only_a_window_of_frames_is_read_ahead_or_kept() -> None:
    kept: list[weakref.ref[Tensor]] = []

    def endless() -> Iterator[tuple[Frame, Tensor]]:
        for i in range(10_000):
            pixels = torch.full((3, HEIGHT, WIDTH), (i % 7) / 7)
            kept.append(weakref.ref(pixels))
            yield Frame(i, 1, pixels, index=i), HOLE

    given = gather(endless(), "draft", 4)
    for _ in range(20):
        next(given)
    assert len(kept) <= 20 + 4 + 2
    assert sum(pixels() is not None for pixels in kept) <= 4 + 3


@pytest.mark.parametrize(("height", "width"), [(63, 97), (13, 21), (9, 40), (5, 5), (1, 1)])
def test_odd_and_tiny_pictures(height: int, width: int) -> None:
    hole = box(height // 3, height // 2 + 1, width // 3, width // 2 + 1, height, width)
    frames = pan(4, 1, max(height, 4), max(width, 4))[..., :height, :width]
    for seen in evidence(frames, hole):
        for way in both(seen):
            assert way.shape == (7, height, width)
            assert way.min() >= 0
            assert way.max() <= 1


def test_where_everything_is_hidden_nothing_is_found() -> None:
    for seen in evidence(pan(4), torch.ones(1, 1, HEIGHT, WIDTH)):
        assert bool((torch.cat(both(seen)) == 0).all())


def test_what_does_not_match_is_given_up_or_doubted() -> None:
    """Another scene follows: what it shows at the hole's place is not what the hole hides."""
    wide = [texture(HEIGHT, WIDTH + 60, seed) for seed in (0, 1)]
    frames = torch.stack([wide[i > 7][:, :, i * 3 : i * 3 + WIDTH] for i in range(14)])
    seen = evidence(frames, HOLE)[7]
    ahead, behind = both(seen)
    under = HOLE[0] > 0
    assert ahead[3, under].mean() < 0.95 < behind[3, under].mean()
    doubts = [float(way[4, under][way[3, under] > 0].mean()) for way in (ahead, behind)]
    assert doubts[0] > 4 * doubts[1]


def test_masks_that_move_are_let_go() -> None:
    kept: list[weakref.ref[Tensor]] = []

    def endless() -> Iterator[tuple[Frame, Tensor]]:
        for i in range(10_000):
            mask = box(20, 30, 10 + i % 60, 20 + i % 60)
            kept.append(weakref.ref(mask))
            yield Frame(i, 1, torch.full((3, HEIGHT, WIDTH), 0.5), index=i), mask

    given = gather(endless(), "draft", 8)
    for i in range(30):
        mask = next(given).mask
        assert torch.equal(mask, box(20, 30, 10 + i % 60, 20 + i % 60))
    assert len(kept) >= 30 + 8
    assert sum(mask() is not None for mask in kept) <= 2


def test_a_mask_that_stands_still_stays_one() -> None:
    given = list(gather(((Frame(i, 1, f, index=i), HOLE) for i, f in enumerate(pan(12))), "draft", 4))
    assert all(seen.mask is given[0].mask for seen in given)
