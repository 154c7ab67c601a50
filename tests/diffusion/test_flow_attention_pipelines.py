"""Flow-guided attention in video transformers, and switched on in a whole pipeline."""

from typing import Any

import pytest
import torch
from attention_by_hand import FRAMES, HEADS, Seen, along, diffusers, noise, pairs, same, small
from torch import Tensor
from trajectory_rules import followed

from vedit.diffusion import WindowFlows, disable_flow_attention, enable_flow_attention, flow_attention
from vedit.errors import EngineError, UsageError
from vedit.flow.pairs import pair_flow


def wan(vace: bool) -> Any:
    torch.manual_seed(0)
    kind = diffusers.WanVACETransformer3DModel if vace else diffusers.WanTransformer3DModel
    extra = {"vace_layers": [0], "vace_in_channels": 6} if vace else {}
    model = kind(
        num_attention_heads=HEADS,
        attention_head_dim=12,
        in_channels=4,
        out_channels=4,
        text_dim=8,
        freq_dim=16,
        ffn_dim=16,
        num_layers=2,
        **extra,
    )
    return model.eval().requires_grad_(False)


@pytest.mark.parametrize("vace", [False, True])
def test_wan(vace: bool) -> None:
    """Four latent frames of 6 x 8 patches; VACE has one of a reference picture before them."""
    model, flow, before = wan(vace), pairs(), int(vace)
    seen = Seen(model)
    latents = noise(2, 4, before + FRAMES, 12, 16)
    control = {"control_hidden_states": noise(2, 6, before + FRAMES, 12, 16)} if vace else {}
    with flow_attention(model, WindowFlows(flow), anchors=before) as guidance:
        model(latents, torch.tensor([10, 10]), noise(2, 3, 8), **control)
    assert guidance.taken == guidance.layers == 2 + before
    rotary = model.rope(latents)
    paths = [path for path in followed(flow, 6, 8).paths if len(path) > 1]
    for _, attn, features, output in seen.calls:
        found = attn.processor(attn, features, None, None, rotary)
        for copy in range(2):
            window = slice(before * 48, None)
            assert torch.equal(output[copy, : before * 48], found[copy, : before * 48])
            same(output[copy, window], along(attn, features[copy, window], found[copy, window], paths))
    with flow_attention(model, WindowFlows(flow[1:])), pytest.raises(EngineError, match="window of 3 frames"):
        model(latents, torch.tensor([10, 10]), noise(2, 3, 8), **control)


@pytest.mark.parametrize("by_place", [False, True])
def test_ltx(by_place: bool) -> None:
    """Told the size of the latents, or, as the pipeline with conditions does, where each token lies."""
    torch.manual_seed(0)
    model = diffusers.LTXVideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=HEADS,
        attention_head_dim=12,
        cross_attention_dim=24,
        num_layers=2,
        caption_channels=8,
    )
    model.eval().requires_grad_(False)
    flow = pairs()
    seen = Seen(model)
    tokens = noise(2, FRAMES * 48, 4)
    places: dict[str, Any] = {"num_frames": FRAMES, "height": 6, "width": 8}
    if by_place:
        grid = torch.meshgrid(*(torch.arange(size) for size in (FRAMES, 6, 8)), indexing="ij")
        places = {"video_coords": (torch.stack(grid).flatten(1) * 32.0)[None].repeat(2, 1, 1)}
    with flow_attention(model, WindowFlows(flow)) as guidance:
        model(tokens, noise(2, 3, 8), torch.tensor([10, 10]), torch.ones(2, 3), **places)
    assert guidance.taken == guidance.layers == 2
    rotary = model.rope(tokens, **places)
    paths = [path for path in followed(flow, 6, 8).paths if len(path) > 1]
    for _, attn, features, output in seen.calls:
        found = attn.processor(attn, features, image_rotary_emb=rotary)
        for copy in range(2):
            same(output[copy], along(attn, features[copy], found[copy], paths))


def image_to_image() -> Any:
    torch.manual_seed(0)
    vae = diffusers.AutoencoderKL(
        block_out_channels=(8, 8),
        norm_num_groups=4,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
    )
    pipe = diffusers.StableDiffusionImg2ImgPipeline(
        vae=vae.eval(),
        text_encoder=None,
        tokenizer=None,
        unet=small(sample_size=8),
        scheduler=diffusers.DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def test_switched_on_in_a_pipeline_until_switched_off() -> None:
    pipe = image_to_image()
    frames = torch.nn.functional.interpolate(noise(1, 3, 4, 5), (32, 48), mode="bicubic").sigmoid()
    frames = torch.cat([frames.roll(2 * i, dims=3) for i in range(FRAMES)])

    def paint() -> Tensor:
        images: Tensor = pipe(
            image=frames,
            prompt_embeds=noise(FRAMES, 3, 8),
            negative_prompt_embeds=noise(FRAMES, 3, 8, seed=2),
            num_inference_steps=4,
            strength=0.5,
            generator=torch.Generator().manual_seed(0),
            output_type="latent",
        ).images
        return images

    before = dict(pipe.unet.attn_processors)
    plain = paint()
    flow = [pair_flow(frames[i], frames[i + 1]) for i in range(FRAMES - 1)]
    with flow_attention(pipe.unet, WindowFlows(flow)):
        guided = paint()
    enable_flow_attention(pipe, pairs())
    other = paint()
    enable_flow_attention(pipe, flow)
    assert torch.equal(paint(), guided)
    enable_flow_attention(pipe, frames)
    assert torch.equal(paint(), guided)
    disable_flow_attention(pipe)
    assert torch.equal(paint(), plain)
    disable_flow_attention(pipe)
    assert all(one is before[name] for name, one in pipe.unet.attn_processors.items())
    assert float((guided - plain).abs().max()) > 1e-4
    assert float((guided - other).abs().max()) > 1e-4
    with pytest.raises(UsageError, match="shape"):
        enable_flow_attention(pipe, frames[None])
