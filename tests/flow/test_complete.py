"""Filling behind a mask, against surfaces and motions that are known there."""

import pytest
import torch
from torch import Tensor

from vedit.flow.complete import complete_flow, complete_pair, harmonic
from vedit.flow.pairs import PairFlow

HEIGHT, WIDTH = 90, 131


def grid() -> tuple[Tensor, Tensor]:
    y, x = torch.meshgrid(torch.arange(HEIGHT).float(), torch.arange(WIDTH).float(), indexing="ij")
    return x - 60, y - 40


def hole(top: int, bottom: int, left: int, right: int) -> Tensor:
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., top:bottom, left:right] = 1
    return mask


def test_harmonic_restores_a_harmonic_surface() -> None:
    x, y = grid()
    surface = torch.stack([(x**2 - y**2) / 5000, x * y / 2500])[None]
    mask = hole(20, 70, 30, 100)
    filled = harmonic(surface * (1 - mask) + 7 * mask, mask)
    assert (filled - surface).abs().max() < 0.02 * (surface.max() - surface.min())
    assert torch.equal(filled * (1 - mask), surface * (1 - mask))


def test_harmonic_stays_within_what_is_around_the_hole() -> None:
    picture = torch.rand(2, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    mask = hole(0, 50, 60, WIDTH).expand(2, -1, -1, -1)
    filled = harmonic(picture * (1 - mask), mask)
    assert filled.min() >= 0
    assert filled.max() <= 1
    inner = filled[..., 5:40, 80:120]
    assert inner.std() < 0.1
    assert abs(inner.mean() - 0.5) < 0.1


def test_harmonic_of_nothing_known_is_zero_and_of_no_hole_the_picture() -> None:
    picture = torch.rand(1, 3, 7, 5)
    assert not harmonic(picture, torch.ones(1, 1, 7, 5)).any()
    assert torch.equal(harmonic(picture, torch.zeros(1, 1, 7, 5)), picture)


@pytest.mark.parametrize("zoom", [0.0, 0.03])
def test_motion_is_completed_from_the_motion_most_of_the_collar_shares(zoom: float) -> None:
    x, y = grid()
    motion = torch.stack([3 + zoom * x, -1 + zoom * y])[None]
    mask = hole(25, 65, 40, 100)
    seen = torch.where(mask > 0, torch.tensor(50.0), motion)
    assert (complete_flow(seen, mask) - motion).abs().max() < 0.02
    # A strip of the collar moves on its own; far from it the hole still moves with the rest.
    seen[:, :, 25:65, 100:] += 12
    assert (complete_flow(seen, mask) - motion)[..., 25:65, 40:60].abs().max() < 1.5


def test_a_completed_pair_has_no_false_occlusion_in_the_hole() -> None:
    flow = torch.full((1, 2, HEIGHT, WIDTH), 2.0)
    mask = hole(30, 60, 40, 90)
    dirty_fw, dirty_bw = flow + 20 * mask, -flow + 31 * mask
    occluded = mask.clone()
    pair = complete_pair(PairFlow(dirty_fw, dirty_bw, occluded, occluded), mask, reach=4)
    assert (pair.flow_fw - flow).abs().max() < 1e-3
    assert (pair.flow_bw + flow).abs().max() < 1e-3
    assert not pair.occlusion_fw[..., :-3, :-3].any()
    assert not pair.occlusion_bw[..., 3:, 3:].any()
