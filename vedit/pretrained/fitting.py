"""How much of a film goes through a checkpoint at once: found out with one window before the film begins."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from vedit.diffusion.blocks import Models
from vedit.diffusion.denoiser import Step, Window
from vedit.diffusion.memory import Plan, fitted
from vedit.diffusion.prior import Prior
from vedit.diffusion.speed import prepare
from vedit.flow.pairs import PairFlow
from vedit.pretrained.load import Loaded

_FOUND: WeakKeyDictionary[Loaded, dict[tuple[int, ...], Plan]] = WeakKeyDictionary()
"""What was found for a checkpoint: once for all shots of one kind, which are then worked on in the same windows."""


def fitted_models(
    models: Callable[[Plan], Models],
    loaded: Loaded,
    pixels: Tensor,
    window: int,
    device: torch.device,
    warn: Callable[[str], None],
) -> tuple[Plan, Models]:
    """The plan with which a window of pictures ``(3,H,W)`` like this one fits into memory, and the models for it.

    On a CPU the full plan is taken untried: there memory seldom runs out with an error that could be caught, and a
    window costs as much as a step.

    Args:
        models: makes the models for a plan.
        loaded: what they are made of; left where the plan says that its parts wait.
        pixels: a frame at the size that is painted.
        window: frames wanted at once.
        device: where.
        warn: told of every step down.

    Raises:
        EngineError: nothing fits.
    """
    plan = Plan(window=window, overlap=window // 4)
    if device.type == "cpu":
        return plan, models(plan)
    found = _FOUND.setdefault(loaded, {})
    full = models(plan)
    seen: Any = full.denoiser
    parts = (seen.guided, seen.flow_attention, full.anchors, len(seen.controls), len(seen.image_embeds))
    asked = (*pixels.shape[-2:], window, *parts)
    if asked in found:
        return found[asked], models(found[asked])

    def trial(plan: Plan) -> None:
        if plan.offload != "none":
            prepare(loaded.pipe, device, beside=tuple(loaded.controlnets.values()), offload=plan.offload)
        made = models(plan)
        height, width = pixels.shape[-2:]
        pictures = pixels.to(device).expand(plan.chunk, -1, -1, -1)
        latents = made.codec.encode(pictures).float()[:1].expand(plan.window, -1, -1, -1)
        maps = dict.fromkeys(loaded.controlnets, pixels)
        frames = tuple(Prior(i, pixels, None, None, controls=maps) for i in range(plan.window))
        cells = torch.zeros(plan.window, 4, *latents.shape[-2:], device=device)
        still = PairFlow(cells[:1, :2], cells[:1, :2], cells[:1, :1], cells[:1, :1])
        around = Window(frames, latents, latents, cells[:, :1], cells[:, 1:3], (still,) * plan.window)
        step = Step(0, 2, around[:2] if made.anchors else None)
        timetable = made.timetable(2, 1.0)
        with torch.no_grad():
            made.denoiser(latents, timetable.timesteps[0], around, step)
        made.codec.decode(latents[: plan.chunk], height, width)

    found[asked] = fitted(plan, trial, device, warn)
    return found[asked], models(found[asked])
