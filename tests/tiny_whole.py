"""Tiny random Wan VACE, LTX and LTX-2 pipelines in the folders of the real ones, made offline.

They compress as the real ones do: Wan 8 pixels and 4 frames into a latent, LTX and LTX-2 32 pixels and 8 frames.
"""

from pathlib import Path
from typing import Any

import torch

from vedit.torchvision_ops import tolerate_torchvision

TEXT_WIDTH = 32
LETTERS = "abcdefghijklmnopqrstuvwxyz,."


def wan_vace(folder: Path, *, multistep: bool = False) -> Path:
    """A Wan VACE pipeline; ``multistep`` gives it the scheduler the real one has, else it has Euler's."""
    diffusers = _diffusers()
    vae = _random(diffusers.AutoencoderKLWan, base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1)
    transformer = _random(
        diffusers.WanVACETransformer3DModel,
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=TEXT_WIDTH,
        freq_dim=32,
        ffn_dim=32,
        num_layers=2,
        rope_max_seq_len=32,
        vace_layers=[0, 1],
        vace_in_channels=96,
    )
    scheduler = (
        diffusers.UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        )
        if multistep
        else diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0)
    )
    text = _text_encoder("UMT5")
    diffusers.WanVACEPipeline(
        vae=vae, transformer=transformer, scheduler=scheduler, text_encoder=text, tokenizer=_tokenizer()
    ).save_pretrained(folder)
    return folder


def ltx(folder: Path) -> Path:
    """An LTX condition pipeline."""
    diffusers = _diffusers()
    blocks = 3
    vae = _random(
        diffusers.AutoencoderKLLTXVideo,
        latent_channels=8,
        block_out_channels=(8,) * blocks,
        decoder_block_out_channels=(8,) * blocks,
        down_block_types=("LTXVideoDownBlock3D",) * blocks,
        layers_per_block=(1,) * (blocks + 1),
        decoder_layers_per_block=(1,) * (blocks + 1),
        spatio_temporal_scaling=(True,) * blocks,
        decoder_spatio_temporal_scaling=(True,) * blocks,
        decoder_inject_noise=(False,) * (blocks + 1),
        downsample_type=("conv",) * blocks,
        upsample_residual=(False,) * blocks,
        upsample_factor=(1,) * blocks,
    )
    transformer = _random(
        diffusers.LTXVideoTransformer3DModel,
        in_channels=8,
        out_channels=8,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        num_layers=1,
        caption_channels=TEXT_WIDTH,
    )
    text = _text_encoder("T5")
    diffusers.LTXConditionPipeline(
        vae=vae,
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        text_encoder=text,
        tokenizer=_tokenizer(),
    ).save_pretrained(folder)
    return folder


def ltx2(folder: Path) -> Path:
    """An LTX-2 condition pipeline, with its sound."""
    diffusers = _diffusers()
    import transformers
    from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder

    blocks, width, layers = 3, 16, 2
    vae = _random(
        diffusers.AutoencoderKLLTX2Video,
        latent_channels=4,
        block_out_channels=(8,) * blocks,
        decoder_block_out_channels=(8,) * blocks,
        down_block_types=("LTX2VideoDownBlock3D",) * blocks,
        layers_per_block=(1,) * (blocks + 1),
        decoder_layers_per_block=(1,) * (blocks + 1),
        spatio_temporal_scaling=(True,) * blocks,
        decoder_spatio_temporal_scaling=(True,) * blocks,
        decoder_inject_noise=(False,) * (blocks + 1),
        downsample_type=("spatiotemporal",) * blocks,
        upsample_type=("spatiotemporal",) * blocks,
        upsample_residual=(False,) * blocks,
        upsample_factor=(1,) * blocks,
        decoder_causal=False,
    )
    audio_vae = _random(
        diffusers.AutoencoderKLLTX2Audio,
        base_channels=4,
        ch_mult=(1,),
        num_res_blocks=1,
        resolution=32,
        latent_channels=2,
        mel_bins=8,
    )
    rope = {"rope_double_precision": False, "rope_type": "split"}
    transformer = _random(
        diffusers.LTX2VideoTransformer3DModel,
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        caption_channels=width,
        **rope,
    )
    connector: dict[str, Any] = {"num_attention_heads": 2, "attention_head_dim": 8, "num_layers": 1}
    connector["num_learnable_registers"] = None
    connectors = _random(
        LTX2TextConnectors,
        caption_channels=width,
        text_proj_in_factor=layers + 1,
        connector_rope_base_seq_len=32,
        **{
            f"{kind}_connector_{name}": value
            for kind in ("video", "audio")
            for name, value in connector.items()
        },
        **rope,
    )
    vocoder = _random(
        LTX2Vocoder,
        in_channels=16,
        hidden_channels=32,
        upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
    )
    config: Any = transformers.Gemma3Config(
        text_config={
            "vocab_size": 128,
            "hidden_size": width,
            "intermediate_size": 32,
            "num_hidden_layers": layers,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "sliding_window": 16,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 16,
            "patch_size": 8,
        },
        mm_tokens_per_image=4,
    )
    kind: Any = transformers.GemmaTokenizer
    pieces = ["<pad>", "<eos>", "<bos>", "<unk>", "▁", *LETTERS]
    diffusers.LTX2ConditionPipeline(
        vae=vae,
        audio_vae=audio_vae,
        transformer=transformer,
        connectors=connectors,
        vocoder=vocoder,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift_terminal=0.1),
        text_encoder=_random(transformers.Gemma3ForConditionalGeneration, config),
        tokenizer=kind(vocab={piece: i for i, piece in enumerate(pieces)}, merges=[]),
    ).save_pretrained(folder)
    return folder


def _diffusers() -> Any:
    tolerate_torchvision()
    import diffusers

    return diffusers


def _random(kind: Any, *args: Any, **settings: Any) -> Any:
    """A model with the same random weights every time, whatever the global generator holds."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind(*args, **settings).eval()


def _text_encoder(kind: str) -> Any:
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        vocab_size=128, d_model=TEXT_WIDTH, d_kv=8, d_ff=37, num_layers=2, num_heads=4
    )
    return _random(getattr(transformers, f"{kind}EncoderModel"), config)


def _tokenizer() -> Any:
    """T5's kind of tokenizer, with a piece for every letter."""
    import transformers

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(letter, -3.0) for letter in LETTERS]
    kind: Any = transformers.T5Tokenizer
    return kind(vocab=pieces, extra_ids=0)
