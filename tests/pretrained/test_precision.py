"""What a checkpoint's weights are kept in: floating types, and 8 bits where torchao is installed."""

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tiny_whole
import torch
from loading import CPU, load, noise
from torch import Tensor, nn

from vedit.clip import Clip
from vedit.diffusion.memory import Offload
from vedit.diffusion.speed import prepare
from vedit.edits import Restyle
from vedit.errors import EngineError, UsageError
from vedit.pretrained.checkpoint import PRECISIONS
from vedit.pretrained.load import Loaded
from vedit.pretrained.precision import FLOATS, INT8, check_precision, computing_dtype, stored_bytes
from vedit.pretrained.spec import read_engine

Make = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("no_hub")
with_torchao = pytest.mark.skipif(importlib.util.find_spec("torchao") is None, reason="torchao is not here")


def narrowed(model: nn.Module) -> Iterator[str]:
    """The names of layers that are kept in 8 bits."""
    for name, layer in model.named_modules():
        if type(getattr(layer, "weight", None)).__name__ == "Int8Tensor":
            yield name


def likeness(made: Tensor, truth: Tensor) -> float:
    """Signal over error in dB."""
    return float(10 * (truth.float().var() / (made.float() - truth.float()).var()).log10())


def test_an_engine_names_its_weights(made: Make) -> None:
    model = made("sd15")
    checkpoint = read_engine(f"{model} + weights=int8 + speed=cache")
    assert checkpoint is not None
    assert (checkpoint.weights, checkpoint.speed) == ("int8", ("cache",))
    plain = read_engine(str(model))
    assert plain is not None
    assert plain.weights is None
    with pytest.raises(UsageError, match="no weights 'int4'") as refused:
        read_engine(f"{model} + weights=int4")
    assert all(name in refused.value.remedy for name in PRECISIONS)
    with pytest.raises(UsageError, match="names weights twice"):
        read_engine(f"{model} + weights=int8 + weights=bf16")
    assert set(PRECISIONS) == {*FLOATS, INT8}


def test_the_type_that_weights_are_computed_in() -> None:
    assert computing_dtype("fp32", CPU) == torch.float32
    assert computing_dtype("bf16", CPU) == torch.bfloat16
    assert computing_dtype("fp16", torch.device("cuda")) == torch.float16
    assert computing_dtype("int8", CPU) == computing_dtype(None, CPU)
    with pytest.raises(UsageError, match="fp16") as refused:
        computing_dtype("fp16", CPU)
    assert "bf16" in refused.value.remedy


def test_int8_where_it_cannot_be(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="not for mps"):
        check_precision("int8", torch.device("mps"))
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchao" else found(name))
    with pytest.raises(EngineError, match="torchao") as refused:
        load(made("sd15"), weights="int8")
    assert "vedit-diffusion[int8]" in refused.value.remedy


@with_torchao
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", ["sd15", "sdxl"])
def test_linear_layers_are_kept_in_8_bits(made: Make, name: str, dtype: torch.dtype) -> None:
    plain, small = load(made(name), dtype), load(made(name), dtype, weights="int8")
    layers = set(narrowed(small.pipe.unet))
    assert layers == {n for n, layer in plain.pipe.unet.named_modules() if isinstance(layer, nn.Linear)}
    assert list(narrowed(small.pipe.text_encoder))
    assert not list(narrowed(small.pipe.vae))
    assert small.pipe.unet.dtype == dtype
    assert stored_bytes(small.pipe.unet) < stored_bytes(plain.pipe.unet)
    made_of, truth = noise(small), noise(plain)
    assert made_of.dtype == dtype
    assert likeness(made_of, truth) > 30
    assert not torch.equal(made_of, truth)
    assert any("8 bits" in note for note in small.notes)


@with_torchao
def test_a_transformer_is_half_as_large(tmp_path: Path) -> None:
    model = tiny_whole.wan_vace(tmp_path / "wan")
    plain, small = (load(model, torch.bfloat16, weights=weights) for weights in (None, "int8"))
    linear = sum(
        layer.weight.numel() for layer in plain.pipe.transformer.modules() if isinstance(layer, nn.Linear)
    )
    saved = stored_bytes(plain.pipe.transformer) - stored_bytes(small.pipe.transformer)
    assert 0.8 * linear < saved < linear  # a byte of two, less a scale for every channel
    assert list(narrowed(small.pipe.text_encoder))


@with_torchao
def test_all_that_is_laid_over_a_model(made: Make) -> None:
    """The pictures are those of whole weights, near enough: each adapter still says what it has to say."""
    given: list[dict[str, Any]] = [
        {"lora": (f"{made('lora')}=0.5",)},
        {"ip_adapter": str(made("ip_adapter"))},
        {"motion": str(made("motion_adapter"))},
        {"motion": str(made("motion_adapter")), "lora": (str(made("lora")),)},
    ]
    bare = noise(load(made("sd15")))
    for settings in given:
        plain, small = (noise(load(made("sd15"), **settings, weights=w)) for w in (None, "int8"))
        assert likeness(small, plain) > 25
        if plain.shape == bare.shape:
            assert likeness(small, plain) > likeness(small, bare) + 10


@with_torchao
def test_loras_stay_as_they_are(made: Make) -> None:
    loaded = load(made("sd15"), lora=(str(made("lora")),), weights="int8")
    layers = set(narrowed(loaded.pipe.unet))
    assert any(name.endswith("base_layer") for name in layers)
    assert not any("lora_" in name for name in layers)
    loaded.pipe.set_adapters(["lora_0"], [0.0])
    off = noise(loaded)
    assert likeness(off, noise(load(made("sd15"), weights="int8"))) > 40


@with_torchao
def test_controlnets_too(made: Make) -> None:
    loaded = load(made("sd15"), controlnet=(f"canny={made('controlnet')}",), weights="int8")
    assert list(narrowed(loaded.controlnets["canny"]))


@with_torchao
@pytest.mark.parametrize("offload", ["model", "group", "none"])
def test_models_that_wait_elsewhere(made: Make, offload: Offload) -> None:
    loaded: Loaded = load(made("sd15"), weights="int8")
    before = noise(loaded)
    prepare(loaded.pipe, CPU, offload=offload)
    assert torch.equal(noise(loaded), before)
    prepare(loaded.pipe, CPU)
    assert torch.equal(noise(loaded), before)
    assert list(narrowed(loaded.pipe.unet))


@with_torchao
def test_torchao_is_not_heard() -> None:
    """It tells of CUDA libraries that do not load, wherever diffusers is imported."""
    code = """
from vedit.torchvision_ops import tolerate_torchvision
tolerate_torchvision()
from diffusers import StableDiffusionImg2ImgPipeline
from torchao.quantization import quantize_
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stderr == run.stdout == ""


@pytest.mark.parametrize("weights", ["fp32", "bf16", pytest.param("int8", marks=with_torchao)])
def test_a_clip_is_painted_in_each(made: Make, weights: str) -> None:
    dice = torch.Generator().manual_seed(3)
    clip = Clip.at_rate(torch.rand(4, 3, 64, 64, generator=dice), 25)

    def painted(more: str) -> Tensor:
        engine = f"{made('sd15')} + motion=none{more}"
        return Restyle(prompt="a fox", engine=engine, steps=2, consistency="none").apply(clip).frames

    plain, ours = painted(" + weights=fp32"), painted(f" + weights={weights}")
    assert likeness(ours, plain) > 10
    assert torch.equal(ours, plain) == (weights == "fp32")
