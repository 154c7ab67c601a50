import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from vedit.errors import UsageError
from vedit.metrics import brightness_bias, mean_error, psnr, ssim


@pytest.fixture(scope="module")
def truth() -> Tensor:
    """Two soft textures, ``(2, 3, 40, 56)``."""
    coarse = torch.rand(2, 3, 10, 14, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.interpolate(coarse, size=(40, 56), mode="bicubic").clamp(0, 1)


@pytest.fixture(scope="module")
def worse(truth: Tensor) -> Tensor:
    """The same with noise, more of it in the second."""
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(1))
    return (truth + noise * torch.tensor([0.02, 0.1]).view(2, 1, 1, 1)).clamp(0, 1)


def test_psnr_is_of_levels_a_frame_at_a_time_and_at_most_50(truth: Tensor) -> None:
    ten = torch.full_like(truth, 10 / 255)
    ten[1] = 0
    assert psnr(ten, torch.zeros_like(truth)).tolist() == pytest.approx([20 * math.log10(25.5), 50])
    assert psnr(truth + 1e-4, truth).tolist() == [50, 50]


def test_both_agree_with_scikit_image(truth: Tensor, worse: Tensor) -> None:
    for i in range(2):
        first, second = (x[i].permute(1, 2, 0).double().numpy() for x in (truth, worse))
        decibels = peak_signal_noise_ratio(first, second, data_range=1)  # type: ignore[no-untyped-call]
        assert float(psnr(worse, truth)[i]) == pytest.approx(decibels, abs=1e-4)
        alike = structural_similarity(  # type: ignore[no-untyped-call]
            first,
            second,
            data_range=1,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        assert float(ssim(worse, truth)[i]) == pytest.approx(alike, abs=1e-4)


def test_the_same_frames_are_alike(truth: Tensor) -> None:
    assert ssim(truth, truth).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert mean_error(truth, truth).tolist() == [0, 0]
    assert brightness_bias(truth, truth, truth).tolist() == [0, 0]


def test_errors_are_in_levels(truth: Tensor) -> None:
    assert mean_error(truth * 0, truth * 0 + 0.2).tolist() == pytest.approx([51, 51])
    half = truth.clone()
    half[:, 1] += 3 / 255
    assert mean_error(half, truth).tolist() == pytest.approx([1, 1], rel=1e-3)


def test_the_bias_is_what_a_frame_is_brighter_than_its_neighbours_by_time(truth: Tensor) -> None:
    fade = [truth * share for share in (1.0, 0.75, 0.0)]
    quarter = brightness_bias(fade[1], fade[0], fade[2], 0.25)
    assert quarter.tolist() == pytest.approx([0, 0], abs=1e-3)
    middle = brightness_bias(fade[1], fade[0], fade[2])
    assert middle.tolist() == pytest.approx((255 * truth.mean((1, 2, 3)) / 4).tolist(), rel=1e-4)
    floored = (truth * 255).floor() / 255  # what a converter that does not round does
    bias = brightness_bias(floored, truth, truth, torch.tensor([0.2, 0.8]))
    assert bias.tolist() == pytest.approx([-0.5, -0.5], abs=0.05)


def test_frames_that_cannot_be_compared_are_refused(truth: Tensor) -> None:
    for measure in (psnr, ssim, mean_error):
        for other in (truth[:1], truth[0], truth[:0]):
            with pytest.raises(UsageError, match="cannot be compared"):
                measure(other, truth)
    with pytest.raises(UsageError, match="cannot be compared"):
        brightness_bias(truth, truth, truth[:1])
    with pytest.raises(UsageError, match="10x40 are too small"):
        ssim(truth[..., :10], truth[..., :10])
