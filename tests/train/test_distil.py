"""Distillation: its steps are those of the film's loop, and a short training moves two steps towards four."""

from pathlib import Path

import cv2
import pytest
import torch
from safetensors.torch import load_file
from skimage.data import astronaut

from vedit.cli.main import main
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.conditioning import Conditioning
from vedit.diffusion.denoise import denoise
from vedit.diffusion.engine import load_engine
from vedit.diffusion.looks import look_row
from vedit.diffusion.noise import first_noise
from vedit.diffusion.prior import Prior
from vedit.latents.bundled import CHANNELS
from vedit.train.batches import Batch
from vedit.train.distil import Course, distillation_loss

CPU = torch.device("cpu")


def course(seed: int, strength: float) -> Course:
    """A photograph on its way to ink."""
    engine = load_engine("bundled", CPU)
    photo = astronaut()[100:164, 150:246].copy()  # type: ignore[no-untyped-call]
    context = engine.codec.encode(torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255)
    height, width = context.shape[-2:]
    noise = first_noise(CHANNELS, height, width, seed, 0)
    cond = Conditioning(
        context, torch.ones_like(context[:, :1]), noise.remainder, torch.tensor([look_row("ink")]), {}
    )
    return Course(Batch(context, noise.noise, cond), engine.scheduler.alphas_cumprod, strength)


@pytest.mark.parametrize("steps", [1, 2, 4])
@pytest.mark.parametrize("strength", [1.0, 0.6])
def test_the_way_is_that_of_the_loop_for_films(steps: int, strength: float) -> None:
    engine = load_engine("bundled", CPU)
    assert isinstance(engine.denoiser, BundledDenoiser)
    way = course(3, strength)
    photo = torch.from_numpy(astronaut()[100:164, 150:246].copy())  # type: ignore[no-untyped-call]
    pixels = photo.permute(2, 0, 1).float() / 255
    prior = Prior(0, pixels, None, None)
    made = next(denoise(iter([prior]), engine, strength=strength, seed=3, look=look_row("ink"), steps=steps))
    with torch.no_grad():
        walked = engine.codec.decode(way.walked(engine.denoiser, steps), 64, 96)[0]
    assert (walked - made).abs().mean() < 0.01  # both are rounded to 8 bits of mantissa here and there


def test_a_pupil_that_knows_the_way_has_little_to_learn() -> None:
    engine = load_engine("bundled", CPU)
    assert isinstance(engine.denoiser, BundledDenoiser)
    torch.manual_seed(0)
    ignorant = BundledDenoiser()
    way = course(1, 1.0)
    with torch.no_grad():
        knows = distillation_loss(engine.denoiser, engine.denoiser, way)
        learns = distillation_loss(ignorant, engine.denoiser, way)
    assert 0 < float(knows) < 0.5 * float(learns)


def test_training_writes_weights_that_paint(tmp_path: Path) -> None:
    footage, pairs, out = tmp_path / "footage", tmp_path / "pairs", tmp_path / "fast.safetensors"
    footage.mkdir()
    photo = astronaut()[:, :, ::-1]  # type: ignore[no-untyped-call]
    cv2.imwrite(str(footage / "0.png"), photo[200:336, 100:260])
    assert main(["train", "pairs", str(footage), "-o", str(pairs)]) == 0
    words = [
        "train",
        "distil",
        str(footage),
        str(pairs),
        "-o",
        str(out),
        "--minutes",
        "0.04",
        "--device",
        "cpu",
    ]
    assert main(words) == 0
    weights = load_file(out)
    BundledDenoiser().load_state_dict(weights)
    assert all(torch.isfinite(w).all() for w in weights.values())
    assert out.with_suffix(".png").is_file()
