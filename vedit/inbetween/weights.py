"""The refiner that ships with vedit, loaded once per device."""

from functools import lru_cache
from pathlib import Path

import torch
from safetensors.torch import load_file

from vedit.device import model_dtype
from vedit.errors import EngineError
from vedit.inbetween.refiner import Refiner

_FILE = Path(__file__).parents[1] / "weights" / "refiner.safetensors"


@lru_cache(maxsize=2)
def load_refiner(device: torch.device) -> Refiner:
    """The bundled refiner on a device.

    Raises:
        EngineError: its weights cannot be read.
    """
    net = Refiner()
    try:
        net.load_state_dict(load_file(_FILE))
    except (OSError, RuntimeError) as error:
        raise EngineError(
            f"the bundled weights {_FILE} cannot be read ({str(error).splitlines()[0]})",
            "Install vedit-diffusion again.",
        ) from error
    net.to(device, model_dtype(device)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net.eval().requires_grad_(False)
