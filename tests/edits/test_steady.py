"""The average along the flow: flicker goes, motion and everything that is not the same surface stay."""

from itertools import pairwise

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.edits.steady import Painted, steady, trusted_link
from vedit.flow.pairs import PairFlow

HEIGHT, WIDTH = 64, 96


def pan(count: int, step: int = 2) -> list[Tensor]:
    photo = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    return [
        photo[:, 30 : 30 + HEIGHT, 150 + step * i : 150 + step * i + WIDTH].contiguous() for i in range(count)
    ]


def linked(frames: list[Tensor]) -> list[PairFlow | None]:
    links = [trusted_link(a, b, HEIGHT // 2, WIDTH // 2, "normal") for a, b in pairwise(frames)]
    return [None, *links]


def noisy(frames: list[Tensor], seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [f * 0.6 + 0.2 + 0.05 * torch.randn(f.shape, generator=generator) for f in frames]


def steadied(pictures: list[Tensor], links: list[PairFlow | None]) -> Tensor:
    return torch.stack(list(steady(Painted(p, link) for p, link in zip(pictures, links, strict=True))))


def still(doubt: float) -> PairFlow:
    nothing = torch.zeros(1, 2, HEIGHT // 2, WIDTH // 2)
    shade = torch.full((1, 1, HEIGHT // 2, WIDTH // 2), doubt)
    return PairFlow(nothing, nothing, shade, shade)


def test_flicker_on_a_still_picture_falls_a_lot() -> None:
    frames = pan(9, step=0)
    pictures = noisy(frames)
    before, after = torch.stack(pictures), steadied(pictures, linked(frames))
    mean = frames[0] * 0.6 + 0.2
    assert float((after - mean)[2:-2].std()) < 0.5 * float((before - mean)[2:-2].std())
    assert float(after.diff(dim=0)[2:-2].std()) < 0.3 * float(before.diff(dim=0)[2:-2].std())


def test_a_moving_texture_keeps_its_detail_and_its_place() -> None:
    frames = pan(7)
    paint = [1 - f for f in frames]
    out, inner = steadied(paint, linked(frames)), (..., slice(8, -8), slice(16, -16))

    def off(pictures: Tensor) -> float:
        return float((pictures - torch.stack(paint))[inner][2:-2].abs().mean())

    blurred = torch.stack([torch.stack(paint[max(0, i - 2) : i + 3]).mean(0) for i in range(7)])
    assert off(out) < 0.25 * off(blurred)
    detail = [float(p[inner].diff(dim=-1).abs().mean()) for p in (out[3], paint[3])]
    assert detail[0] > 0.85 * detail[1]


def test_flicker_falls_on_what_moves_too() -> None:
    frames = pan(7)
    inner = (..., slice(8, -8), slice(16, -16))
    clean = torch.stack([f * 0.6 + 0.2 for f in frames])
    before = torch.stack(noisy(frames))
    after = steadied(list(before), linked(frames))
    assert float((after - clean)[inner][3].std()) < 0.7 * float((before - clean)[inner][3].std())


def test_nothing_crosses_where_the_flow_is_not_believed_or_a_shot_begins() -> None:
    pictures = noisy(pan(5, step=0))
    for link in (still(1.0), None):
        out = steadied(pictures, [None, *[link] * 4])
        assert torch.allclose(out, torch.stack(pictures).clamp(0, 1), atol=1e-6)
    assert not torch.allclose(steadied(pictures, [None, *[still(0.0)] * 4])[2], pictures[2], atol=1e-2)


def test_doubt_is_where_the_frames_differ_and_nowhere_else() -> None:
    before = pan(1)[0]
    after = before.clone()
    after[:, 16:48, 32:64] = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
    link = trusted_link(before, after, HEIGHT // 2, WIDTH // 2, "normal")
    for doubt in (link.occlusion_fw, link.occlusion_bw):
        assert float(doubt[..., 10:22, 18:30].mean()) > 0.8
        assert float(doubt[..., 36:].mean()) < 0.1
    same = trusted_link(before, before.clone(), HEIGHT // 2, WIDTH // 2, "normal")
    assert float(same.occlusion_fw.max()) == 0


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6])
def test_one_picture_comes_out_for_each(count: int) -> None:
    pictures = noisy(pan(count, step=0))
    links = [None, *[still(0.0)] * 5][:count]
    assert len(list(steady(Painted(p, link) for p, link in zip(pictures, links, strict=True)))) == count


def test_only_two_frames_back_are_remembered() -> None:
    frames = pan(8)
    pictures, links = noisy(frames), linked(frames)
    assert torch.equal(steadied(pictures[2:], links[2:])[2:], steadied(pictures, links)[4:])
