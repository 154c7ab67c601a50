"""LTX-2's condition pipeline, called a window at a time; the sound that it makes too is dropped.

As LTX, it takes whole frames as known, each at its place, and knows neither masks nor control maps.
"""

import copy
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.whole.ltx import SIDE, Ltx
from vedit.diffusion.whole.settings import WholeSettings
from vedit.errors import UsageError


class Ltx2(Ltx):
    """An `LTX2ConditionPipeline` that makes windows.

    Args:
        pipe: the pipeline.
        settings: what is asked of it; the prompt is read once.

    Raises:
        UsageError: there are too few steps for its schedule.
    """

    side = 2 * SIDE  # its codec mirrors what is beyond the edges, which takes two latents

    def __init__(self, pipe: Any, settings: WholeSettings) -> None:
        if settings.steps < 2 and pipe.scheduler.config.get("shift_terminal"):
            raise UsageError(
                "steps is 1, and LTX-2's schedule has a first and a last step", "Give at least 2."
            )
        super().__init__(pipe, settings)

    def _conditions(self, shown: Tensor, leading: int, places: list[int]) -> list[Any]:
        from diffusers.pipelines.ltx2.pipeline_ltx2_condition import LTX2VideoCondition

        kind: Any = LTX2VideoCondition  # which takes a place between two latents too, whatever its types say
        pictures = (shown * 255).round().byte()
        conditions = [kind(frames=pictures[:leading], index=0)] if leading else []
        # It counts in latents, and puts number k at frame (k - 1) * every + 1.
        return conditions + [kind(frames=pictures[i : i + 1], index=(i - 1) / self.every + 1) for i in places]

    def _late(self, begun: Tensor, pictures: int) -> dict[str, Any]:
        from diffusers.pipelines.ltx2.pipeline_ltx2_condition import calculate_shift

        pipe, steps = self._pipe, self._settings.steps
        latents = self._encoded(begun)
        sigmas = torch.linspace(1, 1 / steps, steps)[self._settings.skipped :].tolist()
        # The pipeline shifts its levels by the number of tokens, but not the one that it is told to start at.
        tokens = latents[0, 0].numel() + pictures * latents[0, 0, 0].numel()
        shape = {"base_image_seq_len": 1024, "max_image_seq_len": 4096, "base_shift": 0.95, "max_shift": 2.05}
        shift: Any = calculate_shift
        mu = shift(tokens, *(pipe.scheduler.config.get(name, value) for name, value in shape.items()))
        scheduler = copy.deepcopy(pipe.scheduler)
        scheduler.set_timesteps(sigmas=sigmas, mu=mu)
        return {"latents": latents, "sigmas": sigmas, "noise_scale": float(scheduler.sigmas[0])}
