"""Filling holes in small films whose hidden pixels are known."""

from collections.abc import Iterator
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.completion.afar import LONGEST
from vedit.edits.inpaint import Inpaint
from vedit.errors import EngineError, InputError, UsageError
from vedit.flow.estimate import Quality
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.masks import dilated

HEIGHT, WIDTH = 64, 96


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    """Blobs of a few pixels: enough to be matched, smooth enough to be moved by parts of a pixel."""
    noise = torch.rand(1, 3, height // 4 + 1, width // 4, generator=torch.Generator().manual_seed(seed))
    blobs = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    return (blobs * 255).round() / 255


def pan(count: int, step: int = 3, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    wide = texture(height, width + 128)
    return torch.stack([wide[:, :, i * step : i * step + width] for i in range(count)])


def box(top: int, bottom: int, left: int, right: int, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., top:bottom, left:right] = 1
    return mask


def a_shot(height: int = HEIGHT, width: int = WIDTH) -> Shot:
    timing = Timing(Fraction(1, 25), Fraction(25), 0, 1000)
    return Shot(0, timing, height, width, "cpu", Notes())


def stream(edit: Inpaint, frames: Tensor, shot: Shot) -> list[Frame]:
    return list(edit.stream((Frame(i, 1, f, index=i) for i, f in enumerate(frames)), shot))


def filled(edit: Inpaint, frames: Tensor, shot: Shot | None = None) -> Tensor:
    shot = shot or a_shot(*frames.shape[-2:])
    return torch.stack([f.pixels for f in stream(edit, frames, shot)])


def painted(frames: Tensor, mask: Tensor, level: float = 0.0) -> Tensor:
    return torch.where(mask > 0, torch.tensor(level), frames)


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


def test_normal_reads_no_more_ahead_the_longer_it_runs() -> None:
    read = 0

    def frames() -> Iterator[Frame]:
        nonlocal read
        grey = torch.full((3, HEIGHT, WIDTH), 0.5)
        for i in range(10_000):
            read += 1
            yield Frame(i, 1, grey, index=i)

    edited = Inpaint(box(20, 28, 20, 28), quality="normal").stream(frames(), a_shot())
    for _ in range(3):
        next(edited)
    before = read
    assert before < 80
    for _ in range(10):
        next(edited)
    assert read <= before + 10 + 8  # another thread keeps some ready: it may not have caught up by then
    read = 0
    masks = torch.cat([box(20, 28, 20 + i % 2, 28) for i in range(400)])
    next(Inpaint(masks, quality="normal").stream(frames(), a_shot()))
    assert read < 24 + LONGEST + 8  # what it hides may show later; a few for the other thread


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_a_moving_thing_is_taken_off_a_still_scene(quality: Quality) -> None:
    truth = pan(10, step=0)
    masks = torch.cat([box(20, 40, 4 + 6 * i, 18 + 6 * i) for i in range(10)])
    shot = a_shot()
    out = filled(Inpaint(masks, quality=quality), painted(truth, masks, 1.0), shot)
    assert mse(out, truth, masks) < 0.002
    assert shot.notes.recovered_pixels > 0.9 * shot.notes.hole_pixels == 0.9 * masks.sum()


def test_a_mask_that_comes_and_goes() -> None:
    truth = pan(12)
    masks = box(24, 40, 40, 52).repeat(12, 1, 1, 1)
    masks[:4] = masks[9:] = 0
    broken = painted(truth, masks)
    out = filled(Inpaint(masks, quality="draft"), broken)
    assert torch.equal(out[:4], truth[:4])
    assert torch.equal(out[9:], truth[9:])
    assert mse(out, truth, masks) < 0.002


def test_holes_at_the_border_are_filled() -> None:
    truth = pan(10)
    mask = box(0, 12, 0, 14).maximum(box(52, HEIGHT, 80, WIDTH)).maximum(box(0, HEIGHT, 44, 48))
    out = filled(Inpaint(mask, quality="draft"), painted(truth, mask))
    assert torch.equal(out[(mask == 0).expand_as(out)], truth[(mask == 0).expand_as(out)])
    assert mse(out, truth, mask) < 0.3 * mse(torch.full_like(truth, 0.5), truth, mask)
    assert mse(out[3:7], truth[3:7], box(0, HEIGHT, 44, 48)) < 0.004


@pytest.mark.parametrize("quality", ["draft", "best"])
@pytest.mark.parametrize(("height", "width"), [(63, 97), (17, 33), (9, 40), (3, 5), (1, 1)])
def test_odd_and_tiny_pictures(height: int, width: int, quality: Quality) -> None:
    frames = pan(3, 1, height, width)
    mask = box(height // 3, height // 2 + 1, width // 3, width // 2 + 1, height, width)
    for where in (mask, torch.ones_like(mask)):
        out = filled(Inpaint(where, quality=quality), painted(frames, where))
        assert out.shape == frames.shape
        assert bool(torch.isfinite(out).all())
        assert torch.equal(out[(where == 0).expand_as(out)], frames[(where == 0).expand_as(out)])


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("quality", ["draft", "normal", "best"])
def test_short_films(count: int, quality: Quality) -> None:
    truth, mask = pan(count), box(24, 40, 40, 52)
    shot = a_shot()
    out = filled(Inpaint(mask, quality=quality), painted(truth, mask), shot)
    assert mse(out, truth, mask) < 0.5 * mse(painted(truth, mask), truth, mask)
    assert shot.notes.hole_pixels == count * 16 * 12
    if count == 1:
        assert shot.notes.recovered_pixels == 0


def test_a_film_without_frames_stays_empty() -> None:
    assert stream(Inpaint(box(1, 9, 1, 9)), torch.zeros(0, 3, HEIGHT, WIDTH), a_shot()) == []


def test_large_holes_are_looked_at_smaller() -> None:
    truth = pan(2, 16, 841, 843)
    mask = box(0, 8, 0, 8, 841, 843).maximum(box(800, 816, 800, 812, 841, 843))
    out = filled(Inpaint(mask, quality="draft"), painted(truth, mask))
    assert torch.equal(out[(mask == 0).expand_as(out)], truth[(mask == 0).expand_as(out)])
    assert mse(out, truth, mask) < 0.1 * mse(painted(truth, mask), truth, mask)


def test_a_dilated_mask_takes_the_rim_as_well() -> None:
    truth, mask, rim = pan(4), box(24, 40, 40, 52), box(22, 42, 38, 54)
    rim[..., 22:24, 38:40] = rim[..., 22:24, 52:54] = rim[..., 40:42, 38:40] = rim[..., 40:42, 52:54] = 0
    edit = Inpaint(mask, quality="draft", dilate=2)
    dark, light = (filled(edit, painted(truth, rim, level)) for level in (0.0, 1.0))
    assert torch.equal(dark, light)
    beyond = (box(22, 42, 38, 54) == 0).expand_as(truth)
    assert torch.equal(dark[beyond], truth[beyond])


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_a_feather_fades_outside_the_mask_and_leaves_nothing_inside(quality: Quality) -> None:
    """Even of thin slanting strokes."""
    truth, mask = pan(4, step=0), torch.zeros(1, 1, HEIGHT, WIDTH)
    for i in range(24):
        mask[..., 20 + i, 30 + i] = 1
    mask[..., 10, 70] = 1
    edit = Inpaint(mask, quality=quality, feather=3)
    dark, light = (filled(edit, painted(truth, mask, level)) for level in (0.0, 1.0))
    assert torch.equal(dark, light)
    change, near = (dark - truth).abs().amax((0, 1)), mask[0, 0] > 0
    by_distance = []
    for _ in range(5):
        grown = dilated(near[None].float(), 1)[0] > 0
        by_distance.append(float(change[grown & ~near].mean()))
        near = grown
    assert by_distance[0] > by_distance[1] > by_distance[2] > 0
    assert by_distance[3:] == [0, 0]


def a_mark(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Frames with a half-transparent white F on them, and a mask for it."""
    alpha = torch.zeros(1, 1, HEIGHT, WIDTH)
    alpha[..., 16:48, 36:42] = alpha[..., 16:22, 36:60] = alpha[..., 30:36, 36:54] = 0.5
    alpha = F.avg_pool2d(alpha, 3, 1, 1)
    marked = (((1 - alpha) * frames + alpha) * 255).round() / 255
    return marked, (F.max_pool2d(alpha, 5, 1, 2) > 0).float()


def test_a_half_transparent_mark_is_taken_off_and_counted_as_real() -> None:
    truth = pan(50, step=2)
    marked, mask = a_mark(truth)
    alpha = torch.rand(50, 1, HEIGHT, WIDTH)
    shot = a_shot()
    out = filled(Inpaint(mask), torch.cat([marked, alpha], 1), shot)
    assert len(shot.notes.warnings) == 1
    assert "half-transparent mark was taken off" in shot.notes.warnings[0]
    assert torch.equal(out[:, 3:], alpha)
    for part in (slice(0, 4), slice(24, 28), slice(47, 50)):  # to the end, and beyond what was looked at
        assert mse(out[part, :3], truth[part], mask) < 0.02 * mse(marked[part], truth[part], mask)
    outside = (mask == 0).expand_as(truth)
    assert torch.equal(out[:, :3][outside], truth[outside])
    assert shot.notes.hole_pixels == 50 * int(mask.sum())
    assert shot.notes.recovered_pixels > 0.8 * shot.notes.hole_pixels


@pytest.mark.parametrize("why", ["draft", "still", "opaque", "moving"])
def test_no_mark_is_taken_off_where_none_can_be_told(why: str) -> None:
    frames, mask = a_mark(pan(12, step=0 if why == "still" else 2))
    if why == "opaque":
        frames = painted(frames, mask, 1.0)
    if why == "moving":
        mask = torch.cat([torch.roll(mask, i % 2, -1) for i in range(12)])
    shot = a_shot()
    edit = Inpaint(mask, quality="draft" if why == "draft" else "normal")
    next(edit.stream((Frame(i, 1, f, index=i) for i, f in enumerate(frames)), shot))
    assert shot.notes.warnings == []


def test_settings_that_cannot_work_are_said_at_once() -> None:
    with pytest.raises(EngineError, match="no model called 'dream'"):
        Inpaint("box:1,1,5,5", engine="dream")
    for setting in ("dilate", "feather"):
        with pytest.raises(UsageError, match=f"{setting} is -1"):
            Inpaint("box:1,1,5,5", **{setting: -1})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="quality 'good' is unknown"):
        Inpaint("box:1,1,5,5", quality="good")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="does not exist"):
        Inpaint("nowhere/mask.png")
    with pytest.raises(UsageError, match="not a box"):
        Inpaint("box:1,1")
