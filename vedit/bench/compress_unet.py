"""A pretrained engine made smaller and faster, measured without a download: a U-Net with random weights."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vedit.bench.cache import Trial, latent_psnr, random_unet, way
from vedit.bench.compress import CompressRow
from vedit.bench.variants import CPU, compilable, type_name
from vedit.device import pretrained_dtype, torch_threads
from vedit.diffusion.speed import compile_blocks
from vedit.errors import EngineError
from vedit.pretrained.precision import INT8, check_precision, narrow_layers, stored_bytes

CACHED = 2
"""With cached features the deep blocks run at every so many steps, as ``speed=cache`` has it."""


def unet_protocol(trial: Trial) -> dict[str, str]:
    """How the rows of the U-Net are found."""
    return {
        "U-Net": f"of Stable Diffusion 1.5, {trial.channels} channels for 320, random weights; {trial.steps} steps of "
        f"DDIM on {trial.frames} x {trial.height}x{trial.width} latents; PSNR of the latents at the end",
        "its int8": "of torchao, linear layers only",
    }


@dataclass(frozen=True)
class _Form:
    """A way to run the U-Net: all of it at 1 of ``every`` steps."""

    name: str
    dtype: torch.dtype
    int8: bool = False
    every: int = 1
    compiled: bool = False


def bench_unet(
    trial: Trial, remark: Callable[[str], None], *, compiled: bool = True
) -> Iterator[CompressRow]:
    """The U-Net in float32, in the type it runs in here, in 8 bits, with cached features, and compiled.

    ``seconds`` are of one thread, for a frame's way through all steps. A row that cannot be is remarked upon.
    """
    whole: Tensor | None = None
    with torch_threads(1), torch.inference_mode():
        for form in _forms(pretrained_dtype(CPU), remark, compiled):
            unet = random_unet(trial)
            nn.Module.to(unet, form.dtype)  # the way of diffusers tells of modules that there are none of
            if form.int8:
                narrow_layers(unet)
            if form.compiled:
                compile_blocks(unet)
            began = time.perf_counter()
            try:
                way(unet, trial, "deep", form.every, steps=2)  # what is set up once is nobody's time
            except RuntimeError as error:
                if not form.compiled:
                    raise
                remark(f"the compiled U-Net is left out: {str(error).splitlines()[0]}")
                continue
            ready = time.perf_counter() - began
            began = time.process_time()
            latents, _ = way(unet, trial, "deep", form.every, trial.steps)
            seconds = (time.process_time() - began) / trial.frames
            yield CompressRow(
                clip=f"U-Net, {trial.steps} steps",
                method=form.name,
                frames=trial.frames,
                size=stored_bytes(unet) / 1e6,
                seconds=seconds,
                net_seconds=seconds,
                ready_seconds=ready if form.compiled else None,
                psnr=None if whole is None else latent_psnr(latents, whole),
            )
            whole = latents if whole is None else whole


def _forms(usual: torch.dtype, remark: Callable[[str], None], compiled: bool) -> Iterator[_Form]:
    types = list(dict.fromkeys((torch.float32, usual)))
    word = type_name(usual)
    for dtype in types:
        yield _Form(type_name(dtype), dtype)
    yield _Form(f"cached {word}", usual, every=CACHED)
    try:
        check_precision(INT8, CPU)
    except EngineError as error:
        remark(f"the U-Net in int8 is left out: {error} {error.remedy}")
    else:
        for dtype in types:
            yield _Form(f"int8 {type_name(dtype)}", dtype, int8=True)
        yield _Form(f"int8 cached {word}", usual, int8=True, every=CACHED)
    if compiled and compilable(remark):
        yield _Form(f"compiled {word}", usual, compiled=True)
