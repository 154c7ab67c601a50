"""The picture between two pictures, of all that may be true."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.quality import Quality
from vedit.inbetween.pair import Pair
from vedit.inbetween.picture import Picture

CPU = torch.device("cpu")
QUALITIES: list[Quality] = ["draft", "normal", "best"]


def ground(height: int = 160, width: int = 240, seed: int = 0) -> Tensor:
    """A picture ``(3, H, W)`` with detail of several sizes."""
    noise = torch.Generator().manual_seed(seed)
    octaves = [torch.rand(1, 3, height // s, width // s, generator=noise) for s in (40, 16, 8)]
    spread = [F.interpolate(o, size=(height, width), mode="bicubic") for o in octaves]
    return (0.5 * spread[0] + 0.3 * spread[1] + 0.2 * spread[2]).clamp(0, 1)[0]


def disc(shift: float, height: int = 160, width: int = 240) -> Tensor:
    """Where a disc of 14 pixels lies, ``(1, H, W)``: its middle ``shift`` pixels right of column 80."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    away = ((x - 80 - shift).square() + (y - 80).square()).sqrt()
    return (14.5 - away).clamp(0, 1)[None]


def thing(shift: float) -> Tensor:
    """A disc with a pattern of its own, over the ground."""
    pattern = torch.roll(ground(seed=5).flip(0), round(shift), -1)
    return torch.lerp(ground(), 0.2 + 0.8 * pattern, disc(shift))


def at(frame0: Tensor, frame1: Tensor, t: float, quality: Quality = "normal") -> Tensor:
    return Pair(Picture(frame0, CPU), Picture(frame1, CPU), quality).at(t)


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("t", [0.25, 0.5, 0.75])
def test_a_pan_is_met_where_it_is_at_that_time(quality: Quality, t: float) -> None:
    wide = ground(160, 264)
    frames = [wide[..., 12 - round(8 * s) :][..., :240] for s in (0, t, 1)]
    out = at(frames[0], frames[2], t, quality)
    assert psnr(out, frames[1]) > 33
    assert psnr(out, frames[1]) > psnr((1 - t) * frames[0] + t * frames[2], frames[1]) + 8


@pytest.mark.parametrize("quality", QUALITIES[1:])
def test_a_thing_that_moves_further_than_it_is_wide_is_found_in_the_middle(quality: Quality) -> None:
    """At t it covers ground that neither frame has covered: the flow there is the ground's."""
    truth = thing(18)
    out = at(thing(0), thing(36), 0.5, quality)
    inside = disc(18) > 0.5
    error = (out - truth).abs().mean(0, keepdim=True)[inside].mean()
    missing = (ground() - truth).abs().mean(0, keepdim=True)[inside].mean()
    assert error < 0.8 * missing


def rippled(picture: Tensor, seed: int) -> Tensor:
    """As through moving water: every place is seen some pixels off, otherwise each time."""
    height, width = picture.shape[-2:]
    noise = torch.Generator().manual_seed(seed)
    waves = 4 * torch.randn(1, 2, height // 16, width // 16, generator=noise)
    x_off, y_off = F.interpolate(waves, size=(height, width), mode="bicubic", align_corners=False)[0]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    places = torch.stack([2 * (x + x_off) / (width - 1) - 1, 2 * (y + y_off) / (height - 1) - 1], -1)
    return F.grid_sample(picture[None], places[None], align_corners=True, padding_mode="border")[0]


@pytest.mark.parametrize("quality", QUALITIES)
def test_a_picture_is_as_bright_as_its_neighbours_though_much_of_it_stands_still(quality: Quality) -> None:
    """What moves makes up for all of it; what stands still is left as it is."""

    def framed(inner: Tensor) -> Tensor:
        out = ground(seed=9)
        out[:, 40:120, 60:180] = inner[:, 40:120, 60:180]
        return out

    first, last = (framed(rippled(ground(seed=1), seed)) for seed in (1, 2))
    out = at(first, last, 0.5, quality)
    torch.testing.assert_close(out[:, :38], first[:, :38])
    assert abs(255 * float(out.mean() - (first.mean() + last.mean()) / 2)) < 0.01


def test_best_is_closer_where_no_motion_is_sure() -> None:
    """It also asks what moves beside each place, and takes the mean of all that fits."""
    fine = F.avg_pool2d(torch.rand(1, 3, 160, 240, generator=torch.Generator().manual_seed(2)), 3, 1, 1)[0]
    first, truth, last = (rippled(0.5 * ground() + fine - 0.25, seed) for seed in (1, 2, 3))
    normal, best = (psnr(at(first, last, 0.5, quality), truth) for quality in QUALITIES[1:])
    assert best > normal + 0.12


@pytest.mark.parametrize("quality", QUALITIES)
def test_what_comes_all_at_once_out_of_black_is_not_shown_half_there(quality: Quality) -> None:
    black = torch.zeros(3, 60, 90)
    title = black.clone()
    title[:, 20:40, 30:60] = 1.0
    for t, nearest in ((0.25, black), (0.5, black), (0.75, title)):
        assert torch.equal(at(black, title, t, quality), nearest)
        assert torch.equal(at(title, black, 1 - t, quality), title if t == 0.5 else nearest)


def test_what_fades_in_from_black_is_half_there_in_the_middle() -> None:
    faint = 0.2 * ground()
    for quality in QUALITIES:
        assert psnr(at(torch.zeros_like(faint), faint, 0.5, quality), 0.5 * faint) > 40


@pytest.mark.parametrize("quality", QUALITIES)
def test_what_stands_still_stays_to_the_bit_over_a_ground_that_moves(quality: Quality) -> None:
    wide = ground(160, 264)
    frames = [wide[..., 12 - s :][..., :240].clone() for s in (0, 8)]
    for frame in frames:
        frame[:, 120:132, 60:180] = 1.0
        frame[:, 123:129, 64:176:8] = 0.0
    out = at(frames[0], frames[1], 0.5, quality)
    inner = (slice(None), slice(122, 130), slice(62, 178))
    assert torch.equal(out[inner], frames[0][inner])


def test_new_frames_are_as_bright_as_their_neighbours() -> None:
    frame0, frame1 = thing(0), thing(9)
    mean = (frame0.mean() + frame1.mean()) / 2
    for quality in QUALITIES:
        assert abs(float(at(frame0, frame1, 0.5, quality).mean() - mean)) < 0.1 / 255


def test_a_fade_is_half_done_in_the_middle() -> None:
    wide = ground(160, 264)
    first, truth, last = (
        (0.3 + 0.7 * brightness) * wide[..., 12 - shift :][..., :240]
        for shift, brightness in ((0, 1.0), (4, 0.5), (8, 0.0))
    )
    assert psnr(at(first, last, 0.5), truth) > 30


def test_alpha_moves_with_its_picture() -> None:
    first, truth, last = (torch.cat([thing(s), disc(s)]) for s in (0, 4, 8))
    out = at(first, last, 0.5)
    assert out.shape == (4, 160, 240)
    assert psnr(out[3], truth[3]) > 25


def test_equal_frames_have_themselves_between_them() -> None:
    frame = ground()
    assert torch.equal(at(frame, frame.clone(), 0.3), frame)


@pytest.mark.parametrize("size", [(1, 1), (2, 7), (9, 9), (37, 61), (144, 176)])
def test_any_size_comes_back_in_its_size(size: tuple[int, int]) -> None:
    noise = torch.Generator().manual_seed(1)
    first, last = (torch.rand(3, *size, generator=noise) for _ in range(2))
    for quality in QUALITIES:
        out = at(first, last, 0.5, quality)
        assert out.shape == (3, *size)
        assert torch.isfinite(out).all()


def test_a_large_picture_has_no_seams_and_keeps_its_detail() -> None:
    """Over 1080p the motion is found at half the size; the pixels still come from the full one."""
    wide = ground(1100, 2024)
    fine = torch.rand(3, 1100, 2024, generator=torch.Generator().manual_seed(2))
    wide = 0.7 * wide + 0.3 * F.avg_pool2d(fine[None], 3, 1, 1)[0]
    frames = [wide[..., 12 - s :][..., :2000] for s in (0, 4, 8)]
    out = at(frames[0], frames[2], 0.5)
    inner = (slice(None), slice(16, -16), slice(16, -16))
    assert psnr(out[inner], frames[1][inner]) > 33
