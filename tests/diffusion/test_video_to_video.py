"""A clip through a pipeline's models, called as diffusers users call their pipelines."""

from importlib import import_module
from typing import Any

import checkpoints
import pytest
import torch
from PIL import Image
from torch import Tensor

from vedit.diffusion import video_to_video
from vedit.errors import UsageError
from vedit.torchvision_ops import tolerate_torchvision

tolerate_torchvision()


@pytest.fixture(scope="module")
def pipe(tmp_path_factory: pytest.TempPathFactory) -> Any:
    diffusers: Any = import_module("diffusers")
    folder = tmp_path_factory.mktemp("models")
    plain = diffusers.StableDiffusionPipeline.from_pretrained(checkpoints.sd15(folder / "sd"))
    wanted = ("vae", "text_encoder", "tokenizer", "unet", "scheduler")
    parts = {name: plain.components[name] for name in wanted}
    adapter = diffusers.MotionAdapter.from_pretrained(checkpoints.motion_adapter(folder / "motion"))
    moving = diffusers.AnimateDiffVideoToVideoPipeline(**parts, motion_adapter=adapter)
    moving.set_progress_bar_config(disable=True)
    return moving


@pytest.fixture
def video() -> Tensor:
    coarse = torch.rand(1, 3, 8, 16, generator=torch.Generator().manual_seed(3))
    wide = torch.nn.functional.interpolate(coarse, size=(64, 128), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([wide[:, :, 2 * i : 2 * i + 96] for i in range(7)])


def run(pipe: Any, video: Tensor, **settings: Any) -> Any:
    usual: dict[str, Any] = {"num_inference_steps": 4, "output_type": "pt", "window": 4, "overlap": 1}
    generator = torch.Generator().manual_seed(0)
    return video_to_video(pipe, list(video), "a forest", generator=generator, **(usual | settings)).frames


def test_frames_come_as_asked_for(pipe: Any, video: Tensor) -> None:
    tensor = run(pipe, video)
    assert tensor.shape == (1, 7, 3, 64, 96)
    array = run(pipe, video, output_type="np")
    assert array.shape == (1, 7, 64, 96, 3)
    assert torch.allclose(torch.from_numpy(array).permute(0, 1, 4, 2, 3), tensor, atol=1e-5)
    pictures = run(pipe, video, output_type="pil")
    assert len(pictures[0]) == 7
    assert isinstance(pictures[0][0], Image.Image)
    assert pictures[0][0].size == (96, 64)
    assert run(pipe, video, output_type="latent").shape == (1, 4, 7, 8, 12)


def test_the_same_seed_gives_the_same_frames(pipe: Any, video: Tensor) -> None:
    assert torch.equal(run(pipe, video), run(pipe, video))


@pytest.mark.parametrize("part", ["flow_attention", "carried_noise", "anchors", "fusion"])
def test_every_part_can_be_switched(pipe: Any, video: Tensor, part: str) -> None:
    off = {"flow_attention": False, "carried_noise": False}
    assert not torch.equal(run(pipe, video, **off), run(pipe, video, **(off | {part: True})))


def test_the_model_is_left_as_it_was(pipe: Any, video: Tensor) -> None:
    before = dict(pipe.unet.attn_processors)
    run(pipe, video, anchors=True)
    assert all(pipe.unet.attn_processors[name] is one for name, one in before.items())


def test_a_callback_sees_every_step_and_may_change_it(pipe: Any, video: Tensor) -> None:
    steps: list[tuple[int, int]] = []

    def note(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        steps.append((step, int(timestep)))
        assert tensors["latents"].shape == (1, 4, 7, 8, 12)
        return {"latents": torch.zeros_like(tensors["latents"])} if step == 2 else {}

    made = run(pipe, video, callback_on_step_end=note, strength=0.8, output_type="latent")
    assert [step for step, _ in steps] == [0, 1, 2]
    assert steps == sorted(steps, key=lambda one: -one[1])
    assert float(made.abs().max()) == 0


def test_a_callback_may_stop(pipe: Any, video: Tensor) -> None:
    seen: list[Tensor] = []

    def stop(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append(tensors["latents"].clone())
        pipe._interrupt = True
        return tensors

    made = run(pipe, video, callback_on_step_end=stop, output_type="latent")
    assert len(seen) == 1
    assert torch.equal(made, seen[0])


def test_another_scheduler_gives_other_frames(pipe: Any, video: Tensor) -> None:
    diffusers: Any = import_module("diffusers")
    before, own = run(pipe, video), pipe.scheduler
    pipe.scheduler = diffusers.UniPCMultistepScheduler.from_config(own.config)
    try:
        assert not torch.equal(run(pipe, video), before)
    finally:
        pipe.scheduler = own
    assert torch.equal(run(pipe, video), before)


def test_words_can_change_over_the_clip(pipe: Any, video: Tensor) -> None:
    off: dict[str, Any] = {"flow_attention": False, "window": 7, "overlap": 0, "guidance_scale": 3.0}
    generator = torch.Generator().manual_seed(0)
    changing = video_to_video(
        pipe,
        list(video),
        {0: "a forest", 6: "a lake"},
        generator=generator,
        num_inference_steps=4,
        output_type="pt",
        **off,
    ).frames
    apart = [(a - b).abs().mean() for a, b in zip(changing[0], run(pipe, video, **off)[0], strict=True)]
    assert apart[6] > apart[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": 1.5},
        {"strength": -0.1},
        {"strength": 0.1},  # of 4 steps
        {"window": 4, "overlap": 4},
        {"window": 40},
        {"num_inference_steps": 0},
        {"num_inference_steps": 1001},
        {"flows": []},
    ],
)
def test_settings_out_of_range_are_refused(pipe: Any, video: Tensor, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        run(pipe, video.repeat(6, 1, 1, 1), **wrong)


def test_words_by_time_are_refused(pipe: Any, video: Tensor) -> None:
    with pytest.raises(UsageError, match="key 1s"):
        video_to_video(pipe, list(video), {0: "a forest", "1s": "a lake"})


def test_a_vae_in_half_precision_stays_so(pipe: Any, video: Tensor) -> None:
    pipe.vae.half()
    try:
        run(pipe, video[:1, :, :16, :16], strength=0)
        assert pipe.vae.dtype == torch.float16
    finally:
        pipe.vae.float()
