"""The models a run works with, loaded once per process."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from vedit.device import model_dtype
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.denoiser import Denoiser
from vedit.diffusion.schedule import Scheduler, bundled_scheduler
from vedit.errors import EngineError
from vedit.latents.bundled import BundledCodec
from vedit.latents.codec import Codec

WEIGHTS = Path(__file__).parents[1] / "weights"


@dataclass(frozen=True, eq=False)
class Engine:
    """A codec and a denoiser that understand the same latents, and the scheduler the denoiser was trained for.

    ``photo`` is the look of footage ``(1,d)``; ``look_of`` gives the look of a style picture.
    """

    codec: Codec
    denoiser: Denoiser
    scheduler: Scheduler
    photo: Tensor
    device: torch.device
    dtype: torch.dtype

    @torch.no_grad()
    def look_of(self, style: Tensor) -> Tensor:
        """The look ``(1,d)`` of a style picture ``(3,H,W)`` in [0, 1]."""
        assert isinstance(self.denoiser, BundledDenoiser)  # noqa: S101 - the only engine there is
        look: Tensor = self.denoiser.look(self.codec.encode(style[None].to(self.device)).to(self.dtype))
        return look


@lru_cache(maxsize=2)
def load_engine(name: str, device: torch.device) -> Engine:
    """The engine called ``name`` on a device; "bundled" is the one that ships with vedit.

    Raises:
        EngineError: no engine has this name, or its weights cannot be read.
    """
    if name != "bundled":
        raise EngineError(f"there is no engine called {name!r}", 'This version has one: engine="bundled".')
    codec, denoiser = BundledCodec(), BundledDenoiser()
    for model, file in ((codec, "codec.safetensors"), (denoiser, "denoiser.safetensors")):
        try:
            model.load_state_dict(load_file(WEIGHTS / file))
        except (OSError, RuntimeError) as error:
            raise EngineError(
                f"the bundled weights {WEIGHTS / file} cannot be read ({str(error).splitlines()[0]})",
                "Install vedit-diffusion again.",
            ) from error
    dtype = model_dtype(device)
    codec = codec.to(device).eval().requires_grad_(False)
    denoiser = denoiser.to(device, dtype).eval().requires_grad_(False)
    return Engine(codec, denoiser, bundled_scheduler(), denoiser.photo, device, dtype)
