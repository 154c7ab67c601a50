"""A pipeline's models made ready for a device: where they wait, how their numbers lie, what is compiled."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from vedit.diffusion.memory import Offload, free_caches
from vedit.errors import EngineError

_BLOCKS = ("BasicTransformerBlock",)
"""What is compiled in models that do not say themselves which of their blocks repeat (UNetMotionModel)."""

_GROUP_HOOKS = ("group_offloading", "layer_execution_tracker", "lazy_prefetch_group_offloading")


def prepare(
    pipe: Any,
    device: torch.device,
    *,
    beside: Sequence[Any] = (),
    compile: bool = False,
    offload: Offload = "none",
) -> None:
    """Make a diffusers pipeline's models ready.

    It may be called again with another ``offload``; every call moves all models, which takes seconds.

    Args:
        pipe: the pipeline; its dtype stays.
        device: where it computes.
        beside: models that work with it and are not among its components (ControlNets).
        compile: compile the transformer blocks with ``torch.compile``, each kind once, at the first call: minutes, so
            it pays for films, not for a few frames. Nothing new is compiled where layers wait elsewhere ("group").
        offload: where models wait that do not work just now (see `vedit.diffusion.memory.Offload`); saves nothing
            where the device has no memory of its own.

    Raises:
        EngineError: there is no compiler.
    """
    if compile:
        check_compiler(device)
    if device.type == "cuda" and hasattr(pipe, "unet"):
        for model in (pipe.unet, pipe.vae, *beside):
            model.to(memory_format=torch.channels_last)  # as the convolutions of CUDA want it
    _place(pipe, device, beside, offload)
    if compile and offload != "group":
        for model in (getattr(pipe, "unet", None) or pipe.transformer, *beside):
            compile_blocks(model)


def check_compiler(device: torch.device) -> None:
    """Complain where ``torch.compile`` could not compile for a device.

    Raises:
        EngineError: for a CPU it needs a C++ compiler, and there is none.
    """
    if device.type != "cpu":
        return
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        get_cpp_compiler()
    except RuntimeError as error:
        raise EngineError(
            "compiling for the CPU needs a C++ compiler, and none is found",
            "Install one (g++, say), name it in CXX, or leave speed=compile out.",
        ) from error


def _place(pipe: Any, device: torch.device, beside: Sequence[Any], offload: Offload) -> None:
    from accelerate import cpu_offload_with_hook
    from accelerate.hooks import remove_hook_from_module

    pipe.remove_all_hooks()
    for model in beside:
        remove_hook_from_module(model, recurse=True)
    for model in (*pipe.components.values(), *beside):
        if isinstance(model, nn.Module):
            _stay(model)
    if offload == "none":
        pipe.to(device)
        for model in beside:
            model.to(device)
        return
    pipe.to("cpu", silence_dtype_warnings=True)
    for model in beside:
        model.to("cpu")
    free_caches()
    if offload == "model":
        pipe.enable_model_cpu_offload(device=device)
        for model in beside:
            cpu_offload_with_hook(model, device)
        return
    settings = {"onload_device": device, "offload_type": "leaf_level", "use_stream": device.type == "cuda"}
    pipe.enable_group_offload(**settings)
    for model in beside:
        model.enable_group_offload(**settings)


def _stay(model: nn.Module) -> None:
    """Undo ``enable_group_offload``, for which diffusers has no public way."""
    for module in model.modules():
        registry: Any = getattr(module, "_diffusers_hook", None)
        for name in [n for n in getattr(registry, "hooks", ()) if n in _GROUP_HOOKS]:
            registry.remove_hook(name, recurse=False)


def compile_blocks(model: nn.Module) -> None:
    """Have the transformer blocks of a diffusers model compiled, each kind at its first call."""
    names = getattr(model, "_repeated_blocks", None) or _BLOCKS
    for block in model.modules():
        if type(block).__name__ in names and block._compiled_call_impl is None:
            block.compile()
