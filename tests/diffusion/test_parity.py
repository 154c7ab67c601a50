"""With everything of ours off, a clip's frames are those of diffusers' own video-to-video pipelines."""

from importlib import import_module
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import torch
from torch import Tensor

from vedit.diffusion.video_to_video import video_to_video
from vedit.torchvision_ops import tolerate_torchvision

tolerate_torchvision()
SCHEDULERS = {
    "ddim": ("DDIMScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "lcm": ("LCMScheduler", {}),
}
PLAIN: dict[str, Any] = {"flow_attention": False, "carried_noise": False, "output_type": "pt"}
ASKED: dict[str, Any] = {"prompt": "a forest", "negative_prompt": "blurred", "num_inference_steps": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("parity")
    checkpoints.sd15(folder / "sd")
    checkpoints.motion_adapter(folder / "motion")
    checkpoints.controlnet(folder / "edges")
    checkpoints.controlnet(folder / "depth", seed=21)
    return folder


def pipeline(folder: Path, scheduler: str, controls: int = 0) -> Any:
    diffusers: Any = import_module("diffusers")
    name, settings = SCHEDULERS[scheduler]
    plain = diffusers.StableDiffusionPipeline.from_pretrained(folder / "sd")
    chosen = getattr(diffusers, name).from_config(plain.scheduler.config, beta_schedule="linear", **settings)
    adapter = diffusers.MotionAdapter.from_pretrained(folder / "motion")
    parts = {k: v for k, v in plain.components.items() if k in ("vae", "text_encoder", "tokenizer", "unet")}
    parts |= {"motion_adapter": adapter, "scheduler": chosen}
    if not controls:
        pipe = diffusers.AnimateDiffVideoToVideoPipeline(**parts)
    else:
        nets = [diffusers.ControlNetModel.from_pretrained(folder / n) for n in ("edges", "depth")[:controls]]
        parts["controlnet"] = nets[0] if controls == 1 else nets
        pipe = diffusers.AnimateDiffVideoToVideoControlNetPipeline(**parts)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture
def video() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(5, 3, 6, 9, generator=generator)
    return torch.nn.functional.interpolate(coarse, size=(64, 96), mode="bicubic").clamp(0, 1)


def difference(a: Any, b: Any) -> float:
    return float((a.frames - b.frames).abs().max())


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("guidance", [7.5, 1.0])
def test_frames_are_those_of_animatediff_video_to_video(
    folder: Path, video: Tensor, scheduler: str, guidance: float
) -> None:
    pipe = pipeline(folder, scheduler)
    settings = ASKED | {"strength": 0.6, "guidance_scale": guidance}
    theirs = pipe(
        list(video),
        **settings,
        generator=torch.Generator().manual_seed(1),
        output_type="pt",
        height=64,
        width=96,
    )
    ours = video_to_video(pipe, list(video), **settings, **PLAIN, generator=torch.Generator().manual_seed(1))
    assert ours.frames.shape == theirs.frames.shape == (1, 5, 3, 64, 96)
    assert difference(ours, theirs) < 1e-4
    untouched = float((theirs.frames[0] - video).abs().mean())
    assert untouched > 0.02  # the steps did something


@pytest.mark.parametrize("scheduler", SCHEDULERS)
@pytest.mark.parametrize("controls", [1, 2])
def test_frames_are_those_of_animatediff_with_controlnets(
    folder: Path, video: Tensor, scheduler: str, controls: int
) -> None:
    pipe = pipeline(folder, scheduler, controls)
    maps = [video.flip(0), 1 - video][:controls]
    lists = [list(m) for m in maps]
    settings = ASKED | {"strength": 0.8, "guidance_scale": 3.0}
    settings["controlnet_conditioning_scale"] = 0.7 if controls == 1 else [0.7, 0.4]
    settings["conditioning_frames"] = lists[0] if controls == 1 else lists
    theirs = pipe(
        list(video),
        **settings,
        generator=torch.Generator().manual_seed(1),
        output_type="pt",
        height=64,
        width=96,
    )
    ours = video_to_video(pipe, list(video), **settings, **PLAIN, generator=torch.Generator().manual_seed(1))
    assert difference(ours, theirs) < 1e-4
    settings["controlnet_conditioning_scale"] = 0.0 if controls == 1 else [0.0, 0.0]
    free = video_to_video(pipe, list(video), **settings, **PLAIN, generator=torch.Generator().manual_seed(1))
    assert difference(free, ours) > 1e-3  # the maps matter
