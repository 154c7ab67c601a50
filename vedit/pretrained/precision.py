"""What a checkpoint's weights are kept in: a floating type, or whole numbers of 8 bits for its linear layers.

The latter is torchao's weight-only quantisation: symmetric, a scale for every output channel. A layer's weight is made
a float again each time the layer is called, so that memory is saved and time is not. Convolutions stay as they were:
torchao has no such weights for them. So it halves transformers (Wan, LTX, T5), takes SDXL's U-Net to 57 % and Stable
Diffusion 1.5's, which is convolutions for the most part, to 84 %.
"""

import importlib.util
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from vedit.device import pretrained_dtype
from vedit.errors import EngineError, UsageError

FLOATS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
INT8 = "int8"
EXTRA = 'pip install "vedit-diffusion[int8]"'
NARROWED = ("unet", "transformer", "text_encoder", "image_encoder")
"""Parts of a pipeline, also numbered ones, whose linear layers are narrowed; codecs are convolutions, and their flaws
are seen in every frame."""


def computing_dtype(weights: str | None, device: torch.device) -> torch.dtype:
    """The floating type that a checkpoint computes in on a device; where none is asked for, the device's own.

    Raises:
        UsageError: float16 on a CPU, which takes some hundred times as long over a convolution as in float32.
    """
    if weights is None or weights == INT8:
        return pretrained_dtype(device)
    if weights == "fp16" and device.type == "cpu":
        raise UsageError("weights=fp16 cannot be computed in on a CPU", "Take weights=bf16 or weights=fp32.")
    return FLOATS[weights]


def check_precision(weights: str | None, device: torch.device) -> None:
    """Complain, before anything is loaded, about weights that this machine cannot have.

    Raises:
        UsageError: int8 on a device for which torchao has not been tried.
        EngineError: torchao is missing.
    """
    if weights != INT8:
        return
    if device.type not in ("cpu", "cuda"):
        raise UsageError(
            f"weights=int8 is for CPUs and CUDA, not for {device.type}", "Leave it out, or take --device cpu."
        )
    if importlib.util.find_spec("torchao") is None:
        raise EngineError("weights=int8 needs the package torchao", f"Install it: `{EXTRA}`.")


def narrow(pipe: Any, beside: Iterable[nn.Module] = ()) -> str:
    """Turn the weights of a pipeline's linear layers into 8 bits, in place; says what came of it.

    To be called when all adapters are in their places and before the models go to their device.

    Args:
        pipe: of diffusers.
        beside: models that work with it and are not among its components (ControlNets).

    Raises:
        EngineError: torchao cannot be used.
    """
    models = [part for name, part in pipe.components.items() if name.rstrip("_0123456789") in NARROWED]
    models = [model for model in (*models, *beside) if isinstance(model, nn.Module)]
    before = sum(map(stored_bytes, models))
    for model in models:
        narrow_layers(model)
    after = sum(map(stored_bytes, models))
    return f"the linear layers' weights are kept in 8 bits: {after / 1e9:.3g} GB where there were {before / 1e9:.3g}"


def narrow_layers(model: nn.Module) -> None:
    """Turn the weights of a model's linear layers into 8 bits, in place; LoRAs stay as they are, over such layers.

    Raises:
        EngineError: torchao cannot be used.
    """
    try:
        from torchao.quantization import Int8WeightOnlyConfig, quantize_
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise EngineError(
            f"torchao cannot be imported ({reason})", f"Install one that fits torch: `{EXTRA}`."
        ) from error
    # Settings of the compiler are the whole process's, and not these weights' to change.
    quantize_(model, Int8WeightOnlyConfig(set_inductor_config=False), filter_fn=_is_narrowed)


def stored_bytes(model: nn.Module) -> int:
    """How much memory a model's weights and buffers take."""
    return sum(_bytes(tensor) for tensor in (*model.parameters(), *model.buffers()))


def _is_narrowed(layer: nn.Module, name: str) -> bool:
    return isinstance(layer, nn.Linear) and "lora_" not in name


def _bytes(tensor: Tensor) -> int:
    if not is_traceable_wrapper_subclass(tensor):
        return tensor.nbytes
    parts, _ = tensor.__tensor_flatten__()
    return sum(_bytes(getattr(tensor, name)) for name in parts)
