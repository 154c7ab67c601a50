"""Filling holes in small films whose hidden pixels are known."""

from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.edits.inpaint import Inpaint
from vedit.errors import InputError, UsageError
from vedit.frame import Frame, Notes, Shot, Timing

HEIGHT, WIDTH = 64, 96


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    """Blobs of a few pixels: enough to be matched, smooth enough to be moved by parts of a pixel."""
    noise = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    return F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)


def pan(count: int, step: int = 3) -> Tensor:
    wide = texture(HEIGHT, WIDTH + 128)
    return torch.stack([wide[:, :, i * step : i * step + WIDTH] for i in range(count)])


def box(top: int, bottom: int, left: int, right: int) -> Tensor:
    mask = torch.zeros(1, 1, HEIGHT, WIDTH)
    mask[..., top:bottom, left:right] = 1
    return mask


def a_shot() -> Shot:
    timing = Timing(Fraction(1, 25), Fraction(25), 0, 1000)
    return Shot(0, timing, HEIGHT, WIDTH, "cpu", Notes())


def stream(edit: Inpaint, frames: Tensor, shot: Shot) -> list[Frame]:
    return list(edit.stream((Frame(i, 1, f, index=i) for i, f in enumerate(frames)), shot))


def mse(a: Tensor, b: Tensor, where: Tensor) -> float:
    where = where.expand_as(a) > 0
    return float((a - b)[where].square().mean())


def test_what_other_frames_show_comes_back() -> None:
    truth, mask = pan(12), box(24, 40, 40, 52)
    broken = torch.where(mask > 0, torch.tensor(0.0), truth)
    shot = a_shot()
    filled = torch.stack([f.pixels for f in stream(Inpaint(mask, quality="draft"), broken, shot)])
    assert mse(filled[3:9], truth[3:9], mask) < 0.15 * mse(broken[3:9], truth[3:9], mask)
    assert mse(filled[3:9], truth[3:9], mask) < 0.002
    assert shot.notes.hole_pixels == 12 * 16 * 12
    assert shot.notes.recovered_pixels > 0.7 * shot.notes.hole_pixels


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_pixels_outside_the_mask_are_bit_equal(quality: str) -> None:
    frames, mask = pan(6), box(10, 40, 20, 50)
    clip = Clip.at_rate(frames, 25)
    filled = Inpaint(mask, quality=quality).apply(clip)  # type: ignore[arg-type]
    outside = (mask == 0).expand_as(frames)
    assert torch.equal(filled.frames[outside], frames[outside])
    assert not torch.equal(filled.frames, frames)
    assert filled.pts == clip.pts
    assert filled.frames.min() >= 0
    assert filled.frames.max() <= 1


def test_what_no_frame_shows_is_synthesised_and_counted() -> None:
    frames = texture(HEIGHT, WIDTH).expand(5, -1, -1, -1).contiguous()
    mask = box(20, 44, 30, 60)
    shot = a_shot()
    filled = torch.stack([f.pixels for f in stream(Inpaint(mask), torch.where(mask > 0, 0.0, frames), shot)])
    assert shot.notes.recovered_pixels == 0
    assert mse(filled, frames, mask) < 0.5 * mse(torch.zeros_like(frames), frames, mask)
    again = torch.stack([f.pixels for f in stream(Inpaint(mask), torch.where(mask > 0, 0.0, frames), shot)])
    other = torch.stack(
        [f.pixels for f in stream(Inpaint(mask, seed=1), torch.where(mask > 0, 0.0, frames), shot)]
    )
    assert torch.equal(filled, again)
    assert not torch.equal(filled, other)


def test_what_was_under_the_mask_leaves_no_trace() -> None:
    frames, mask = pan(6), box(20, 40, 30, 50)
    results = []
    for paint in (0.0, 1.0):
        clip = Clip.at_rate(torch.where(mask > 0, torch.tensor(paint), frames), 25)
        results.append(Inpaint(mask, quality="draft").apply(clip).frames)
    assert torch.equal(*results)


def test_frames_with_an_empty_mask_are_handed_on_as_they_are() -> None:
    frames = pan(6)
    masks = box(20, 40, 30, 50).repeat(6, 1, 1, 1)
    masks[2:] = 0
    given = [Frame(i, 1, f, index=i) for i, f in enumerate(frames)]
    got = list(Inpaint(masks, quality="draft").stream(iter(given), a_shot()))
    assert [f.index for f in got] == list(range(6))
    assert got[2:] == given[2:]
    assert got[0] is not given[0]


def test_alpha_is_kept() -> None:
    alpha = torch.rand(4, 1, HEIGHT, WIDTH)
    clip = Clip.at_rate(torch.cat([pan(4), alpha], 1), 25)
    filled = Inpaint("box:20,20,16,16", quality="draft").apply(clip)
    assert torch.equal(filled.frames[:, 3:], alpha)


def test_only_a_window_of_frames_is_read_ahead() -> None:
    read = 0

    def frames() -> object:
        nonlocal read
        for i in range(10_000):
            read += 1
            yield Frame(i, 1, torch.zeros(3, HEIGHT, WIDTH), index=i)

    edited = Inpaint("box:20,20,16,16", quality="draft").stream(frames(), a_shot())  # type: ignore[arg-type]
    for _ in range(3):
        next(edited)
    assert read < 20


def test_settings_that_cannot_work_are_said_at_once() -> None:
    with pytest.raises(UsageError, match="quality 'good' is unknown"):
        Inpaint("box:1,1,5,5", quality="good")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="does not exist"):
        Inpaint("nowhere/mask.png")
    with pytest.raises(UsageError, match="not a box"):
        Inpaint("box:1,1")
