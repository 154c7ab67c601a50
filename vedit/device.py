"""Where tensors live and in what type: decided here and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from vedit.errors import EngineError

MOST_THREADS = 4
"""Threads of a process among several; more help its small pictures little."""


def pick_device(name: str = "auto") -> torch.device:
    """The torch device for a name: ``auto`` (CUDA, then Apple's MPS, then CPU), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Raises:
        EngineError: the named device is not on this machine.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise EngineError(
            f"device {name!r} cannot be used on this machine",
            "Use --device auto or --device cpu.",
        ) from error
    return device


def model_dtype(device: torch.device) -> torch.dtype:
    """The floating type models run in.

    float16 on CUDA; bfloat16 on CPUs that compute in it, which is twice as fast; float32 elsewhere.
    """
    if device.type == "cuda":
        return torch.float16
    if device.type == "cpu" and torch.cpu._is_avx512_bf16_supported():
        return torch.bfloat16
    return torch.float32


def pretrained_dtype(device: torch.device) -> torch.dtype:
    """The floating type that checkpoints made by others run in.

    bfloat16 where the hardware computes in it: it cannot overflow, which some of them do in float16.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if device.type == "mps":
        return torch.float16
    return model_dtype(device)


def mixed_precision(device: torch.device) -> torch.autocast:
    """What a net is trained under: bfloat16 products where the hardware computes in it, else float32.

    A CPU without it has no fast convolution for it: there a step took 6 to 10 times as long as in float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=pretrained_dtype(device) is torch.bfloat16)


def common_threads() -> int:
    """How many threads several processes on this machine should each have to compute the same, and not to starve."""
    return min(MOST_THREADS, torch.get_num_threads())


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Compute with so many threads on the CPU: sums are rounded otherwise with another number of them."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
