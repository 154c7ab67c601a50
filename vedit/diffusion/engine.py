"""The models a run works with, loaded once per process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from vedit.device import model_dtype
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.schedule import Scheduler, bundled_scheduler
from vedit.errors import EngineError, InputError
from vedit.latents.bundled import BundledCodec
from vedit.latents.codec import Codec
from vedit.weight_files import read_weights, unreadable

WEIGHTS = Path(__file__).parents[1] / "weights"
Net = TypeVar("Net", bound=nn.Module)


@dataclass(frozen=True, eq=False)
class Engine:
    """A codec and a denoiser that understand the same latents, and the scheduler the denoiser was trained for."""

    codec: Codec
    denoiser: nn.Module
    scheduler: Scheduler
    device: torch.device
    dtype: torch.dtype


def load_look(engine: Engine, path: Path) -> Engine:
    """The engine with the look that ``vedit train look`` taught it (row `FITTED` of its table).

    Raises:
        InputError: the file is missing, or not such a look.
    """
    if not path.is_file():
        raise InputError(
            f"the look {path} does not exist", "Check the path, or make it with `vedit train look`."
        )
    denoiser = BundledDenoiser()
    try:
        denoiser.load_state_dict(read_weights(path))
    except Exception as error:
        raise InputError(
            f"{path} is not a look ({str(error).splitlines()[0]})",
            "Give a .safetensors file that this version's `vedit train look` wrote.",
        ) from error
    return replace(engine, denoiser=_ready(denoiser.to(engine.device, engine.dtype)))


def check_engine(name: str) -> None:
    """Complain about an engine that nobody knows.

    Raises:
        EngineError: no engine has this name.
    """
    if name != "bundled":
        raise EngineError(f"{name!r} is no engine of ours", 'Ours is engine="bundled".')


@lru_cache(maxsize=2)
def load_engine(name: str, device: torch.device) -> Engine:
    """The engine called ``name`` on a device; "bundled" is the one that ships with vedit.

    Raises:
        EngineError: no engine has this name, or its weights cannot be read.
    """
    check_engine(name)
    codec, denoiser = (_bundled(name) for name in ("codec", "denoiser"))
    try:
        return build_engine(codec, denoiser, device, model_dtype(device))
    except RuntimeError as error:
        raise unreadable(WEIGHTS, error) from error


def _bundled(name: str) -> dict[str, Tensor]:
    path = WEIGHTS / f"{name}.safetensors"
    try:
        return read_weights(path)
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error


def build_engine(
    codec_weights: Mapping[str, Tensor],
    denoiser_weights: Mapping[str, Tensor],
    device: torch.device,
    dtype: torch.dtype,
) -> Engine:
    """The bundled engine with these weights, computing in a type; the codec's colours always in float32.

    Raises:
        RuntimeError: they are not those of its codec and denoiser.
    """
    codec, denoiser = BundledCodec(), BundledDenoiser()
    codec.load_state_dict(codec_weights)
    denoiser.load_state_dict(denoiser_weights)
    codec = _ready(codec.to(device).to_detail_dtype(dtype))
    denoiser = _ready(denoiser.to(device, dtype))
    return Engine(codec, denoiser, bundled_scheduler(), device, dtype)


def _ready(net: Net) -> Net:
    """A net to be used and not trained; convolutions take a tenth less time with a pixel's channels side by side."""
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net.eval().requires_grad_(False)
