"""The loop that all training shares: for a wall-clock time, resumable, on any device."""

import copy
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from vedit.errors import InputError, OutputError, UsageError
from vedit.video.output import check_place
from vedit.weight_files import read_weights

Net = TypeVar("Net", bound=nn.Module)

SAVE_EVERY = 180
"""Seconds between two checkpoints."""


def check_new(
    out: Path,
    *,
    minutes: float | None = None,
    sheet: bool = False,
    resume: bool = False,
    overwrite: bool = False,
) -> None:
    """Complain, before anything is read, if what is there would be written over, or training cannot begin.

    Args:
        out: the weights.
        minutes: of training.
        sheet: a picture of what they can do is written beside them, ``OUT.png``.
        resume: go on from ``OUT.state`` if it is there: then the others may be too.
        overwrite: they may be there anyway.

    Raises:
        UsageError: a file is there that is not to be replaced; as `train` otherwise.
        OutputError: it cannot be put there (see `vedit.video.output.check_place`).
    """
    _check(out, minutes)
    replaced = overwrite or (resume and os.path.exists(_state(out)))
    check_place(out, overwrite=replaced, example="weights.safetensors")
    if sheet:
        check_place(out.with_suffix(".png"), overwrite=replaced)


def _check(out: Path, minutes: float | None) -> None:
    if minutes is not None and not minutes > 0:
        raise UsageError(f"minutes is {minutes}", "Give a number above 0.")
    if out.suffix != ".safetensors":  # beside it lie OUT.state and OUT.png
        raise UsageError(f"the weights would be called {out.name}", "Give -o a name ending in .safetensors.")


def begin_from(net: nn.Module, weights: Path) -> None:
    """Give a net the weights of a file, float16 or in 8 bits.

    Raises:
        InputError: there are none for this net.
    """
    try:
        net.load_state_dict(read_weights(weights))
    except Exception as error:
        raise InputError(
            f"{weights} cannot be begun from ({str(error).splitlines()[0]})",
            f"Give weights of the same kind of net as are made ({type(net).__name__}).",
        ) from error


def _state(out: Path) -> Path:
    """Where the training of some weights is kept, to be gone on with."""
    return out.with_suffix(".state")


def train(
    net: Net,
    loss: Callable[[Net, int, float], Tensor],
    out: Path,
    *,
    minutes: float,
    rate: float,
    save: Callable[[Net], None],
    resume: bool = True,
    log: Callable[[str], None] = print,
) -> Net:
    """Train a net for a wall-clock time and return the moving average of its weights.

    AdamW; the learning rate rises for 200 steps and falls along a cosine to a fiftieth. Every three minutes, and at
    the end, ``save`` gets the average and ``OUT.state`` is written with all that is needed to go on; where it is there
    already and ``resume`` is set, training goes on from it, its minutes counted.

    Args:
        net: on its device; parameters that do not require gradients stay as they are.
        loss: of the net, the step's number (a seed for its random choices) and the part of the time that is over.
        out: the file that ``save`` writes, .safetensors.
        minutes: of training, together with those of earlier runs that are gone on from.
        rate: the highest learning rate.
        save: writes the weights that are of use.
        resume: go on from ``OUT.state`` if it is there.
        log: is told of the progress every hundred steps.

    Raises:
        UsageError: there is no time, or ``out`` is called something else.
        InputError: the state is of another net, or cannot be read.
        OutputError: it or the weights cannot be written.
    """
    _check(out, minutes)
    if not os.access(out.parent, os.W_OK):
        raise OutputError(f"{out.parent} is no folder to write to", "Make it, or give -o another.")
    state = _state(out)
    average = copy.deepcopy(net)
    learned = [p for p in net.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(learned, lr=rate, betas=(0.9, 0.98), weight_decay=1e-3)
    step, before = 0, 0.0
    if resume and state.exists():
        step, before = _load(state, net, average, optimiser)
        log(f"going on from {state}: step {step}, {before:.1f} min")

    def keep(minutes: float) -> None:
        try:
            _save(state, net, average, optimiser, step, minutes)
            save(average)
        except (OSError, SafetensorError) as error:
            raise OutputError(f"{out} cannot be written ({error})", "Free some space.") from error

    began = saved = time.monotonic()
    recent = 0.0
    while (done := (before + (time.monotonic() - began) / 60) / minutes) < 1:
        now = rate * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * done)))
        for group in optimiser.param_groups:
            group["lr"] = now
        value = loss(net, step, done)
        optimiser.zero_grad()
        value.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimiser.step()
        step += 1
        decay = min(0.999, step / (step + 50))
        with torch.no_grad():
            for mean, new in zip(average.parameters(), net.parameters(), strict=True):
                mean.lerp_(new, 1 - decay)
        recent += (value.item() - recent) * max(0.02, 1 / step)
        if step % 100 == 0:
            log(f"step {step}  {done * minutes:.1f} min  loss {recent:.4f}")
        if time.monotonic() - saved > SAVE_EVERY:
            saved = time.monotonic()
            keep(before + (saved - began) / 60)
    keep(minutes)
    return average


def _save(
    path: Path,
    net: nn.Module,
    average: nn.Module,
    optimiser: torch.optim.Optimizer,
    step: int,
    minutes: float,
) -> None:
    tensors = {f"net.{k}": v for k, v in net.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.state_dict().items()}
    for i, moments in optimiser.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{k}": v for k, v in moments.items()}
    part = path.with_name(path.name + ".part")
    save_file(
        {k: v.contiguous().clone() for k, v in tensors.items()},
        part,
        {"step": str(step), "minutes": str(minutes)},
    )
    part.replace(path)


def _load(
    path: Path, net: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> tuple[int, float]:
    try:
        with safe_open(path, "pt") as file:
            facts = file.metadata()
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - no mapping
        for prefix, model in (("net.", net), ("average.", average)):
            model.load_state_dict({k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)})
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith("adam."):
                _, index, name = key.split(".")
                moments.setdefault(int(index), {})[name] = value
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
        return int(facts["step"]), float(facts["minutes"])
    except Exception as error:
        raise InputError(
            f"{path} cannot be gone on from ({str(error).splitlines()[0]})",
            "Remove it, or train afresh with --no-resume.",
        ) from error
