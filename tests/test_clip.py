"""Clips of arrays, however their pixels lie in memory."""

from fractions import Fraction

import numpy as np
import pytest
import torch

import vedit


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
