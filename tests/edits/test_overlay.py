"""Half-transparent marks on small films whose background is known."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.overlay import estimate_overlay, lifted

HEIGHT, WIDTH, COUNT = 64, 96, 24


def textures(height: int, width: int, seed: int) -> Tensor:
    """Blobs of several sizes."""
    generator = torch.Generator().manual_seed(seed)
    out = torch.zeros(1, 3, height, width)
    for size, share in ((16, 0.5), (6, 0.3), (2, 0.2)):
        noise = torch.rand(1, 3, height // size + 2, width // size + 2, generator=generator)
        out += share * F.interpolate(noise, (height, width), mode="bilinear", align_corners=False)
    return ((out - 0.5) * 1.4 + 0.45)[0].clamp(0, 1)


def moving(seed: int = 0) -> Tensor:
    wide = textures(HEIGHT, WIDTH + 8 * COUNT, seed)
    return torch.stack([wide[:, :, 7 * i : 7 * i + WIDTH] for i in range(COUNT)])


def still() -> Tensor:
    noise = torch.randn(COUNT, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)) / 255
    return textures(HEIGHT, WIDTH, 3) + noise


def letters(softness: int = 1) -> Tensor:
    """Two letters, ``(1, H, W)`` in [0, 1], with an outline as soft as asked."""
    mark = torch.zeros(1, HEIGHT, WIDTH)
    mark[:, 20:44, 30:35] = mark[:, 38:44, 30:46] = 1
    mark[:, 20:44, 52:70] = 1
    mark[:, 26:38, 58:64] = 0
    for _ in range(softness):
        mark = F.avg_pool2d(mark, 3, 1, 1)
    return mark


def around(mark: Tensor) -> Tensor:
    return (F.max_pool2d(mark, 5, 1, 2) > 0).float()


def boxed() -> Tensor:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 14:50, 24:76] = 1
    return mask


def eight_bit(frames: Tensor) -> Tensor:
    return (frames.clamp(0, 1) * 255).round() / 255


def blended(frames: Tensor, alpha: Tensor, colour: tuple[float, float, float]) -> Tensor:
    return eight_bit((1 - alpha) * frames + alpha * torch.tensor(colour).view(3, 1, 1))


def error(a: Tensor, b: Tensor, where: Tensor) -> float:
    """Root mean square, of 255."""
    return 255 * float((a - b)[(where > 0).expand_as(a)].square().mean().sqrt())


WHITE = (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("opacity", "softness", "colour", "tight"),
    [
        (0.3, 1, WHITE, True),
        (0.7, 1, WHITE, True),
        (0.5, 1, WHITE, False),
        (0.5, 4, WHITE, True),
        (0.5, 1, (0.9, 0.2, 0.1), True),
        (0.5, 1, (0.05, 0.05, 0.05), True),
    ],
)
def test_what_is_seen_through_a_mark_comes_back(
    opacity: float, softness: int, colour: tuple[float, float, float], tight: bool
) -> None:
    truth, alpha = moving(), letters(softness) * opacity
    frames, mask = blended(truth, alpha, colour), around(alpha) if tight else boxed()
    overlay = estimate_overlay(frames, mask)
    assert overlay is not None
    under = alpha[overlay.where > 0]
    box = overlay.window
    assert (overlay.alpha - box.of(alpha)).abs().mean() < 0.2 * under.mean()
    pixels, left = frames.clone(), mask * (1 - overlay.where)
    for out, frame in zip(pixels, frames, strict=True):
        box.of(out)[:] = lifted(box.of(frame), overlay)
    assert left.sum() < 0.6 * mask.sum()
    where = (alpha > 0.05) & (left == 0)
    assert error(pixels, truth, where) < 0.25 * error(frames, truth, where)
    assert error(pixels, truth, where) < 12
    assert torch.equal(
        pixels[(overlay.where == 0).expand_as(pixels)], frames[(overlay.where == 0).expand_as(pixels)]
    )


def test_more_channels_and_a_lazy_stream_are_the_same() -> None:
    frames, mask = blended(moving(), letters() * 0.5, WHITE), around(letters())
    a = estimate_overlay(frames, mask)
    b = estimate_overlay((torch.cat([f, torch.ones(1, HEIGHT, WIDTH)]) for f in frames), mask)
    assert a is not None
    assert b is not None
    assert torch.equal(a.alpha, b.alpha)
    assert torch.equal(a.colour, b.colour)


@pytest.mark.parametrize("mask", [around(letters()), boxed()], ids=["tight", "box"])
@pytest.mark.parametrize("background", [moving(5), still()], ids=["moving", "still"])
def test_a_picture_without_a_mark_is_no_overlay(background: Tensor, mask: Tensor) -> None:
    assert estimate_overlay(eight_bit(background), mask) is None


@pytest.mark.parametrize(
    ("mask", "colour"), [(around(letters()), WHITE), (boxed(), (0.5, 0.5, 0.5)), (boxed(), (0.8, 0.1, 0.1))]
)
def test_an_opaque_mark_is_no_overlay(mask: Tensor, colour: tuple[float, float, float]) -> None:
    assert estimate_overlay(blended(moving(), letters(), colour), mask) is None


def test_a_still_background_tells_nothing() -> None:
    assert estimate_overlay(blended(still(), letters() * 0.5, WHITE), around(letters())) is None


def test_a_moving_thing_under_the_mask_is_no_overlay() -> None:
    """It passes in front of a still picture, through a mask as large as its path."""
    frames = still()
    thing = textures(20, 20, 9)
    for i in range(COUNT):
        frames[i, :, 22:42, 10 + 2 * i : 30 + 2 * i] = thing
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 20:44, 8:80] = 1
    assert estimate_overlay(eight_bit(frames), mask) is None


def test_too_few_frames_or_nothing_around_the_mask_tell_nothing() -> None:
    frames, mask = blended(moving(), letters() * 0.5, WHITE), around(letters())
    assert estimate_overlay(frames[:4], mask) is None
    assert estimate_overlay(frames, torch.ones_like(mask)) is None
    assert estimate_overlay(frames, torch.zeros_like(mask)) is None
