"""The hand that paints a shot: a look the engine knows, or one that it has just been taught."""

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from vedit.cache import digest, remembered
from vedit.diffusion.engine import Engine
from vedit.diffusion.fit import Example, fit

Phase = Callable[[str, float], None]
"""Told what is going on before the first frame, and how far it is."""


@dataclass(frozen=True, eq=False)
class Hand:
    """The models, the row of the look table to paint in, and the steps it takes."""

    engine: Engine
    look: int
    steps: int


def key_in_style(frame: Tensor, style: Tensor, *, structure: float, seed: int, phase: Phase) -> Tensor:
    """A frame ``(3,h,w)`` painted in the style of a picture (see `paint_key`), or the painting from the last time."""
    from vedit.edits.key_painting import paint_key

    name = "key-" + digest(["paint_key 1", frame, style, structure, seed])

    def make() -> dict[str, Tensor]:
        with _learning():
            painted = paint_key(
                frame, style, structure=structure, seed=seed, progress=partial(phase, "painting a key frame")
            )
        return {"painting": painted}

    return remembered(name, make)["painting"]


def taught(
    engine: Engine, examples: Sequence[Example], *, seed: int, phase: Phase, steps: int = 160
) -> Engine:
    """The engine fitted to examples, or the fit from the last time."""
    before = engine.denoiser
    assert isinstance(before, torch.nn.Module)  # noqa: S101 - only the bundled one can be taught
    parts: list[Tensor | str | int | float] = [f"fit 1 {engine.device} {engine.dtype}", seed, steps]
    parts += [p.float() for p in before.parameters()]
    for example in examples:
        parts += [example.frame, example.painting]

    def make() -> dict[str, Tensor]:
        with _learning():
            fitted = fit(
                engine, examples, seed=seed, steps=steps, progress=partial(phase, "learning the hand")
            )
        assert isinstance(fitted.denoiser, torch.nn.Module)  # noqa: S101
        return {k: v.cpu() for k, v in fitted.denoiser.state_dict().items()}

    weights = remembered("fit-" + digest(parts), make)
    net = copy.deepcopy(before)
    net.load_state_dict(weights)
    return replace(engine, denoiser=net)


@contextmanager
def _learning() -> Iterator[None]:
    """Gradients, whatever the caller has switched off."""
    with torch.inference_mode(False), torch.enable_grad():
        yield
