"""Files of weights, as floats or in half the room: whole numbers of 8 bits, and a scale for every output channel.

A layer's weight ``(out, ...)`` becomes ``round(w / scale)`` in -127..127 with ``scale`` the largest magnitude of its
row over 127 (symmetric, per channel: Krishnamoorthi, "Quantizing deep convolutional networks for efficient inference",
2018, section 3.1); the scales lie beside it under its name and `SCALE`. Biases, norms, buffers and small layers stay as
they are: there is little of them, and what is next to the picture is among them (the first layer of the codec's decoder
alone, whose inputs are of different sizes, cost 0.4 dB). Reading brings floats back, so that models compute as they
always did: what shrinks is the file.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from vedit.errors import EngineError

SCALE = "|int8 scale"
"""Put after a tensor's name to name its scales, ``(out, 1, ...)`` in float32; no module can bear such a name."""
LARGEST = 127
LEAST = 16384
"""Values of the smallest weight that is worth it."""


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors file by name, as they are there; those kept in 8 bits in float32.

    Raises:
        OSError, SafetensorError: the file cannot be read.
    """
    return widened(load_file(path))


def narrowed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights with those of large layers in 8 bits, and their scales."""
    narrow: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if not (name.endswith("weight") and tensor.is_floating_point() and tensor.numel() >= LEAST):
            narrow[name] = tensor
            continue
        wide = tensor.float()
        scale = wide.abs().amax(dim=tuple(range(1, wide.ndim)), keepdim=True) / LARGEST
        narrow[name] = (wide / scale.clamp_min(torch.finfo(torch.float32).tiny)).round().to(torch.int8)
        narrow[name + SCALE] = scale
    return narrow


def widened(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights that `narrowed` made smaller, in float32; others as they are."""
    return {
        name: tensor.float() * weights[name + SCALE] if name + SCALE in weights else tensor
        for name, tensor in weights.items()
        if not name.endswith(SCALE)
    }


def unreadable(path: Path, error: Exception) -> EngineError:
    """What is raised where weights that ship with vedit cannot be read, whatever is wrong with them."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    return EngineError(
        f"the bundled weights {path} cannot be read ({reason})", "Install vedit-diffusion again."
    )
