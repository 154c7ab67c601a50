"""Loading checkpoints: every format, and all that can be laid over one."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny_whole
import torch
from loading import CPU, into_cache, load, noise
from safetensors.torch import load_file, save_file

from vedit.diffusion.memory import Plan
from vedit.diffusion.prompting import parse
from vedit.diffusion.unet import UNetDenoiser
from vedit.errors import EngineError, UsageError
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.models import Asked, load_checkpoint, models_for
from vedit.pretrained.schedulers import SCHEDULERS, few_steps, make_scheduler

Make = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("no_hub")


@pytest.mark.parametrize(
    ("name", "settings", "pipeline", "family"),
    [
        ("sd15", {}, "StableDiffusionImg2ImgPipeline", "sd"),
        ("sd15", {"in_channels": 9}, "StableDiffusionInpaintPipeline", "sd"),
        ("sdxl", {}, "StableDiffusionXLImg2ImgPipeline", "sdxl"),
        ("sdxl", {"in_channels": 9}, "StableDiffusionXLInpaintPipeline", "sdxl"),
    ],
)
def test_a_pipeline_folder(
    made: Make, name: str, settings: dict[str, Any], pipeline: str, family: str
) -> None:
    loaded = load(made(name, **settings))
    assert (type(loaded.pipe).__name__, loaded.family) == (pipeline, family)
    assert noise(loaded).std() > 0.1
    models = [part for part in loaded.pipe.components.values() if isinstance(part, torch.nn.Module)]
    assert len(models) >= 3
    assert not any(model.training or any(p.requires_grad for p in model.parameters()) for model in models)


@pytest.mark.parametrize("in_channels", [4, 9])
def test_a_single_file_holds_the_same_weights(made: Make, tmp_path: Path, in_channels: int) -> None:
    file = shutil.copy(made("sd15_single_file", in_channels=in_channels), tmp_path / "film.safetensors")
    shutil.copytree(made("sd15"), tmp_path / "film", ignore=shutil.ignore_patterns("*.safetensors"))
    one, folder = load(file), load(made("sd15", in_channels=in_channels))
    assert type(one.pipe) is type(folder.pipe)
    for part in ("unet", "vae", "text_encoder"):
        ours, theirs = getattr(one.pipe, part).state_dict(), getattr(folder.pipe, part).state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    assert one.pipe.tokenizer("a fox").input_ids == folder.pipe.tokenizer("a fox").input_ids


def test_a_single_file_takes_the_settings_of_its_family(made: Make, tmp_path: Path) -> None:
    file = made("sd15_single_file")
    with pytest.raises(EngineError, match="settings and tokenizer") as refused:
        load(file)
    assert "hf download stable-diffusion-v1-5/stable-diffusion-v1-5 --revision" in refused.value.remedy
    settings = shutil.copytree(made("sd15"), tmp_path / "s", ignore=shutil.ignore_patterns("*.safetensors"))
    into_cache(Path(settings), "stable-diffusion-v1-5/stable-diffusion-v1-5")
    assert torch.equal(noise(load(file)), noise(load(made("sd15"))))


def test_half_precision_files_are_taken_where_there_are_no_others(made: Make, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "half"))
    for file in folder.rglob("*.safetensors"):
        save_file({k: v.half() for k, v in load_file(file).items()}, file.with_suffix(".fp16.safetensors"))
        file.unlink()
    loaded = load(folder)
    assert loaded.pipe.unet.dtype == torch.float32
    assert torch.allclose(noise(loaded), noise(load(made("sd15"))), atol=1e-2)
    assert load(folder, torch.bfloat16).pipe.vae.dtype == torch.bfloat16


@pytest.mark.parametrize(
    ("name", "adapter", "pipeline"),
    [
        ("sd15", "motion_adapter", "AnimateDiffVideoToVideoPipeline"),
        ("sdxl", "motion_adapter_sdxl", "AnimateDiffSDXLPipeline"),
    ],
)
def test_a_motion_adapter(made: Make, name: str, adapter: str, pipeline: str) -> None:
    from diffusers import MotionAdapter

    loaded = load(made(name), motion=str(made(adapter)))
    assert type(loaded.pipe).__name__ == pipeline
    theirs: Any = MotionAdapter
    theirs = theirs.from_pretrained(made(adapter)).state_dict()
    ours = loaded.pipe.unet.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)
    assert noise(loaded).shape == (1, 4, 2, 8, 8)
    config = loaded.pipe.scheduler.config
    assert (config.beta_schedule, config.timestep_spacing, config.steps_offset) == ("linear", "linspace", 1)


def test_an_inpainting_model_can_have_motion(made: Make) -> None:
    loaded = load(made("sd15", in_channels=9), motion=str(made("motion_adapter")))
    assert loaded.pipe.unet.config.in_channels == 9
    assert noise(loaded).shape == (1, 4, 2, 8, 8)


def test_a_motion_module_with_its_original_names(made: Make, tmp_path: Path) -> None:
    weights = {}
    for key, value in load_file(made("motion_adapter") / "diffusion_pytorch_model.safetensors").items():
        for new, old in (("norm1", "norms.0"), ("norm2", "norms.1"), ("norm3", "ff_norm")):
            key = key.replace(f".{new}.", f".{old}.")
        for new, old in (("attn1", "attention_blocks.0"), ("attn2", "attention_blocks.1")):
            key = key.replace(f".{new}.", f".{old}.")
        weights[re.sub(r"(motion_modules\.\d+)", r"\1.temporal_transformer", key)] = value
    stem = "down_blocks.0.motion_modules.0.temporal_transformer.transformer_blocks.0.attention_blocks.0"
    weights[f"{stem}.pos_encoder.pe"] = torch.zeros(1, 24, 32)
    save_file(weights, tmp_path / "mm_sd_v15_v2.safetensors")
    one = load(made("sd15"), motion=str(tmp_path / "mm_sd_v15_v2.safetensors")).pipe.unet
    folder = load(made("sd15"), motion=str(made("motion_adapter"))).pipe.unet
    assert all(
        torch.equal(value, folder.state_dict()[key])
        for key, value in one.state_dict().items()
        if "pe" not in key
    )
    assert (one.config.motion_max_seq_length, folder.config.motion_max_seq_length) == (24, 32)


def test_auto_takes_the_motion_adapter_that_is_here(made: Make) -> None:
    still = load(made("sd15"), motion="auto")
    assert type(still.pipe.unet).__name__ == "UNet2DConditionModel"
    assert any("hf download guoyww/" in note for note in still.notes)
    into_cache(made("motion_adapter"), "guoyww/animatediff-motion-adapter-v1-5-3")
    assert type(load(made("sd15"), motion="auto").pipe.unet).__name__ == "UNetMotionModel"


def test_lora_weighs(made: Make) -> None:
    model, lora = made("sd15"), made("lora")
    plain, half, whole = (noise(load(model, lora=given)) for given in ((), (f"{lora}=0.5",), (str(lora),)))
    none = noise(load(model, lora=(f"{lora}=0",)))
    assert torch.allclose(plain, none, atol=1e-5)
    assert 0.01 < (half - plain).std() < (whole - plain).std()
    twice = noise(load(model, lora=(f"{lora}=0.25", f"{lora}=0.25")))
    assert torch.allclose(twice, half, atol=1e-4)


def test_lora_formats_say_the_same(made: Make) -> None:
    kohya, diffusers = (noise(load(made("sd15"), lora=(str(made("lora", kohya=k)),))) for k in (True, False))
    assert torch.allclose(kohya, diffusers, atol=1e-5)


def test_lora_over_motion(made: Make) -> None:
    motion, lora = str(made("motion_adapter")), str(made("lora"))
    plain, with_lora = (noise(load(made("sd15"), motion=motion, lora=given)) for given in ((), (lora,)))
    assert (with_lora - plain).std() > 0.01


def test_a_few_step_adapter_brings_its_scheduler(made: Make, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("lcm_lora"), tmp_path / "lcm-lora-sdv1-5"))
    loaded = load(made("sd15"), lora=(str(folder),))
    assert type(loaded.pipe.scheduler).__name__ == "LCMScheduler"
    assert (loaded.steps, loaded.guidance_scale) == (4, 1.5)
    assert "LCM: scheduler lcm; made for 4 steps and guidance 1.5" in loaded.notes
    own = load(made("sd15"), lora=(str(folder),), scheduler="euler")
    assert type(own.pipe.scheduler).__name__ == "EulerDiscreteScheduler"


def test_a_few_step_adapter_known_by_what_its_file_says(made: Make, tmp_path: Path) -> None:
    save_file(load_file(made("lora")), tmp_path / "x.safetensors", {"ss_output_name": "lcm_thing"})
    assert load(made("sd15"), lora=(str(tmp_path / "x.safetensors"),)).steps == 4


def test_a_project_s_folder_says_nothing_of_a_lora(made: Make, tmp_path: Path) -> None:
    (tmp_path / "lightning" / "loras").mkdir(parents=True)
    lora = shutil.copy(made("lora"), tmp_path / "lightning" / "loras" / "x.safetensors")
    assert load(made("sd15"), lora=(str(lora),)).steps is None


def test_a_file_that_changed_is_loaded_again(made: Make, tmp_path: Path) -> None:
    lora = tmp_path / "x.safetensors"
    shutil.copy(made("lora"), lora)
    checkpoint = Checkpoint(str(made("sd15")), motion=None, lora=(str(lora),))
    before, again = load_checkpoint(checkpoint, CPU), load_checkpoint(checkpoint, CPU)
    assert again is before
    said = noise(before)  # now: in float32 its weights are the file, mapped into memory
    shutil.copy(made("lora", seed=31), lora)
    assert not torch.equal(noise(load_checkpoint(checkpoint, CPU)), said)


@pytest.mark.parametrize(
    ("name", "scheduler", "steps"),
    [
        ("latent-consistency/lcm-lora-sdxl", "lcm", 4),
        ("wangfuyun/AnimateLCM", "lcm", 6),
        ("sdxl_lightning_8step_lora.safetensors", "euler", 8),
        ("ByteDance/Hyper-SD Hyper-SD15-4steps-lora.safetensors", "ddim", 4),
        ("Hyper-SD15-1step-lora", "tcd", 1),
        ("Hyper-SDXL-12steps-CFG-lora", "ddim", 12),
        ("h1t/TCD-SD15-LoRA", "tcd", 4),
    ],
)
def test_few_step_names(name: str, scheduler: str, steps: int) -> None:
    found = few_steps(name)
    assert found is not None
    assert (found.scheduler, found.steps) == (scheduler, steps)


@pytest.mark.parametrize("name", ["hyperrealism_v2", "falcmoor", "sd15", "oil 20 steps", "dreamshaper-8"])
def test_ordinary_names(name: str) -> None:
    assert few_steps(name) is None


def test_every_scheduler_steps(made: Make) -> None:
    own, x = load(made("sd15"), scheduler="euler").pipe.scheduler, torch.ones(1, 4, 8, 8)
    assert type(own).__name__ == "EulerDiscreteScheduler"
    for name, (kind, _) in SCHEDULERS.items():
        scheduler = make_scheduler(own, name)
        assert (type(scheduler).__name__, scheduler.config.beta_end) == (kind, 0.012)
        scheduler.set_timesteps(4)
        assert scheduler.step(x * 0.1, scheduler.timesteps[0], x).prev_sample.isfinite().all(), name


def test_no_name_keeps_the_checkpoints_scheduler(made: Make) -> None:
    assert type(load(made("sdxl")).pipe.scheduler).__name__ == "EulerDiscreteScheduler"


def test_controlnets_are_apart(made: Make) -> None:
    loaded = load(made("sd15"), controlnet=(f"canny={made('controlnet')}", f"depth={made('controlnet')}"))
    assert list(loaded.controlnets) == ["canny", "depth"]
    net = loaded.controlnets["depth"]
    with torch.no_grad():
        x, texts = torch.randn(1, 4, 8, 8), torch.randn(1, 77, 32)
        added = net(x, 10, encoder_hidden_states=texts, controlnet_cond=torch.rand(1, 3, 64, 64))
    assert added.mid_block_res_sample.std() > 0.01
    assert not any(p.requires_grad for p in net.parameters())


def test_a_controlnet_in_one_file(made: Make) -> None:
    folder, file = made("controlnet"), made("controlnet_single_file")
    beside = folder / "diffusion_pytorch_model.safetensors"  # its settings are in the same folder
    nets = [
        load(made("sd15"), controlnet=(f"canny={path}",)).controlnets["canny"]
        for path in (folder, file, beside)
    ]
    theirs = nets[0].state_dict()
    for net in nets[1:]:
        ours = net.state_dict()
        assert ours.keys() == theirs.keys()
        assert all(torch.equal(ours[key], theirs[key]) for key in ours)
    moving = load(
        made("sd15", in_channels=9), motion=str(made("motion_adapter")), controlnet=(f"canny={file}",)
    )
    assert moving.controlnets["canny"].config.in_channels == 4


def test_a_known_controlnet(made: Make) -> None:
    into_cache(made("controlnet"), "lllyasviel/control_v11p_sd15_canny")
    assert list(load(made("sd15"), controlnet=("canny",)).controlnets) == ["canny"]
    with pytest.raises(EngineError, match=r"no ControlNet for pose .* sdxl"):
        load(made("sdxl"), controlnet=("pose",))


@pytest.mark.parametrize(("model", "family"), [("sd15", "sd"), ("sdxl", "sdxl")])
def test_an_ip_adapter_sees_the_picture(made: Make, model: str, family: str) -> None:
    from PIL import Image

    loaded = load(made(model), ip_adapter=str(made("ip_adapter", family)))
    assert loaded.ip_adapter
    painted = [
        loaded.pipe(
            "a fox",
            image=Image.new("RGB", (64, 64), "grey"),
            ip_adapter_image=Image.effect_mandelbrot((64, 64), (-2, -1, 1, 1), level).convert("RGB"),
            num_inference_steps=2,
            strength=1.0,
            generator=torch.Generator().manual_seed(0),
            output_type="pt",
        ).images
        for level in (5, 90)
    ]
    assert (painted[0] - painted[1]).abs().max() > 1e-4


def test_a_distilled_model_follows_one_picture_without_guidance(made: Make) -> None:
    """One that is told the guidance scale takes a step once, though the scale is over 1."""
    loaded = load(made("sd15"), ip_adapter=str(made("ip_adapter", "sd")))
    counts = []
    for width in (None, 8):
        loaded.pipe.unet.register_to_config(time_cond_proj_dim=width)
        asked = Asked(parse("a fox"), None, 1.5, (), frozenset())
        models = models_for(loaded, asked, torch.zeros(3, 64, 64), CPU, Plan(), print)
        assert isinstance(models.denoiser, UNetDenoiser)
        counts.append([len(embeds) for embeds in models.denoiser.image_embeds])
    assert counts == [[2], [1]]


def test_an_ip_adapter_by_its_file_over_motion(made: Make) -> None:
    file = made("ip_adapter", "sd") / "models" / "ip-adapter_sd15.safetensors"
    loaded = load(made("sd15"), motion=str(made("motion_adapter")), ip_adapter=str(file))
    assert noise(loaded, frames=1).isfinite().all()


def test_another_codec(made: Make) -> None:
    pipe = load(made("sd15"), codec=str(made("tiny_codec"))).pipe
    assert type(pipe.vae).__name__ == "AutoencoderTiny"
    with torch.no_grad():
        assert pipe.vae.encode(torch.zeros(1, 3, 64, 64)).latents.shape == (1, 4, 8, 8)
    by_file = load(made("sd15"), codec=str(made("tiny_codec") / "diffusion_pytorch_model.safetensors")).pipe
    assert type(by_file.vae).__name__ == "AutoencoderTiny"
    own = load(made("sd15"), codec=str(made("sdxl") / "vae")).pipe
    assert own.vae.config.scaling_factor == 0.13025


@pytest.mark.parametrize(
    ("build", "pipeline", "family"),
    [
        (tiny_whole.wan_vace, "WanVACEPipeline", "wan-vace"),
        (tiny_whole.ltx, "LTXConditionPipeline", "ltx"),
        (tiny_whole.ltx2, "LTX2ConditionPipeline", "ltx2"),
    ],
)
def test_whole_pipelines(tmp_path: Path, build: Callable[[Path], Path], pipeline: str, family: str) -> None:
    loaded = load(build(tmp_path / "whole"), torch.bfloat16)
    assert (type(loaded.pipe).__name__, loaded.family) == (pipeline, family)
    assert loaded.pipe.transformer.dtype == torch.bfloat16
    assert loaded.pipe.vae.dtype == (torch.float32 if family == "wan-vace" else torch.bfloat16)
    with pytest.raises(UsageError, match="cannot have a ControlNet"):
        load(tmp_path / "whole", controlnet=("canny",))
    with pytest.raises(UsageError, match="cannot have speed=cache"):
        load(tmp_path / "whole", speed=("cache",))
