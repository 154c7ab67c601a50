"""Whether the files of a checkpoint are there, whole, and of a kind that is safe to read."""

import json
from pathlib import Path
from typing import Any

from vedit.errors import EngineError
from vedit.pretrained.find import PICKLES

_NOT_MODELS = {
    "safety_checker",
    "feature_extractor",
    "image_processor",
    "processor",
    "prompt_enhancer",
    "duration_head",
}
_TRUSTED = ("diffusers", "transformers")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object.

    Raises:
        EngineError: missing, or damaged.
    """
    try:
        read = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise EngineError(f"{path} is missing", "Fetch the checkpoint again.") from None
    except (OSError, ValueError) as error:
        raise EngineError(f"{path} is damaged ({error})", "Fetch the checkpoint again.") from error
    if not isinstance(read, dict):
        raise EngineError(f"{path} holds no settings", "Fetch the checkpoint again.")
    return read


def lacking(folder: Path) -> list[str]:
    """What a pipeline's folder still needs, such as ``unet/diffusion_pytorch_model.safetensors``; [] when whole."""
    if not (folder / "model_index.json").is_file():
        return ["model_index.json"]
    return [missing for name in parts(folder) if (missing := _lacking_part(folder, name))]


def parts(folder: Path) -> list[str]:
    """The parts of a pipeline's folder that are loaded.

    Raises:
        EngineError: the index is damaged, or names code of its own.
    """
    index = read_json(folder / "model_index.json")
    found = []
    for name, value in index.items():
        if name.startswith("_") or name in _NOT_MODELS or not isinstance(value, list) or not any(value[:1]):
            continue
        if value[0] not in _TRUSTED and (folder / name / f"{value[0]}.py").exists():
            raise EngineError(
                f"{folder} brings code of its own for its {name}", "Take a plain diffusers folder."
            )
        found.append(name)
    return found


def weights_of(folder: Path, half: bool = False) -> list[Path]:
    """The .safetensors files of one model in a folder; ``half``: those of its fp16 variant.

    Raises:
        EngineError: there are only pickles.
    """
    files = sorted(folder.glob("*.safetensors"))
    found = [file for file in files if (".fp16" in file.name) == half and "non_ema" not in file.name]
    pickled = [file for file in folder.glob("*") if file.suffix in PICKLES]
    if not files and pickled:
        raise EngineError(
            f"{pickled[0]} is a pickle, which can run any code when it is read",
            "Take a checkpoint with .safetensors files, or convert this one on a machine that you can lose: load it "
            "with diffusers and save_pretrained(folder, safe_serialization=True).",
        )
    return found


def only_half(folder: Path) -> bool:
    """Whether a model's folder holds its weights as the fp16 variant alone."""
    return not weights_of(folder) and bool(weights_of(folder, half=True))


def check_weights(path: Path) -> None:
    """See that every weights file at or below a path is whole, by its header.

    Raises:
        EngineError: one is damaged; names it.
    """
    from safetensors import SafetensorError, safe_open

    for file in [path] if path.is_file() else sorted(path.rglob("*.safetensors")):
        try:
            with safe_open(file, framework="pt") as opened:
                opened.keys()
        except (SafetensorError, OSError) as error:
            raise EngineError(
                f"{file} is damaged or not a safetensors file ({error})", "Fetch it again."
            ) from error


def header(path: Path) -> tuple[dict[str, tuple[int, ...]], dict[str, str]]:
    """The names and shapes in a weights file, and what it says about itself.

    Raises:
        EngineError: it is damaged.
    """
    from safetensors import safe_open

    check_weights(path)
    with safe_open(path, framework="pt") as opened:
        shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
        return shapes, dict(opened.metadata() or {})


def _lacking_part(folder: Path, name: str) -> str | None:
    part = folder / name
    if "scheduler" in name:
        return None if (part / "scheduler_config.json").is_file() else f"{name}/scheduler_config.json"
    if "tokenizer" in name:
        return None if part.is_dir() and any(part.iterdir()) else f"{name}/tokenizer_config.json"
    if not (part / "config.json").is_file():
        return f"{name}/config.json"
    for half in (False, True):
        found = {file.name for file in weights_of(part, half)}
        for index in part.glob("*.safetensors.index*.json"):
            if (".fp16" in index.name) == half:
                shards = set(read_json(index).get("weight_map", {}).values())
                found = found if shards <= found else set()
        if found:
            return None
    return f"{name}/*.safetensors"
