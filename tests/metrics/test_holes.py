"""Measures of filled holes on pictures whose errors are known."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics import flat_ssim, hole_flicker, hole_psnr, outside_difference, seam_error

TRUTH = torch.full((3, 3, 16, 24), 0.5)


def right_of(column: int) -> Tensor:
    """Masks of everything from a column on."""
    masks = torch.zeros(3, 1, 16, 24)
    masks[..., column:] = 1
    return masks


def test_psnr_of_holes_is_that_of_their_pixels_alone() -> None:
    for column in (4, 20):
        masks = right_of(column)
        filled = TRUTH + 0.1 * masks + 0.4 * (1 - masks)
        assert float(hole_psnr(filled, TRUTH, masks)) == pytest.approx(20, abs=1e-3), "an error of 0.1"
    one_frame = right_of(4)
    one_frame[1:] = 0
    masks = right_of(4)
    assert float(hole_psnr(TRUTH + 0.1 * one_frame, TRUTH, masks)) == pytest.approx(
        20 + 10 * np.log10(3), abs=1e-3
    )
    assert float(hole_psnr(TRUTH, TRUTH, masks)) == 50


@pytest.mark.parametrize("flip", [False, True])
def test_a_seam_is_a_step_on_the_rim(flip: bool) -> None:
    masks = right_of(8)
    step, ramp = 0.1 * masks, masks * torch.arange(24).sub(7).clamp(0, 5) * 0.02
    if flip:
        masks, step, ramp = masks.flip(-1), step.flip(-1), ramp.flip(-1)
    # The step is half in the gradient of the pixel before it and half in that after; of three columns.
    assert float(seam_error(TRUTH + step, TRUTH, masks)) == pytest.approx(25.5 / 3, abs=1e-3)
    # As wrong further in, but by 0.02 a pixel from the rim on.
    assert float(seam_error(TRUTH + ramp, TRUTH, masks)) == pytest.approx(5.1 * 2.5 / 3, abs=1e-3)
    inner = step.clone()
    inner[..., 4:12, slice(2, 6) if flip else slice(18, 22)] += 0.4
    assert float(seam_error(TRUTH + inner, TRUTH, masks)) == pytest.approx(25.5 / 3, abs=1e-3), (
        "far from the rim"
    )


def test_flicker_is_a_change_that_the_truth_does_not_make() -> None:
    masks = right_of(8)
    moving = TRUTH + torch.tensor([0.0, 0.1, 0.3]).view(3, 1, 1, 1)
    assert float(hole_flicker(moving + 0.2 * masks, moving, masks)) == pytest.approx(0, abs=1e-4)
    blinking = torch.tensor([0.0, 0.1, 0.0]).view(3, 1, 1, 1)
    assert float(hole_flicker(moving + blinking * masks, moving, masks)) == pytest.approx(25.5, abs=1e-3)
    assert float(hole_flicker(moving + blinking * (1 - masks), moving, masks)) == pytest.approx(0, abs=1e-4)
    first = right_of(8)
    first[1:] = 0
    with pytest.raises(UsageError, match="no hole"):
        hole_flicker(moving, moving, first)


def test_what_is_outside_the_holes_is_compared_pixel_by_pixel() -> None:
    masks = right_of(8)
    assert float(outside_difference(TRUTH + 0.3 * masks, TRUTH, masks)) == 0
    changed = TRUTH.clone()
    changed[2, 1, 3, 7] -= 3 / 255
    assert float(outside_difference(changed, TRUTH, masks)) == pytest.approx(3, abs=1e-4)


def test_flat_ssim_is_that_of_the_papers() -> None:
    dice = torch.Generator().manual_seed(0)
    truth = torch.rand(2, 3, 80, 97, generator=dice)
    worse = (truth + 0.2 * torch.randn(truth.shape, generator=dice)).clamp(0, 1)
    papers = [
        structural_similarity(  # type: ignore[no-untyped-call]
            a.permute(1, 2, 0).numpy(), b.permute(1, 2, 0).numpy(), win_size=65, channel_axis=2, data_range=1
        )
        for a, b in zip(worse, truth, strict=True)
    ]
    assert flat_ssim(worse, truth).tolist() == pytest.approx(papers, abs=1e-5)
    with pytest.raises(UsageError, match="at least 65 pixels"):
        flat_ssim(TRUTH, TRUTH)


def test_masks_have_to_fit_and_to_mark_something() -> None:
    with pytest.raises(UsageError, match="do not fit"):
        hole_psnr(TRUTH, TRUTH, right_of(8)[:1])
    with pytest.raises(UsageError, match="no hole"):
        hole_psnr(TRUTH, TRUTH, right_of(24))
    with pytest.raises(UsageError, match="no rim"):
        seam_error(TRUTH, TRUTH, right_of(0))
