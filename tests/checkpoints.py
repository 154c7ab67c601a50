"""Tiny random checkpoints in the formats of the real ones, made offline in about a second each.

Every builder writes below the path it is given and returns it. The same call always writes the same weights, and none
of them is zero (a real training starts ControlNets, LoRAs and motion modules there, which would hide what they do).
U-Nets have two levels (32 and 64 channels), codecs have four, so that latents are 1/8 as in reality.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from original_names import codec_name, controlnet_name, unet_name
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from vedit.torchvision_ops import tolerate_torchvision

CHANNELS = (32, 64)
"""Of the two levels of every U-Net, motion adapter and ControlNet."""
TEXT_WIDTH = 32
LATENT_CHANNELS = 4


def sd15(folder: Path, in_channels: int = 4, seed: int = 0) -> Path:
    """A Stable Diffusion 1.5 pipeline folder; with 9 ``in_channels`` the inpainting kind."""
    tolerate_torchvision()
    from diffusers import AutoencoderKL

    _save(_unet("sd", in_channels, seed), folder / "unet")
    _save(_random(AutoencoderKL, seed + 1, **_codec_settings(0.18215)), folder / "vae")
    _save_text_encoder(_text_encoder("CLIPTextModel", seed + 2), folder / "text_encoder")
    _tokenizer(folder / "tokenizer")
    _scheduler(folder / "scheduler", "DDIMScheduler", clip_sample=False, set_alpha_to_one=False)
    kind = "StableDiffusionInpaintPipeline" if in_channels == 9 else "StableDiffusionPipeline"
    return _index(
        folder,
        kind,
        unet=["diffusers", "UNet2DConditionModel"],
        vae=["diffusers", "AutoencoderKL"],
        text_encoder=["transformers", "CLIPTextModel"],
        tokenizer=["transformers", "CLIPTokenizer"],
        scheduler=["diffusers", "DDIMScheduler"],
        safety_checker=[None, None],
        feature_extractor=[None, None],
        requires_safety_checker=False,
    )


def sdxl(folder: Path, in_channels: int = 4, seed: int = 0) -> Path:
    """A Stable Diffusion XL pipeline folder; with 9 ``in_channels`` the inpainting kind."""
    tolerate_torchvision()
    from diffusers import AutoencoderKL

    _save(_unet("sdxl", in_channels, seed), folder / "unet")
    _save(_random(AutoencoderKL, seed + 1, **_codec_settings(0.13025)), folder / "vae")
    _save_text_encoder(_text_encoder("CLIPTextModel", seed + 2), folder / "text_encoder")
    _save(_text_encoder("CLIPTextModelWithProjection", seed + 3), folder / "text_encoder_2")
    _tokenizer(folder / "tokenizer")
    _tokenizer(folder / "tokenizer_2")
    _scheduler(folder / "scheduler", "EulerDiscreteScheduler", timestep_spacing="leading")
    kind = "StableDiffusionXLInpaintPipeline" if in_channels == 9 else "StableDiffusionXLPipeline"
    return _index(
        folder,
        kind,
        unet=["diffusers", "UNet2DConditionModel"],
        vae=["diffusers", "AutoencoderKL"],
        text_encoder=["transformers", "CLIPTextModel"],
        text_encoder_2=["transformers", "CLIPTextModelWithProjection"],
        tokenizer=["transformers", "CLIPTokenizer"],
        tokenizer_2=["transformers", "CLIPTokenizer"],
        scheduler=["diffusers", "EulerDiscreteScheduler"],
        image_encoder=[None, None],
        feature_extractor=[None, None],
        force_zeros_for_empty_prompt=True,
    )


def sd15_single_file(path: Path, in_channels: int = 4, seed: int = 0) -> Path:
    """The weights of `sd15` as one file with the key names of the original Stable Diffusion release."""
    tolerate_torchvision()
    from diffusers import AutoencoderKL

    unet = _unet("sd", in_channels, seed).state_dict()
    vae = _random(AutoencoderKL, seed + 1, **_codec_settings(0.18215)).state_dict()
    text = _text_encoder("CLIPTextModel", seed + 2).state_dict()
    weights = {f"model.diffusion_model.{unet_name(key)}": value for key, value in unet.items()}
    for key, value in vae.items():
        name = f"first_stage_model.{codec_name(key)}"
        linear = ".mid.attn_1." in name and name.endswith("weight") and value.ndim == 2
        weights[name] = value[:, :, None, None] if linear else value
    for key, value in text.items():
        weights[f"cond_stage_model.transformer.text_model.{key.removeprefix('text_model.')}"] = value
    return _file(weights, path)


def motion_adapter(folder: Path, seed: int = 10) -> Path:
    """An AnimateDiff motion adapter for `sd15`."""
    return _motion_adapter(folder, seed, use_motion_mid_block=True)


def motion_adapter_sdxl(folder: Path, seed: int = 11) -> Path:
    """An AnimateDiff motion adapter for `sdxl`, without a middle block as the real one."""
    return _motion_adapter(folder, seed, use_motion_mid_block=False)


def controlnet(folder: Path, family: str = "sd", seed: int = 20) -> Path:
    """A ControlNet for `sd15` or ("sdxl") for `sdxl`."""
    tolerate_torchvision()
    from diffusers import ControlNetModel

    settings = _unet_settings(family)
    for name in ("sample_size", "out_channels", "up_block_types"):
        del settings[name]
    model = _random(
        ControlNetModel, seed, **settings, in_channels=4, conditioning_embedding_out_channels=(8, 8, 16, 16)
    )
    return _save(model, folder)


def controlnet_single_file(path: Path, seed: int = 20) -> Path:
    """The weights of `controlnet` as one file with the key names of the original release."""
    weights = load_file(controlnet(path.with_suffix(""), seed=seed) / "diffusion_pytorch_model.safetensors")
    shutil.rmtree(path.with_suffix(""))
    return _file({f"control_model.{controlnet_name(key)}": value for key, value in weights.items()}, path)


def lora(path: Path, family: str = "sd", kohya: bool = True, rank: int = 4, seed: int = 30) -> Path:
    """A LoRA of the U-Net's attention in one .safetensors file, with kohya's key names or with those of diffusers."""
    dice = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    for name, layer in _unet(family).named_modules():
        if not isinstance(layer, nn.Linear) or not name.endswith(("to_q", "to_k", "to_v", "to_out.0")):
            continue
        down = torch.randn(rank, layer.in_features, generator=dice) * 0.2
        up = torch.randn(layer.out_features, rank, generator=dice) * 0.2
        if kohya:
            stem = f"lora_unet_{name.replace('.', '_')}"
            weights |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up}
            weights[f"{stem}.alpha"] = torch.tensor(float(rank))
        else:
            weights |= {f"unet.{name}.lora_A.weight": down, f"unet.{name}.lora_B.weight": up}
    return _file(weights, path)


def lcm_lora(folder: Path, family: str = "sd", seed: int = 31) -> Path:
    """An LCM LoRA as its repository looks: a folder with ``pytorch_lora_weights.safetensors``."""
    lora(folder / "pytorch_lora_weights.safetensors", family, seed=seed)
    return folder


def ip_adapter(folder: Path, family: str = "sd", seed: int = 40) -> Path:
    """An IP-Adapter with its image encoder, laid out as the repository h94/IP-Adapter."""
    tolerate_torchvision()
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    dice, unet, width = torch.Generator().manual_seed(seed), _unet(family), 32
    cross = int(unet.config.cross_attention_dim)
    weights = {
        "image_proj.proj.weight": torch.randn(4 * cross, width, generator=dice) * 0.1,
        "image_proj.proj.bias": torch.randn(4 * cross, generator=dice) * 0.1,
        "image_proj.norm.weight": torch.ones(cross),
        "image_proj.norm.bias": torch.zeros(cross),
    }
    for number, name in enumerate(unet.attn_processors):
        if "attn2" in name:
            hidden = unet.get_submodule(name.removesuffix(".processor")).to_q.out_features
            for part in ("to_k_ip", "to_v_ip"):
                weights[f"ip_adapter.{number}.{part}.weight"] = (
                    torch.randn(hidden, cross, generator=dice) * 0.1
                )
    models = folder / ("sdxl_models" if family == "sdxl" else "models")
    _file(weights, models / f"ip-adapter_{'sdxl' if family == 'sdxl' else 'sd15'}.safetensors")
    settings = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=37,
        projection_dim=width,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    _save(_random(CLIPVisionModelWithProjection, seed + 1, settings), models / "image_encoder")
    return folder


def tiny_codec(folder: Path, seed: int = 50) -> Path:
    """An AutoencoderTiny, as madebyollin/taesd."""
    tolerate_torchvision()
    from diffusers import AutoencoderTiny

    widths = (8, 8, 8, 8)
    model = _random(
        AutoencoderTiny,
        seed,
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    )
    return _save(model, folder)


def _unet(family: str, in_channels: int = 4, seed: int = 0) -> Any:
    tolerate_torchvision()
    from diffusers import UNet2DConditionModel

    return _random(UNet2DConditionModel, seed, **_unet_settings(family), in_channels=in_channels)


def _unet_settings(family: str) -> dict[str, Any]:
    settings = {
        "sample_size": 8,
        "out_channels": LATENT_CHANNELS,
        "block_out_channels": CHANNELS,
        "layers_per_block": 1,
        "norm_num_groups": 8,
        "cross_attention_dim": TEXT_WIDTH,
        "attention_head_dim": 4,  # the number of heads, as in Stable Diffusion's own settings
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
    if family == "sdxl":
        settings |= {
            "cross_attention_dim": 2 * TEXT_WIDTH,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "transformer_layers_per_block": (1, 2),
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + TEXT_WIDTH,
        }
    return settings


def _codec_settings(scaling_factor: float) -> dict[str, Any]:
    return {
        "block_out_channels": (8, 8, 16, 16),
        "down_block_types": ("DownEncoderBlock2D",) * 4,
        "up_block_types": ("UpDecoderBlock2D",) * 4,
        "layers_per_block": 1,
        "norm_num_groups": 4,
        "latent_channels": LATENT_CHANNELS,
        "sample_size": 64,
        "scaling_factor": scaling_factor,
    }


def _scheduler(folder: Path, kind: str, **settings: Any) -> None:
    import diffusers

    make: Any = getattr(diffusers, kind)
    noise = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
    make(**noise, **settings).save_pretrained(folder)


def _motion_adapter(folder: Path, seed: int, use_motion_mid_block: bool) -> Path:
    tolerate_torchvision()
    from diffusers import MotionAdapter

    model = _random(
        MotionAdapter,
        seed,
        block_out_channels=CHANNELS,
        motion_layers_per_block=1,
        motion_norm_num_groups=8,
        motion_num_attention_heads=4,
        motion_max_seq_length=32,
        use_motion_mid_block=use_motion_mid_block,
    )
    return _save(model, folder)


def _text_encoder(kind: str, seed: int) -> Any:
    tolerate_torchvision()
    import transformers

    settings = transformers.CLIPTextConfig(
        vocab_size=len(_vocabulary()),
        hidden_size=TEXT_WIDTH,
        intermediate_size=37,
        projection_dim=TEXT_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=len(_vocabulary()) - 2,
        eos_token_id=len(_vocabulary()) - 1,
        pad_token_id=len(_vocabulary()) - 1,
    )
    return _random(getattr(transformers, kind), seed, settings)


def _vocabulary() -> dict[str, int]:
    """CLIP's, without what it learned: the 256 bytes, the same at a word's end, two marks."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    shifted = [256 + i for i in range(256 - len(printable))]
    letters = [chr(code) for code in (*printable, *shifted)]
    words = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    return {word: number for number, word in enumerate(words)}


def _tokenizer(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    end = {
        "content": "<|endoftext|>",
        "lstrip": False,
        "normalized": True,
        "rstrip": False,
        "single_word": False,
    }
    start = end | {"content": "<|startoftext|>"}
    marks = {"bos_token": start, "eos_token": end, "unk_token": end, "pad_token": "<|endoftext|>"}
    settings = {
        "add_prefix_space": False,
        "do_lower_case": True,
        "errors": "replace",
        "model_max_length": 77,
        "tokenizer_class": "CLIPTokenizer",
    }
    (folder / "vocab.json").write_text(json.dumps(_vocabulary()))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(marks))
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | marks))


def _random(kind: Any, seed: int, *args: Any, **settings: Any) -> Any:
    """A model whose every weight comes from ``seed``, whatever the global generator holds."""
    with torch.random.fork_rng(devices=[]):
        model = kind(*args, **settings)
    dice = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in sorted(model.named_parameters()):
            noise = torch.randn(value.shape, generator=dice)
            if value.ndim > 1:
                value.copy_(noise / value[0].numel() ** 0.5)
            else:
                value.copy_(0.05 * noise + (1 if "norm" in name and name.endswith("weight") else 0))
    return model.eval()


def _save(model: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    return folder


def _save_text_encoder(model: Any, folder: Path) -> None:
    """With the published files' names, which today's transformers reads but no longer writes."""
    file = _save(model, folder) / "model.safetensors"
    weights = {
        f"text_model.{key.removeprefix('text_model.')}": value for key, value in load_file(file).items()
    }
    save_file(weights, file, {"format": "pt"})


def _file(weights: dict[str, Tensor], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in weights.items()}, path)
    return path


def _index(folder: Path, kind: str, **parts: Any) -> Path:
    import diffusers

    facts = {"_class_name": kind, "_diffusers_version": diffusers.__version__} | parts
    (folder / "model_index.json").write_text(json.dumps(facts, indent=2))
    return folder
