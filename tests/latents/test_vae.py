"""The VAEs of checkpoints as codecs; random weights, but for one test that wants a published VAE's."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import pytest
import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import Tensor, nn

from vedit.errors import EngineError
from vedit.latents.tiles import tiled
from vedit.latents.vae import VaeCodec
from vedit.torchvision_ops import tolerate_torchvision


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).square().mean().log10())


def kl(*, levels: int = 3, **config: object) -> Any:
    """A small AutoencoderKL with random weights."""
    tolerate_torchvision()
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    make: Any = AutoencoderKL
    vae = make(
        block_out_channels=(8,) * levels,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        latent_channels=4,
        norm_num_groups=2,
        **config,
    )
    return vae.eval().requires_grad_(False)


def tiny() -> Any:
    """A small AutoencoderTiny with random weights."""
    tolerate_torchvision()
    from diffusers import AutoencoderTiny

    torch.manual_seed(0)
    make: Any = AutoencoderTiny
    vae = make(
        encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8), latent_channels=4
    )
    return vae.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def frames() -> Tensor:
    """Five frames 64x48 (rows, columns) of a photograph that moves."""
    photo = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    return torch.stack([photo[:, 100 : 100 + 64, 200 + i : 248 + i] for i in range(5)])


@pytest.mark.parametrize("chunk", [2, 16])
@pytest.mark.parametrize("make", [kl, tiny])
def test_latents_and_frames_are_those_of_the_video_pipeline(make: Any, chunk: int, frames: Tensor) -> None:
    vae = make()
    from diffusers import AnimateDiffVideoToVideoPipeline as Theirs

    theirs: Any = Theirs
    holder = SimpleNamespace(vae=vae)
    drawn = theirs.encode_video(holder, frames * 2 - 1, torch.Generator().manual_seed(7), chunk)
    codec = VaeCodec(vae=vae, chunk=chunk)
    latents = codec.encode(frames, torch.Generator().manual_seed(7))
    torch.testing.assert_close(latents, drawn * vae.config.scaling_factor, rtol=1e-5, atol=1e-5)
    video = theirs.decode_latents(holder, latents.transpose(0, 1)[None], chunk)[0].transpose(0, 1)
    torch.testing.assert_close(
        codec.decode(latents, 64, 48), (video / 2 + 0.5).clamp(0, 1), rtol=1e-5, atol=1e-5
    )


def test_without_a_generator_the_latents_are_the_most_likely_ones(frames: Tensor) -> None:
    vae = kl()
    latents = VaeCodec(vae=vae).encode(frames)
    likely = vae.encode(frames * 2 - 1).latent_dist.mode() * vae.config.scaling_factor
    torch.testing.assert_close(latents, likely, rtol=1e-5, atol=1e-5)


def test_latents_are_shifted_and_scaled_as_the_config_says(frames: Tensor) -> None:
    plain, shifted = (
        VaeCodec(vae=kl(scaling_factor=1.0)),
        VaeCodec(vae=kl(scaling_factor=0.5, shift_factor=0.25)),
    )
    latents = shifted.encode(frames)
    torch.testing.assert_close(latents, (plain.encode(frames) - 0.25) * 0.5)
    torch.testing.assert_close(shifted.decode(latents, 64, 48), plain.decode(latents / 0.5 + 0.25, 64, 48))


@pytest.mark.parametrize("make", [kl, tiny])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (13, 30), (64, 33)])
def test_any_size_comes_back(make: Any, height: int, width: int) -> None:
    codec = VaeCodec(vae=make(), tile=32)
    latents = codec.encode(torch.rand(2, 3, height, width))
    assert latents.shape == (2, codec.channels, -(-height // codec.scale), -(-width // codec.scale))
    out = codec.decode(latents, height, width)
    assert out.shape == (2, 3, height, width)
    assert out.dtype == latents.dtype == torch.float32
    assert 0 <= float(out.min()) <= float(out.max()) <= 1


def test_the_vae_sees_no_more_than_a_chunk_of_tiles() -> None:
    seen: list[tuple[int, ...]] = []
    vae = kl()
    for part in (vae.encoder, vae.decoder):
        part.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    codec = VaeCodec(vae=vae, chunk=2, tile=32)
    codec.decode(codec.encode(torch.rand(5, 3, 70, 100)), 70, 100)
    assert {shape[-2:] for shape in seen} == {(32, 32), (8, 8)}
    assert {shape[0] for shape in seen} == {1, 2}


def test_tiles_of_what_looks_at_each_pixel_alone_have_no_seams() -> None:
    """A map that needs no surroundings gives the same in tiles as whole, to the last edge."""
    pictures = torch.rand(1, 3, 56, 72)

    def smaller(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 4)

    def larger(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=4.0, mode="nearest")

    torch.testing.assert_close(tiled(smaller, pictures, 32, grow=1, shrink=4), smaller(pictures))
    torch.testing.assert_close(tiled(larger, pictures, 32, grow=4, shrink=1), larger(pictures))


def test_float16_vaes_that_must_not_be_are_raised_to_float32(frames: Tensor) -> None:
    vae = kl(force_upcast=True).half()
    codec = VaeCodec(vae=vae)
    assert next(vae.parameters()).dtype == torch.float32
    assert bool(codec.encode(frames).isfinite().all())
    assert next(kl(force_upcast=False).half().parameters()).dtype == torch.float16


def test_frames_on_which_float16_overflows_are_done_again(frames: Tensor) -> None:
    loud = kl(force_upcast=False)
    loud.decoder.conv_in.weight *= 3e5  # the group norm that follows takes it back, in float32
    latents = VaeCodec(vae=loud).encode(frames)
    expected = VaeCodec(vae=loud).decode(latents, 64, 48)
    loud = loud.half()
    assert not bool(loud.decode(latents.half() / loud.config.scaling_factor).sample.isfinite().all())
    out = VaeCodec(vae=loud).decode(latents, 64, 48)
    assert next(loud.parameters()).dtype == torch.float16
    assert psnr(out, expected) > 40


def test_a_module_that_is_no_image_vae_is_refused() -> None:
    with pytest.raises(EngineError, match=r"Linear has no latent_channels.*AutoencoderKL or AutoencoderTiny"):
        VaeCodec(vae=nn.Linear(1, 1))


class Block(nn.Module):
    """Three convolutions added to their input, for taef2."""

    def __init__(self, *, pooled: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            *(m for _ in range(3) for m in (nn.Conv2d(64, 64, 3, padding=1), nn.ReLU()))
        )[:5]
        if pooled:
            self.pool = nn.Sequential(
                nn.Conv2d(64, 256, 1, bias=False),
                nn.GroupNorm(4, 256),
                nn.ReLU(),
                nn.Conv2d(256, 64, 1, bias=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        if hasattr(self, "pool"):
            x = x + self.pool(x)
        return F.relu(self.conv(x) + x)


class Clamp(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(x / 3) * 3


class Taef2(nn.Module):
    """madebyollin's taef2 (MIT) behind the interface of diffusers' VAEs."""

    config = SimpleNamespace(latent_channels=32, block_out_channels=(64,) * 4, scaling_factor=1.0)

    def __init__(self, folder: Path) -> None:
        super().__init__()

        def conv(stride: int = 1) -> nn.Module:
            return nn.Conv2d(64, 64, 3, stride, 1, bias=False)

        def blocks(*, pooled: bool = False) -> list[nn.Module]:
            return [Block(pooled=pooled) for _ in range(3)]

        def up() -> list[nn.Module]:
            return [nn.Upsample(scale_factor=2), conv()]

        self.encoder = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1), Block(),
            conv(2), *blocks(), conv(2), *blocks(), conv(2), *blocks(pooled=True),
            nn.Conv2d(64, 32, 3, padding=1),
        )  # fmt: skip
        self.decoder = nn.Sequential(
            Clamp(), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), *blocks(pooled=True),
            *up(), *blocks(), *up(), *blocks(), *up(), Block(),
            nn.Conv2d(64, 3, 3, padding=1),
        )  # fmt: skip
        for name, net in (("encoder", self.encoder), ("decoder", self.decoder)):
            net.load_state_dict(torch.load(folder / f"taef2_{name}.pth", weights_only=True))

    def encode(self, frames: Tensor) -> SimpleNamespace:
        return SimpleNamespace(latents=self.encoder(frames / 2 + 0.5))

    def decode(self, latents: Tensor) -> SimpleNamespace:
        return SimpleNamespace(sample=self.decoder(latents) * 2 - 1)


DATA = Path(os.environ.get("VEDIT_DATA", "nowhere"))


@pytest.mark.skipif(
    not (DATA / "weights" / "taef2_encoder.pth").is_file(),
    reason="set VEDIT_DATA to a folder with madebyollin's taef2_encoder.pth and taef2_decoder.pth in weights/ "
    "and films in clips/",
)
@pytest.mark.parametrize("name", ["TokenFlow_wolf.mp4", "VidToMe_dog.mp4", "sam2_bedroom.mp4"])
def test_real_frames_survive_a_published_vae(name: str) -> None:
    with av.open(DATA / "clips" / name) as film:
        first = next(film.decode(video=0)).to_ndarray(format="rgb24")
    frame = torch.from_numpy(first).permute(2, 0, 1)[None].float() / 255
    frame = F.interpolate(frame, size=(250, 331), mode="area")
    codec = VaeCodec(vae=Taef2(DATA / "weights").eval())
    latents = codec.encode(frame)
    assert latents.shape == (1, 32, 32, 42)
    assert 0.4 < float(latents.std()) < 2.5
    assert psnr(codec.decode(latents, 250, 331), frame) > 32
