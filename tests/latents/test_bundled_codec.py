import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.diffusion.engine import load_engine
from vedit.latents.bundled import COLOURS, DETAIL_STD


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return torch.from_numpy(astronaut()).permute(2, 0, 1)[None, :, :256, :256].float() / 255  # type: ignore[no-untyped-call]


def test_a_photograph_survives_the_latents(photo: Tensor) -> None:
    codec = load_engine("bundled", torch.device("cpu")).codec
    latents = codec.encode(photo)
    assert latents.shape == (1, codec.channels, 64, 64)
    assert psnr(codec.decode(latents, 256, 256), photo) > 33


def test_latents_are_about_normal_so_that_unit_noise_fits_them(photo: Tensor) -> None:
    latents = load_engine("bundled", torch.device("cpu")).codec.encode(photo)
    assert 0.4 < float(latents.std()) < 2.5
    assert abs(float(latents.mean())) < 0.5


def test_imperfect_latents_still_decode_cleanly(photo: Tensor) -> None:
    codec = load_engine("bundled", torch.device("cpu")).codec
    latents = codec.encode(photo)
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    level = torch.tensor([0.05] * COLOURS + [0.15 * DETAIL_STD] * (codec.channels - COLOURS)).view(
        1, -1, 1, 1
    )
    assert psnr(codec.decode(latents + level * noise, 256, 256), photo) > 29


@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 10), (33, 64), (143, 175)])
def test_any_size_comes_back(height: int, width: int) -> None:
    codec = load_engine("bundled", torch.device("cpu")).codec
    frames = torch.full((2, 3, height, width), 0.5)
    out = codec.decode(codec.encode(frames), height, width)
    assert out.shape == frames.shape
    assert float((out - frames).abs().max()) < 0.1
