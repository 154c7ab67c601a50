"""Filling behind a mask, against surfaces and motions that are known there."""

import torch
from torch import Tensor

from vedit.flow.complete import harmonic

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
