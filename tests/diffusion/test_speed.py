"""What makes pretrained models faster or smaller, on tiny random ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import torch
from torch import Tensor

from vedit.diffusion.feature_cache import Part, cached
from vedit.diffusion.memory import Offload
from vedit.diffusion.speed import prepare
from vedit.errors import EngineError
from vedit.torchvision_ops import tolerate_torchvision

CPU = torch.device("cpu")


def unet(*, moves: bool) -> Any:
    """A U-Net of three levels, with random weights, perhaps with a random motion adapter."""
    tolerate_torchvision()
    from diffusers import MotionAdapter, UNet2DConditionModel, UNetMotionModel

    torch.manual_seed(0)
    plain: Any = UNet2DConditionModel
    model = plain(
        block_out_channels=(8, 16, 16),
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=2,
        cross_attention_dim=8,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    if moves:
        make: Any = MotionAdapter
        adapter = make(
            block_out_channels=(8, 16, 16),
            motion_layers_per_block=2,
            motion_num_attention_heads=2,
            motion_norm_num_groups=4,
        )
        theirs: Any = UNetMotionModel
        model = theirs.from_unet2d(model, adapter)
    return model.eval().requires_grad_(False)


def given(*, moves: bool, height: int = 12, seed: int = 0) -> dict[str, Any]:
    """What the U-Net is called with: five frames."""
    dice = torch.Generator().manual_seed(seed)
    sample = torch.randn(5, 4, height, 20, generator=dice)
    text = torch.randn(5, 3, 8, generator=dice)
    if moves:
        sample = sample.transpose(0, 1)[None]
    return {"sample": sample, "timestep": torch.tensor(500), "encoder_hidden_states": text}


def run(
    model: Any, call: Mapping[str, Any], memo: dict[str, Any], number: int, part: Part = "deep"
) -> Tensor:
    """One step, of which every other runs ``part``."""
    with torch.no_grad(), cached(model, call["sample"], memo, number, 2, part):
        out: Tensor = model(**call).sample
    return out


def calls_of(model: Any) -> list[str]:
    """Blocks that really run from now on."""
    seen: list[str] = []
    for name in ("down_blocks.0", "down_blocks.1", "mid_block", "up_blocks.1", "up_blocks.2", "attention"):
        within = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
        layer = model.get_submodule(within if name == "attention" else f"{name}.resnets.0")
        layer.register_forward_hook(lambda *_, name=name: seen.append(name))
    return seen


@pytest.mark.parametrize("moves", [False, True])
def test_the_deep_half_runs_every_other_step_only(moves: bool) -> None:
    model = unet(moves=moves)
    call = given(moves=moves)
    with torch.no_grad():
        plain = model(**call).sample
    seen, memo = calls_of(model), dict[str, Any]()
    torch.testing.assert_close(run(model, call, memo, 0), plain)
    assert len(set(seen)) == 6
    seen.clear()
    again = run(model, call, memo, 1)
    assert set(seen) == {"down_blocks.0", "up_blocks.2", "attention"}
    torch.testing.assert_close(again, plain)  # the same call: what is remembered is what would be worked out
    seen.clear()
    run(model, call, memo, 2)
    assert "mid_block" in seen


@pytest.mark.parametrize("moves", [False, True])
def test_attention_runs_every_other_step_only(moves: bool) -> None:
    model = unet(moves=moves)
    call = given(moves=moves)
    seen, memo = calls_of(model), dict[str, Any]()
    plain = run(model, call, memo, 0, "attention")
    assert len(set(seen)) == 6
    seen.clear()
    torch.testing.assert_close(run(model, call, memo, 1, "attention"), plain)
    assert set(seen) == {"down_blocks.0", "down_blocks.1", "mid_block", "up_blocks.1", "up_blocks.2"}


@pytest.mark.parametrize("part", ["deep", "attention"])
def test_what_is_new_at_a_step_still_counts(part: Part) -> None:
    """The rest runs with the new latents; what is left out was near what it would be."""
    model = unet(moves=True)
    first, second = given(moves=True), given(moves=True)
    second["sample"] = 0.95 * first["sample"]
    second["timestep"] = torch.tensor(480)
    memo = dict[str, Any]()
    before = run(model, first, memo, 0, part)
    out = run(model, second, memo, 1, part)
    with torch.no_grad():
        truth = model(**second).sample
    assert not torch.equal(out, before)
    assert float((out - truth).norm()) < 0.7 * float((before - truth).norm())


def test_windows_that_take_turns_do_not_mix() -> None:
    model = unet(moves=False)
    one, other = given(moves=False), given(moves=False, height=16, seed=1)
    memos: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    truths = [run(model, call, {}, 0) for call in (one, other)]
    for number in (0, 1):
        for call, memo, truth in zip((one, other), memos, truths, strict=True):
            torch.testing.assert_close(run(model, call, memo, number), truth)


def test_a_window_of_another_shape_is_worked_out_anew() -> None:
    model = unet(moves=False)
    memo = dict[str, Any]()
    run(model, given(moves=False), memo, 0)
    other = given(moves=False, height=16)
    torch.testing.assert_close(run(model, other, memo, 1), run(model, other, {}, 0))


def test_controlnets_still_hold_at_steps_that_are_remembered() -> None:
    model = unet(moves=False)
    tolerate_torchvision()
    from diffusers import ControlNetModel

    make: Any = ControlNetModel
    net = make.from_unet(model, conditioning_embedding_out_channels=(8, 8))
    dice = torch.Generator().manual_seed(5)
    for weight in net.parameters():
        weight.data += 0.1 * torch.randn(weight.shape, generator=dice)
    call = given(moves=False)
    with torch.no_grad():
        down, middle = net(
            **call, controlnet_cond=torch.rand(5, 3, 24, 40, generator=dice), return_dict=False
        )
    held = {**call, "down_block_additional_residuals": down, "mid_block_additional_residual": middle}
    memo = dict[str, Any]()
    first, second = (run(model, held, memo, number) for number in (0, 1))
    torch.testing.assert_close(second, first)
    assert not torch.allclose(first, run(model, call, {}, 0))


@pytest.mark.parametrize("part", ["deep", "attention"])
@pytest.mark.parametrize("error", [None, ValueError])
def test_the_model_is_left_as_found(error: type[Exception] | None, part: Part) -> None:
    model = unet(moves=False)
    call = given(moves=False)
    before = {name: dict(vars(module)).keys() for name, module in model.named_modules()}
    memo = dict[str, Any]()
    for number in (0, 1):
        try:
            with cached(model, call["sample"], memo, number, 2, part):
                model(**call)
                if error is not None:
                    raise error
        except ValueError:
            pass
        assert {name: dict(vars(module)).keys() for name, module in model.named_modules()} == before


@pytest.fixture
def pipe(tmp_path: Path) -> Any:
    tolerate_torchvision()
    from diffusers import StableDiffusionImg2ImgPipeline

    kind: Any = StableDiffusionImg2ImgPipeline
    return kind.from_pretrained(
        checkpoints.sd15(tmp_path / "sd15"), local_files_only=True, safety_checker=None
    )


def test_models_that_wait_elsewhere_say_what_they_said_before(pipe: Any, tmp_path: Path) -> None:
    from diffusers import ControlNetModel

    kind: Any = ControlNetModel
    net = kind.from_pretrained(checkpoints.controlnet(tmp_path / "controlnet"), local_files_only=True)
    dice = torch.Generator().manual_seed(0)
    call = {
        "sample": torch.randn(2, 4, 16, 16, generator=dice),
        "timestep": torch.tensor(300),
        "encoder_hidden_states": torch.randn(2, 7, pipe.unet.config.cross_attention_dim, generator=dice),
    }
    picture = torch.rand(2, 3, 128, 128, generator=dice)

    def said() -> list[Tensor]:
        with torch.no_grad():
            latents = pipe.vae.encode(picture).latent_dist.mode()
            drawn = net(**call, controlnet_cond=picture, return_dict=False)[1]
            return [pipe.unet(**call).sample, latents, pipe.vae.decode(latents).sample, drawn]

    before = said()
    offloads: tuple[Offload, ...] = ("none", "model", "group", "group", "model", "none")
    for offload in offloads:
        prepare(pipe, CPU, beside=[net], offload=offload)
        assert all(map(torch.equal, said(), before)), offload


@pytest.mark.filterwarnings(
    "ignore:`torch.jit.script_method` is deprecated:DeprecationWarning"
)  # in torch's own
def test_compiling_is_put_off_to_the_first_call_and_done_block_by_block(pipe: Any) -> None:
    prepare(pipe, CPU, compile=True)
    compiled = [m for m in pipe.unet.modules() if m._compiled_call_impl is not None]
    assert {type(m).__name__ for m in compiled} == {"BasicTransformerBlock"}
    once = [m._compiled_call_impl for m in compiled]
    prepare(pipe, CPU, compile=True)
    assert [m._compiled_call_impl for m in compiled] == once


@pytest.mark.filterwarnings(
    "ignore:`torch.jit.script_method` is deprecated:DeprecationWarning"
)  # in torch's own
def test_compiling_needs_a_compiler(pipe: Any) -> None:
    import torch._inductor.config as inductor

    settings: Any = inductor
    missing = settings.patch({"cpp.cxx": (None, "no-such-compiler")})
    with missing, pytest.raises(EngineError, match=r"C\+\+ compiler"):
        prepare(pipe, CPU, compile=True)
    prepare(pipe, CPU)
