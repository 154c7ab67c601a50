"""The completion net that ships with vedit, loaded once per process."""

from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError

from vedit.completion.net import CompletionNet
from vedit.device import model_dtype
from vedit.weight_files import read_weights, unreadable

WEIGHTS = Path(__file__).parents[1] / "weights" / "completion.safetensors"


@lru_cache(maxsize=2)
def load_completion(device: torch.device) -> CompletionNet:
    """The net on a device, in the type models run in there.

    Raises:
        EngineError: its weights cannot be read.
    """
    net = CompletionNet()
    try:
        net.load_state_dict(read_weights(WEIGHTS))
    except (OSError, RuntimeError, SafetensorError) as error:
        raise unreadable(WEIGHTS, error) from error
    net = net.to(device, model_dtype(device)).eval().requires_grad_(False)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net
