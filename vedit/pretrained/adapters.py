"""What is laid over a Stable Diffusion pipeline: motion, LoRA, ControlNet, IP-Adapter, another codec."""

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

from vedit.errors import EngineError
from vedit.pretrained.fetch import local
from vedit.pretrained.files import check_weights, header, only_half, read_json, weights_of
from vedit.pretrained.find import Place
from vedit.pretrained.quiet import reading
from vedit.pretrained.schedulers import FewSteps, few_steps


def motion_adapter(place: Place, dtype: torch.dtype) -> tuple[Any, FewSteps | None]:
    """An AnimateDiff motion adapter, and how it wants to be sampled if it was distilled.

    A single file may have the names of the original release or those of diffusers.
    """
    import diffusers

    path = _folder(local(place))
    described = few_steps(f"{place.repo or ''} {path.parent.name}/{path.name}")
    with reading(path):
        if path.is_dir():
            kind: Any = diffusers.MotionAdapter
            adapter = kind.from_pretrained(path, **_options(path, dtype))
        else:
            adapter = _motion_file(path).to(dtype)
    return adapter, described


def _motion_file(path: Path) -> Any:
    """A motion adapter from one file, its shape read off the weights."""
    import diffusers
    from diffusers.loaders import single_file_utils

    weights = load_file(path)
    positions = next((value.shape[1] for key, value in weights.items() if key.endswith("pos_encoder.pe")), 32)
    if any(".temporal_transformer." in key for key in weights):
        convert: Any = single_file_utils.convert_animatediff_checkpoint_to_diffusers
        weights = convert(weights)
    weights = {key: value for key, value in weights.items() if not key.endswith((".pe", "pos_embed.pe"))}
    levels = len({key.split(".")[1] for key in weights if key.startswith("down_blocks.")})
    widths = [len(weights[f"down_blocks.{level}.motion_modules.0.norm.weight"]) for level in range(levels)]
    kind: Any = diffusers.MotionAdapter
    layers = {key.split(".")[3] for key in weights if key.startswith("down_blocks.0.motion_modules.")}
    adapter = kind(
        motion_layers_per_block=len(layers),
        block_out_channels=tuple(widths),
        motion_max_seq_length=positions,
        use_motion_mid_block=any(key.startswith("mid_block.") for key in weights),
    )
    missing, unexpected = adapter.load_state_dict(weights, strict=False)
    if unexpected or [key for key in missing if not key.endswith("pos_embed.pe")]:
        raise ValueError("these are not the weights of an AnimateDiff motion module")
    return adapter


def add_loras(pipe: Any, loras: list[tuple[Place, float]]) -> FewSteps | None:
    """Lay LoRAs over a pipeline, each with its weight; what the last one that was distilled wants.

    They stay apart from the weights below (never fused): what is added to half precision weights is rounded.
    """
    wanted = None
    names = []
    for number, (place, _) in enumerate(loras):
        path = local(place)
        if path.is_dir():
            path = _only_file(path, "pytorch_lora_weights.safetensors", place)
        shapes, told = header(path)
        if not any("lora" in key or ".hada_" in key for key in shapes):
            raise EngineError(f"{path} is not a LoRA", "Give the .safetensors file of one.")
        about = " ".join(told.get(key, "") for key in ("ss_output_name", "modelspec.title"))
        wanted = few_steps(f"{place.repo or ''} {path.parent.name}/{path.name} {about}") or wanted
        names.append(f"lora_{number}")
        with reading(path, f"Is this LoRA made for the model below it ({type(pipe).__name__})?"):
            pipe.load_lora_weights(
                str(path.parent), weight_name=path.name, adapter_name=names[-1], local_files_only=True
            )
            if not any(names[-1] in found for found in pipe.get_list_adapters().values()):
                raise ValueError("none of its weights has a place in the model")
    if names:
        pipe.set_adapters(names, [weight for _, weight in loras])
    return wanted


def controlnet(place: Place, unet: Any, dtype: torch.dtype) -> Any:
    """A ControlNet that fits a U-Net for pictures.

    A single file may have the names of the original release or those of diffusers.
    """
    import diffusers

    path = _folder(local(place))
    kind: Any = diffusers.ControlNetModel
    with reading(path, "Take a ControlNet made for the model's family; `vedit engines` lists some."):
        model = (
            kind.from_pretrained(path, **_options(path, dtype))
            if path.is_dir()
            else _controlnet_file(path, unet).to(dtype)
        )
    text, own = model.config.cross_attention_dim, unet.config.cross_attention_dim
    if text != own:
        raise EngineError(
            f"the ControlNet {place.name} reads texts of width {text}, the model has {own}",
            "Take a ControlNet made for the model's family; `vedit engines` lists some.",
        )
    return model


def _controlnet_file(path: Path, unet: Any) -> Any:
    """A ControlNet from one file: the settings of the U-Net it copies, the rest read off the weights."""
    import diffusers
    from diffusers.loaders import single_file_utils

    kind: Any = diffusers.ControlNetModel
    convert: Any = single_file_utils.convert_controlnet_checkpoint
    weights = convert(load_file(path), {"layers_per_block": unet.config.layers_per_block})
    if any(value is None for value in weights.values()) or "controlnet_mid_block.weight" not in weights:
        raise ValueError("these are not the weights of a ControlNet")
    with torch.device("meta"):
        config = dict(kind.from_unet(unet, load_weights_from_unet=False).config)
    stem = "controlnet_cond_embedding"
    widths = [len(weights[f"{stem}.conv_in.weight"])]
    while (name := f"{stem}.blocks.{2 * len(widths) - 1}.weight") in weights:
        widths.append(len(weights[name]))
    config |= {
        "in_channels": weights["conv_in.weight"].shape[1],
        "conditioning_embedding_out_channels": tuple(widths),
    }
    model = kind.from_config(config)
    model.load_state_dict(weights)
    return model


def add_ip_adapter(pipe: Any, place: Place, family: str, dtype: torch.dtype) -> None:
    """Lay an IP-Adapter over a pipeline, with its image encoder."""
    from transformers import CLIPVisionModelWithProjection

    found = local(place)
    folder, stem = ("sdxl_models", "ip-adapter_sdxl") if family == "sdxl" else ("models", "ip-adapter_sd15")
    file = found if found.is_file() else found / folder / f"{stem}.safetensors"
    if not file.is_file():
        raise EngineError(
            f"{file} is missing", "Lay the folder out as h94/IP-Adapter, or give the weights file."
        )
    keys, _ = header(file)
    if not any(key.startswith("image_proj.") for key in keys):
        raise EngineError(f"{file} is not an IP-Adapter", "Give a .safetensors file of h94/IP-Adapter.")
    # The SDXL adapters named vit-h look through the encoder of the smaller family.
    beside = file.parent.parent / "models" if "vit-h" in file.name else file.parent
    encoder = beside / "image_encoder"
    read_json(encoder / "config.json")
    if not weights_of(encoder):
        raise EngineError(
            f"{encoder} has no .safetensors file",
            f"Fetch it: `{place.command}`." if place.repo else "Copy it there.",
        )
    check_weights(encoder)
    with reading(encoder):
        eyes: Any = CLIPVisionModelWithProjection.from_pretrained(
            encoder, use_safetensors=True, local_files_only=True, dtype=dtype
        )
    with reading(file, f"Is this IP-Adapter made for the family {family}?"):
        pipe.register_modules(image_encoder=eyes.eval())
        pipe.load_ip_adapter(
            str(file.parent.parent),
            subfolder=file.parent.name,
            weight_name=file.name,
            image_encoder_folder=None,
            local_files_only=True,
        )


def other_codec(place: Place, channels: int, dtype: torch.dtype) -> Any:
    """An AutoencoderTiny or AutoencoderKL for latents of so many channels."""
    import diffusers

    path = _folder(local(place))
    if path.is_file():
        raise EngineError(f"{path} is a codec in one file", "Give its folder or hub id, with config.json.")
    kind = read_json(path / "config.json").get("_class_name")
    if kind not in ("AutoencoderTiny", "AutoencoderKL"):
        raise EngineError(f"{path} is a {kind}", "Give an AutoencoderTiny or an AutoencoderKL as the codec.")
    with reading(path):
        model: Any = getattr(diffusers, kind).from_pretrained(path, **_options(path, dtype))
    if model.config.latent_channels != channels:
        raise EngineError(
            f"the codec {place.name} has {model.config.latent_channels} channels of latents, not {channels}",
            "Take a codec made for the model's family.",
        )
    return model


def _options(path: Path, dtype: torch.dtype) -> dict[str, Any]:
    return {
        "torch_dtype": dtype,
        "use_safetensors": True,
        "local_files_only": True,
        "variant": "fp16" if only_half(path) else None,
    }


def _folder(path: Path) -> Path:
    """The folder of a weights file that has its settings beside it, as if the folder had been named."""
    named = path.is_file() and path.name.startswith("diffusion_pytorch_model")
    return path.parent if named and (path.parent / "config.json").is_file() else path


def _only_file(folder: Path, usual: str, place: Place) -> Path:
    if (folder / usual).is_file():
        return folder / usual
    files = weights_of(folder)
    if len(files) != 1:
        names = ", ".join(file.name for file in files[:6]) or "no .safetensors file"
        example = f"{place.repo or folder}/{files[0].name}" if files else "owner/name/file.safetensors"
        raise EngineError(f"{place.name} holds {names}", f"Name the one that is meant, such as {example}.")
    return files[0]
