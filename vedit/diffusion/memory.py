"""When memory runs out: smaller steps one after the other, each told to the user, until a window fits.

What fits is found once, before the film: a window of the real size is tried through all models. A plan that changed
in the middle would make other pictures from there on, and a render that goes on later would not come out the same.
"""

import gc
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch

from vedit.errors import EngineError

Offload = Literal["none", "model", "group"]
"""Models that wait in main memory: none; all but the one that works; all but a few layers of the one that works."""

TILE = 512
"""Side in pixels of the VAE's tiles when memory is short."""
FEWEST = 8
"""Frames of the smallest window; temporal layers are trained with 16 and know nothing of much fewer."""
_SIGNS = re.compile(
    "out of memory"  # CUDA, MPS and ROCm, also from libraries that raise plain RuntimeErrors
    "|DefaultCPUAllocator|not enough memory|cannot allocate memory|bad_alloc"
    "|alloc_failed"  # cuBLAS and cuDNN
    "|could not create a (memory object|primitive$)",  # oneDNN; "primitive descriptor" is another matter
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Plan:
    """How much is done at once.

    ``window`` frames through the denoiser, of which the next shares ``overlap``; ``chunk`` frames through the VAE, in
    tiles of ``tile`` pixels (None: whole); where the models wait.
    """

    window: int = 16
    overlap: int = 4
    chunk: int = 4
    tile: int | None = None
    offload: Offload = "none"

    def __str__(self) -> str:
        words = [f"windows of {self.window} frames", f"{self.chunk} at a time through the VAE"]
        if self.tile is not None:
            words.append(f"in tiles of {self.tile} pixels")
        if self.offload != "none":
            words.append(_OFFLOADED[self.offload])
        return ", ".join(words)


_OFFLOADED: dict[Offload, str] = {
    "model": "models that wait in main memory",
    "group": "layers that wait in main memory",
}


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on any device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and _SIGNS.search(str(error)) is not None


def lighter(plan: Plan, device: torch.device) -> Iterator[Plan]:
    """Plans that need less and less memory; the first costs nothing worth mentioning, the last much time."""
    if plan.chunk > 1 or plan.tile is None:
        plan = replace(plan, chunk=1, tile=min(plan.tile or TILE, TILE))
        yield plan
    fewest = max(FEWEST, plan.overlap + 1)
    while plan.window > fewest:
        plan = replace(plan, window=max(plan.window // 2, fewest))
        yield plan
    if device.type != "cuda":
        return  # there is but one memory
    offloads: tuple[Offload, ...] = ("model", "group")
    for offload in offloads[offloads.index(plan.offload) + 1 if plan.offload in offloads else 0 :]:
        plan = replace(plan, offload=offload)
        yield plan


def fitted(
    plan: Plan, trial: Callable[[Plan], object], device: torch.device, say: Callable[[str], None]
) -> Plan:
    """The first plan, of this one and lighter ones, with which ``trial`` does not run out of memory.

    ``trial`` sends one window of the film's size through the VAE and the denoiser as a plan says, and keeps nothing.
    ``say`` is given a sentence for every step down. Other errors pass through.

    Raises:
        EngineError: memory runs out with the lightest plan too.
    """
    tried = plan
    for following in (*lighter(plan, device), None):
        if _fits(tried, trial):
            return tried
        free_caches()
        if following is None:
            break
        say(f"memory ran out with {tried}; going on with {following}")
        tried = following
    raise EngineError(
        f"memory ran out even with {tried}",
        "Make the picture smaller with size=, or close what else uses the device.",
    )


def free_caches() -> None:
    """Give back what nothing uses any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def _fits(plan: Plan, trial: Callable[[Plan], object]) -> bool:
    # The error's traceback holds the tensors of every frame it passed: it must be gone before the next trial.
    try:
        trial(plan)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return False
    return True
