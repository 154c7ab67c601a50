"""Clips of arrays, however their pixels lie in memory."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch

import vedit

CLIP: Any = vedit.Clip
"""As one sees it who has no type checker."""


@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_may_lie_side_by_side_or_in_planes(channels: int) -> None:
    array = np.random.default_rng(0).random((5, 24, 32, channels), np.float32)
    beside = torch.from_numpy(array).permute(0, 3, 1, 2)
    for frames in (beside, beside.contiguous(), beside.flip(-1).flip(-1), beside[..., ::2]):
        clip = vedit.Clip.at_rate(frames, 25)
        assert all(torch.equal(f.pixels, g) for f, g in zip(clip.stream(), frames, strict=True))
        twice = vedit.edits.Interpolate(factor=2, quality="draft").apply(clip)
        assert torch.equal(twice.frames[:9:2], frames)
        assert twice.rate == Fraction(50)
    assert np.array_equal(array, beside.permute(0, 2, 3, 1).numpy())


FRAMES = torch.rand(4, 3, 16, 24)
TICKS = (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: CLIP(FRAMES.numpy(), TICKS, Fraction(1, 25)), "ndarray"),
        (lambda: CLIP(None, TICKS, Fraction(1, 25)), "NoneType"),
        (lambda: CLIP(FRAMES, (0, 1.5, 2, 3), Fraction(1, 25)), "1.5"),
        (lambda: CLIP(FRAMES, "abcd", Fraction(1, 25)), "abcd"),
        (lambda: CLIP(FRAMES, None, Fraction(1, 25)), "None"),
        (lambda: CLIP(FRAMES, TICKS, 0.04), "0.04"),
        (lambda: CLIP(FRAMES, TICKS, "1/25"), "1/25"),
        (lambda: CLIP.at_rate(FRAMES, 0), "0"),
        (lambda: CLIP.at_rate(FRAMES, 29.97), "29.97"),
        (lambda: CLIP.at_rate(FRAMES, "abc"), "abc"),
        (lambda: CLIP.at_rate(5, 25), "int"),
        (lambda: CLIP.at_rate(FRAMES, 25)[::-1], "-1"),
        (lambda: CLIP.at_rate(FRAMES, 25)[0], "[0]"),
        (lambda: CLIP.at_rate(FRAMES, 25)[9:], "shape"),
    ],
)
def test_what_is_no_clip_is_said(make: Callable[[], Any], named: str) -> None:
    with pytest.raises(vedit.errors.UsageError, match=re.escape(named)):
        make()


@pytest.mark.parametrize(
    "edit",
    [
        vedit.edits.Interpolate(factor=2),
        vedit.edits.Repair(),
        vedit.edits.Restyle(look="ink"),
        vedit.edits.Inpaint(mask="box:2,2,8,8"),
    ],
)
@pytest.mark.parametrize(
    ("clip", "named"),
    [
        (FRAMES, "Tensor"),
        (None, "NoneType"),
        (CLIP.at_rate(FRAMES * 255, 25), "values from"),
        (CLIP.at_rate(FRAMES.masked_fill(FRAMES > 0.9, torch.nan), 25), "nan"),
        (CLIP.at_rate(FRAMES.masked_fill(FRAMES > 0.9, torch.inf), 25), "inf"),
    ],
)
def test_what_no_edit_can_work_on_is_said(edit: Any, clip: Any, named: str) -> None:
    with pytest.raises(vedit.errors.UsageError, match=named):
        edit.apply(clip)


def test_ticks_may_be_numbers_of_any_kind_that_counts() -> None:
    clip = CLIP(FRAMES, np.arange(4) * 3, Fraction(1, 75))
    assert clip.pts == (0, 3, 6, 9)
    assert clip.rate == 25


def test_the_last_frame_lasts_as_long_as_the_one_before_and_a_single_one_a_tick() -> None:
    frames = torch.rand(3, 3, 16, 16)
    several, single = (
        vedit.Clip(frames, (0, 2, 5), Fraction(1, 25)),
        vedit.Clip(frames[:1], (7,), Fraction(1, 25)),
    )
    assert [(f.pts, f.duration) for f in several.stream()] == [(0, 2), (2, 3), (5, 3)]
    assert [(f.pts, f.duration) for f in single.stream()] == [(7, 1)]
    assert len(vedit.edits.Interpolate(factor=2).apply(single)) == 2
