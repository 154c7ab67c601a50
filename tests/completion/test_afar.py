"""What stands in front of a still scene for a long time, and then goes, or has come before."""

import torch
from torch import Tensor

from vedit.clip import Clip
from vedit.edits import Inpaint

STAYS, GOES = 34, 16


def _scene() -> Tensor:
    """``(3,64,96)``: a texture that no filling could guess."""
    coarse = torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(3))
    return torch.nn.functional.interpolate(coarse, size=(64, 96), mode="bicubic")[0].clamp(0, 1)


def _filled(film: Tensor, *, backwards: bool = False) -> Tensor:
    """The first frame, without what covers it until it goes off to the right; it is the last of the film backwards."""
    mask = torch.zeros(STAYS + GOES, 1, 64, 96)
    for i in range(STAYS + GOES):
        left = 36 + max(0, i - STAYS) * 8
        mask[i, :, 20:44, left : left + 24] = 1
    covered = film * (1 - mask)
    if backwards:
        covered, mask = covered.flip(0), mask.flip(0)
    made = Inpaint(mask=mask).apply(Clip.at_rate(covered, 25))
    return made.frames[-1 if backwards else 0, :, 20:44, 36:60]


def _psnr(made: Tensor, true: Tensor) -> float:
    return float(-10 * (made - true[:, 20:44, 36:60]).square().mean().log10())


def test_what_shows_seconds_later_is_taken_from_there() -> None:
    scene = _scene()
    assert _psnr(_filled(scene.expand(STAYS + GOES, -1, -1, -1)), scene) > 30


def test_what_showed_seconds_before_is_taken_from_there() -> None:
    scene = _scene()
    assert _psnr(_filled(scene.expand(STAYS + GOES, -1, -1, -1), backwards=True), scene) > 30


def test_a_scene_that_has_changed_since_tells_nothing() -> None:
    scene = _scene()
    film = scene.repeat(STAYS + GOES, 1, 1, 1)
    film[STAYS // 2 :] = scene.flip(-1, -2)  # before
    assert _psnr(_filled(film, backwards=True), scene) < 20


def test_a_scene_that_has_changed_by_then_tells_nothing() -> None:
    scene = _scene()
    film = scene.repeat(STAYS + GOES, 1, 1, 1)
    film[STAYS // 2 :] = scene.flip(-1, -2)
    assert _psnr(_filled(film), scene.flip(-1, -2)) < 20


def test_what_passes_by_when_it_has_gone_is_no_part_of_the_scene() -> None:
    scene = 0.3 + 0.7 * _scene()
    film = scene.repeat(STAYS + GOES, 1, 1, 1)
    for i in range(STAYS, STAYS + GOES):
        left = 36 + 2 * max(0, i - 40)
        film[i, :, 20:44, left : left + 10] = 0
    assert float((_filled(film) < 0.15).float().mean()) < 0.05


def test_a_scene_that_has_become_brighter_is_taken_as_bright_as_it_was() -> None:
    scene = _scene() * 0.7
    film = scene * torch.linspace(1, 1.2, STAYS + GOES).view(-1, 1, 1, 1)
    assert _psnr(_filled(film), scene) > 26
