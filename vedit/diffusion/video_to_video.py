"""A clip through a diffusers pipeline's models, called as diffusers' own video-to-video pipelines are.

With ``window`` no shorter than the clip and everything of ours off (``flow_attention``, ``carried_noise``,
``anchors``, ``fusion``), the frames are those of AnimateDiffVideoToVideoPipeline and
AnimateDiffVideoToVideoControlNetPipeline. Films of any length go through `vedit.diffusion.sample` instead.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor

from vedit.diffusion.blocks import Block, Models, Run, start_block, step_block
from vedit.diffusion.noise import CarriedNoise, carry_drawn
from vedit.diffusion.prior import Prior
from vedit.diffusion.prompting import Embedded, parse, text_encoder
from vedit.diffusion.schedule import last_steps_timetable
from vedit.diffusion.unet import ControlInput, UNetDenoiser, is_guided
from vedit.errors import UsageError
from vedit.flow.pairs import PairFlow, pair_flow
from vedit.latents.vae import VaeCodec

Callback = Callable[[Any, int, Any, dict[str, Any]], dict[str, Any]]


@torch.no_grad()
def video_to_video(
    pipe: Any,
    video: Any,
    prompt: str | dict[int | str, str],
    *,
    negative_prompt: str | None = None,
    strength: float = 0.8,
    num_inference_steps: int = 50,
    guidance_scale: float = 7.5,
    conditioning_frames: Sequence[Any] | None = None,
    controlnet_conditioning_scale: float | Sequence[float] = 1.0,
    ip_adapter_image: Any = None,
    generator: torch.Generator | None = None,
    output_type: Literal["pil", "np", "pt", "latent"] = "pil",
    callback_on_step_end: Callback | None = None,
    decode_chunk_size: int = 16,
    window: int = 16,
    overlap: int = 4,
    flow_attention: bool = True,
    carried_noise: bool = True,
    anchors: bool = False,
    fusion: bool = False,
    flows: Sequence[PairFlow] | None = None,
) -> Any:
    """Run a clip, one shot, through the models of a Stable Diffusion or AnimateDiff pipeline.

    Args:
        pipe: a diffusers pipeline with ``unet``, ``vae``, ``scheduler`` and text encoders; its ``controlnet`` is used
            if it has one.
        video: the frames, as diffusers takes them: a list of PIL pictures, arrays or tensors ``(F,3,H,W)`` in [0, 1].
        prompt: a text, or texts by frame (see `vedit.diffusion.prompting`); between frames they are interpolated.
        negative_prompt: what is not to be seen.
        strength: 0 keeps the clip, 1 starts from pure noise.
        num_inference_steps: of which the last ``strength`` are taken.
        guidance_scale: as in diffusers; up to 1 there is no guidance.
        conditioning_frames: the ControlNet's maps, one per frame; for several ControlNets a list of such lists.
        controlnet_conditioning_scale: how strongly they hold.
        ip_adapter_image: the picture that a loaded IP-Adapter is to follow.
        generator: all noise comes from it, drawn as diffusers draws it.
        output_type: of the frames.
        callback_on_step_end: called after every step as in diffusers, with the ``latents`` ``(1,c,F,h,w)``.
        decode_chunk_size: frames through the VAE at once.
        window: frames the U-Net sees at once.
        overlap: frames a window shares with the next.
        flow_attention: self-attention follows the motion.
        carried_noise: noise follows the motion.
        anchors: every window sees the first frame and the one before it.
        fusion: clean estimates are held together along the flow at the first half of the steps.
        flows: the motion between frames, if known; else it is estimated where it is needed.

    Returns:
        AnimateDiffPipelineOutput: with ``frames`` as ``output_type`` says; latents ``(1,c,F,h,w)``.

    Raises:
        UsageError: a setting is out of range, or does not fit the clip or the pipeline.
    """
    from diffusers.pipelines.animatediff.pipeline_output import AnimateDiffPipelineOutput

    if not 0 <= strength <= 1:
        raise UsageError(
            f"strength is {strength}", "Give a number from 0 (keep the clip) to 1 (start from noise)."
        )
    if not 0 <= overlap < window:
        raise UsageError(f"overlap is {overlap} of a window of {window}", "Give fewer than the window has.")
    if num_inference_steps < 1:
        raise UsageError(f"num_inference_steps is {num_inference_steps}", "Give at least 1.")
    vae_dtype = pipe.vae.dtype
    codec = VaeCodec(vae=pipe.vae, chunk=decode_chunk_size)
    frames = _pixels(video, codec.scale)
    count, device, dtype = len(frames), pipe._execution_device, pipe.unet.dtype
    if count <= window:
        window, overlap = count, 0
    if window > (most := getattr(pipe.unet.config, "motion_max_seq_length", window)):
        raise UsageError(f"window is {window}", f"The motion adapter sees at most {most} frames at once.")
    if flows is not None and len(flows) != count - 1:
        raise UsageError(f"there are {len(flows)} flows for {count} frames", "Give one for each step.")
    guided = is_guided(pipe.unet, guidance_scale)
    denoiser = UNetDenoiser(
        pipe.unet,
        _prompts(pipe, prompt, negative_prompt, guided),
        guidance_scale,
        _controls(pipe, controlnet_conditioning_scale),
        _image_embeds(pipe, ip_adapter_image, guided, device),
        flow_attention,
    )
    timetable = partial(last_steps_timetable, pipe.scheduler, device=device)
    models = Models(codec, denoiser, timetable, device, anchors, fusion)
    steps = timetable(num_inference_steps, strength)
    run = Run(models, steps, num_inference_steps, window, overlap, 0, generator)
    encoded = codec.encode(frames.to(device, dtype), generator).to(dtype).float()
    if not len(steps):
        return AnimateDiffPipelineOutput(frames=_made(encoded, codec, vae_dtype, frames, output_type))
    noise = _drawn((1, *encoded.shape), generator, device, dtype)[0].float()
    moves = flow_attention or carried_noise or fusion
    pairs = [None, *(_motion(frames) if flows is None else flows)] if moves else [None] * count
    drift = torch.zeros(count, 2, *encoded.shape[-2:])
    if carried_noise:
        noise, drift = _carried(noise, pairs)
    maps = _maps(conditioning_frames, denoiser.controls, frames)
    priors = [
        Prior(i, frames[i], None, pairs[i], controls=maps[i], latents=encoded[i : i + 1])
        for i in range(count)
    ]
    stride = window - overlap
    blocks = [
        start_block(priors[i : i + stride], noise[i : i + stride], drift[i : i + stride], run)
        for i in range(0, count, stride)
    ]
    _step_all(pipe, blocks, run, callback_on_step_end)
    latents = torch.cat([block.now.latents for block in blocks])
    return AnimateDiffPipelineOutput(frames=_made(latents, codec, vae_dtype, frames, output_type))


def _step_all(pipe: Any, blocks: list[Block], run: Run, callback: Callback | None) -> None:
    """All blocks through all steps together: after each, the latents of the whole clip are at one level."""
    pipe._num_timesteps, pipe._interrupt = len(run.timetable), False
    with pipe.progress_bar(total=len(run.timetable)) as progress:
        for number, timestep in enumerate(run.timetable.timesteps):
            if pipe._interrupt:
                continue
            for block, following in pairwise([*blocks, None]):
                assert block is not None  # noqa: S101 - only the last one's following is None
                step_block(block, following, number, run)
            if callback is not None:
                latents = torch.cat([block.now.latents for block in blocks]).transpose(0, 1)[None]
                told = callback(pipe, number, timestep, {"latents": latents}).get("latents", latents)
                for block, part in zip(blocks, told[0].transpose(0, 1).split(len(blocks[0])), strict=True):
                    block.now = block.now.at(part)
            progress.update()


def _pixels(video: Any, scale: int) -> Tensor:
    """Frames ``(F,3,H,W)`` in [0, 1]."""
    from diffusers.video_processor import VideoProcessor

    processor = VideoProcessor(vae_scale_factor=scale)
    prepared: Tensor = processor.preprocess_video(video)
    return prepared[0].transpose(0, 1).float() / 2 + 0.5


def _made(latents: Tensor, codec: VaeCodec, vae_dtype: torch.dtype, frames: Tensor, output_type: str) -> Any:
    from diffusers.video_processor import VideoProcessor

    if output_type != "latent":
        pictures = codec.decode(latents, frames.shape[-2], frames.shape[-1])
    torch.nn.Module.to(codec.vae, vae_dtype)  # the codec may have raised it
    if output_type == "latent":
        return latents.transpose(0, 1)[None]
    processor = VideoProcessor(vae_scale_factor=codec.scale)
    return processor.postprocess_video((pictures * 2 - 1).transpose(0, 1)[None], output_type=output_type)


def _prompts(
    pipe: Any, prompt: str | dict[int | str, str], negative_prompt: str | None, guided: bool
) -> Callable[[Sequence[Prior]], dict[str, Tensor]]:
    import warnings

    schedule = parse(prompt)
    for key in schedule.timeline.keys:
        if key.unit != "frame":
            raise UsageError(f"prompt has the key {key}", "A clip has neither times nor shots: key by frame.")
    embedded = Embedded(schedule, text_encoder(pipe, negative_prompt, guided, warnings.warn))
    return lambda frames: embedded.window([(frame.index, frame.time) for frame in frames])


def _controls(pipe: Any, scale: float | Sequence[float]) -> tuple[ControlInput, ...]:
    net = getattr(pipe, "controlnet", None)
    if net is None:
        return ()
    nets = list(getattr(net, "nets", [net]))
    scales = [scale] * len(nets) if isinstance(scale, int | float) else list(scale)
    return tuple(ControlInput(n, str(i), s) for i, (n, s) in enumerate(zip(nets, scales, strict=True)))


def _maps(
    given: Sequence[Any] | None, controls: tuple[ControlInput, ...], frames: Tensor
) -> list[dict[str, Tensor]]:
    """Every frame's maps ``(3,H,W)`` in [0, 1], by kind."""
    if not controls:
        return [{} for _ in frames]
    if given is None:
        raise UsageError(
            "the pipeline has a ControlNet and no maps", "Give conditioning_frames=, one per frame."
        )
    from diffusers.video_processor import VideoProcessor

    processor = VideoProcessor(vae_scale_factor=8, do_convert_rgb=True, do_normalize=False)
    lists = given if len(controls) > 1 else [given]
    drawn = []
    for maps in lists:
        prepared: Tensor = processor.preprocess_video(
            list(maps), height=frames.shape[-2], width=frames.shape[-1]
        )
        drawn.append(prepared[0].transpose(0, 1).float())
    for maps in drawn:
        if len(maps) != len(frames):
            raise UsageError(
                f"there are {len(maps)} maps for {len(frames)} frames", "Give one map per frame."
            )
    return [
        {control.kind: maps[i] for control, maps in zip(controls, drawn, strict=True)}
        for i in range(len(frames))
    ]


def _image_embeds(pipe: Any, picture: Any, guided: bool, device: torch.device) -> tuple[Tensor, ...]:
    if picture is None:
        return ()
    return tuple(pipe.prepare_ip_adapter_image_embeds(picture, None, device, 1, guided))


def _drawn(
    shape: tuple[int, ...], generator: torch.Generator | None, device: torch.device, dtype: torch.dtype
) -> Tensor:
    from diffusers.utils.torch_utils import randn_tensor

    drawn: Tensor = randn_tensor(shape, generator=generator, device=device, dtype=dtype)
    return drawn


def _motion(frames: Tensor) -> list[PairFlow]:
    return [pair_flow(a, b) for a, b in pairwise(frames.cpu())]


def _carried(noise: Tensor, pairs: Sequence[PairFlow | None]) -> tuple[Tensor, Tensor]:
    """The drawn noise where nothing arrives along the flow, the frame before's everywhere else; and its drift."""
    now = CarriedNoise(noise[:1].cpu(), torch.zeros(1, 2, *noise.shape[-2:]))
    out = [now]
    for i, pair in enumerate(pairs[1:], start=1):
        fresh = noise[i : i + 1].cpu()
        now = (
            CarriedNoise(fresh, torch.zeros_like(now.remainder))
            if pair is None
            else carry_drawn(now, pair, fresh)
        )
        out.append(now)
    return torch.cat([c.noise for c in out]), torch.cat([c.remainder for c in out])
