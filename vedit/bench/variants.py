"""The bundled engine in every form that `vedit bench compress` measures: precisions, numbers of steps, compiled."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from vedit.device import model_dtype
from vedit.diffusion.bundled import Block
from vedit.diffusion.engine import WEIGHTS, Engine, build_engine
from vedit.diffusion.speed import check_compiler
from vedit.edits.paint import STEPS
from vedit.errors import EngineError, InputError
from vedit.latents.bundled import Residual
from vedit.weight_files import narrowed, read_weights, widened

CPU = torch.device("cpu")
TRIED = (4, 2, 1)
"""Denoising steps that are measured; those that a look takes (`STEPS`) are the reference."""
SLOW = 3.0
"""A type in which a convolution takes this many times as long as in float32 is of no use."""
Weights = Mapping[str, Tensor]


@dataclass(frozen=True, eq=False)
class Variant:
    """A form of the bundled engine: its name, models, steps, and the MB that its weights are stored in."""

    name: str
    engine: Engine
    steps: int
    size: float
    compiled: bool = False


def variants(
    denoisers: Sequence[Path], remark: Callable[[str], None], *, compiled: bool
) -> Iterator[Variant]:
    """The forms, the reference first: float32 at the usual steps.

    Args:
        denoisers: files of other weights for the bundled denoiser.
        remark: told why one is left out.
        compiled: whether one is compiled.

    Raises:
        InputError: a denoiser cannot be read.
    """
    codec, net = (read_weights(WEIGHTS / f"{name}.safetensors") for name in ("codec", "denoiser"))
    others = {path: _denoiser(path) for path in denoisers}
    usual = model_dtype(CPU)

    def form(name: str, dtype: torch.dtype, steps: int, net: Weights = net) -> Variant:
        title = f"{name}{type_name(dtype)}, {steps} step{'s' if steps > 1 else ''}"
        size = _count(codec, net) * dtype.itemsize / 1e6
        return Variant(title, build_engine(codec, net, CPU, dtype), steps, size)

    yield form("", torch.float32, STEPS)
    for dtype in (torch.bfloat16, torch.float16):
        slower = _slowness(dtype)
        if slower < SLOW:
            yield form("", dtype, STEPS)
        else:
            remark(
                f"{type_name(dtype)} is left out: a convolution takes {slower:.0f} times as long in it here"
            )
    small = narrowed(codec), narrowed(net)
    size = sum(tensor.nbytes for weights in small for tensor in weights.values()) / 1e6
    for dtype in dict.fromkeys((torch.float32, usual)):
        engine = build_engine(widened(small[0]), widened(small[1]), CPU, dtype)
        yield Variant(f"int8 {type_name(dtype)}, {STEPS} steps", engine, STEPS, size)
    for steps in TRIED:
        if steps != STEPS:
            yield form("", usual, steps)
    for path, weights in others.items():
        for steps in TRIED:
            yield form(f"{path.stem} ", usual, steps, weights)
    if compiled and compilable(remark):
        yield _compiled(form("compiled ", usual, STEPS))


def compilable(remark: Callable[[str], None]) -> bool:
    """Whether there is a compiler; if not, it is remarked upon."""
    try:
        check_compiler(CPU)
    except EngineError as error:
        remark(f"nothing is compiled: {error}")
        return False
    return True


def _compiled(variant: Variant) -> Variant:
    """The same with the blocks of its nets compiled, each kind at its first call."""
    for model in (variant.engine.codec, variant.engine.denoiser):
        assert isinstance(model, nn.Module)  # noqa: S101 - the bundled ones are
        for block in model.modules():
            if isinstance(block, Block | Residual):
                block.compile()
    return replace(variant, compiled=True)


def type_name(dtype: torch.dtype) -> str:
    """As torch calls it: float32."""
    return str(dtype).removeprefix("torch.")


def _denoiser(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError(f"the denoiser {path} does not exist", "Check the path.")
    try:
        weights = read_weights(path)
        build_engine(read_weights(WEIGHTS / "codec.safetensors"), weights, CPU, torch.float32)
    except Exception as error:
        raise InputError(
            f"{path} is not the bundled denoiser's weights ({str(error).splitlines()[0]})",
            "Give a .safetensors file that this version's `vedit train denoiser` wrote.",
        ) from error
    return weights


def _count(*parts: Weights) -> int:
    return sum(tensor.numel() for weights in parts for tensor in weights.values())


def _slowness(dtype: torch.dtype) -> float:
    """How many times as long a convolution takes in a type as in float32 on this processor; infinite if it cannot."""
    taken = []
    for kind in (torch.float32, dtype):
        layer, picture = nn.Conv2d(32, 32, 3, padding=1).to(kind), torch.zeros(1, 32, 64, 64, dtype=kind)
        with torch.inference_mode():
            try:
                layer(picture)  # what is set up once is nobody's time
            except RuntimeError:
                return float("inf")
            began = time.process_time()
            for _ in range(4):
                layer(picture)
            taken.append(time.process_time() - began)
    return taken[1] / max(taken[0], 1e-9)
