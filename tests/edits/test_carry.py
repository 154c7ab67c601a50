"""The painter's own pixels carried along the flow, and no further than the film bears them out."""

from itertools import pairwise

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.edits.carry import Key, Trail, at_key, fetch, follow, merged
from vedit.edits.steady import trusted_link

HEIGHT, WIDTH, STEP = 64, 96, 3
GRID = (HEIGHT // 2, WIDTH // 2)


@pytest.fixture(scope="module")
def film() -> list[Tensor]:
    """A pan over a photograph, `STEP` pixels a frame: what is at column x is at x - `STEP` in the next frame."""
    photo = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    return [
        photo[:, 30 : 30 + HEIGHT, 150 + STEP * i : 150 + STEP * i + WIDTH].contiguous() for i in range(6)
    ]


@pytest.fixture(scope="module")
def key(film: list[Tensor]) -> Key:
    """The first frame, with a painting that shares no colour or line with it."""
    dice = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, HEIGHT // 4, WIDTH // 4, generator=dice)
    return Key(
        0, film[0], torch.nn.functional.interpolate(coarse, (HEIGHT, WIDTH), mode="bicubic")[0].clamp(0, 1)
    )


def followed(film: list[Tensor]) -> Trail:
    trail = at_key(*GRID)
    for before, frame in pairwise(film):
        link = trusted_link(before, frame, *GRID, "normal")
        trail = follow(trail, link.flow_bw, link.occlusion_bw)
    return trail


def test_the_keys_own_frame_gets_its_paint(key: Key) -> None:
    paint, belief = fetch(key, at_key(*GRID), key.frame)
    assert torch.allclose(paint, key.painting, atol=1e-4)
    assert torch.allclose(belief, torch.ones(()), atol=1e-3)


@pytest.mark.parametrize("count", [2, 4, 6])
def test_paint_follows_what_it_was_put_on(film: list[Tensor], key: Key, count: int) -> None:
    paint, belief = fetch(key, followed(film[:count]), film[count - 1])
    gone = STEP * (count - 1)
    inner, expected = paint[:, 8:-8, 8 : -gone - 8], key.painting[:, 8:-8, gone + 8 : -8]
    assert float(belief[:, 8:-8, 8 : -gone - 12].mean()) > 0.8
    assert float((inner - expected).abs().mean()) < 0.25 * float(
        (inner - key.painting[:, 8:-8, 8 : -gone - 8]).abs().mean()
    )


def test_what_comes_into_the_picture_is_not_believed(film: list[Tensor], key: Key) -> None:
    _, belief = fetch(key, followed(film), film[-1])
    assert float(belief[:, :, -STEP * 5 + 7 :].mean()) < 0.3


def test_paint_is_not_believed_where_the_film_shows_something_else(film: list[Tensor], key: Key) -> None:
    changed = film[2].clone()
    changed[:, 16:48, 24:56] = 1 - changed[:, 16:48, 24:56]
    trail = followed(film[:3])  # which knows nothing of it
    _, before = fetch(key, trail, film[2])
    _, after = fetch(key, trail, changed)
    assert float(before[:, 22:42, 30:50].mean()) > 0.8
    assert float(after[:, 22:42, 30:50].max()) < 0.05
    assert torch.equal(after[:, :, 72:], before[:, :, 72:])


def test_trust_lost_on_the_way_is_lost(film: list[Tensor], key: Key) -> None:
    doubt = torch.zeros(1, 1, *GRID)
    doubt[..., 8:24, 12:36] = 1
    still = torch.zeros(1, 2, *GRID)
    trail = follow(follow(at_key(*GRID), still, doubt), still, torch.zeros_like(doubt))
    _, belief = fetch(key, trail, key.frame)
    assert float(belief[:, 26:38, 34:62].max()) == 0
    assert float(belief[:, :, -10:].min()) > 0.99


def test_a_trail_that_tears_is_not_believed() -> None:
    grey = torch.full((3, HEIGHT, WIDTH), 0.5)
    flow = torch.zeros(1, 2, *GRID)
    flow[:, 0, :, WIDTH // 4 :] = 12
    _, belief = fetch(Key(0, grey, grey), Trail(flow, torch.ones(1, 1, *GRID)), grey)
    assert float(belief[:, :, WIDTH // 2 - 2 : WIDTH // 2 + 2].max()) < 0.1
    assert float(belief[:, :, :20].min()) > 0.9


def test_the_nearer_key_takes_nearly_all_and_the_other_where_it_is_not_believed() -> None:
    black, white = torch.zeros(3, 8, 8), torch.ones(3, 8, 8)
    sure, half = torch.ones(1, 8, 8), torch.ones(1, 8, 8)
    half[..., 4:] = 0
    picture, belief = merged([(black, half, 0.9), (white, sure, 0.4)])
    assert float(picture[..., :4].max()) < 0.1
    assert float(picture[..., 4:].min()) > 0.99
    assert float(belief.min()) > 0.99
    _, lost = merged([(black, 0 * sure, 0.9), (white, 0 * sure, 0.4)])
    assert float(lost.max()) == 0
