"""LTX's condition pipeline, called a window at a time.

It takes whole frames as known, each at its place; it knows neither masks nor control maps.
"""

from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.whole.prompt import PromptEmbeds, unsaid
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.windows import Window, padded

SIDE = 32
"""Pixels of the smallest side; all are multiples of it, whatever the codec."""


class Ltx:
    """An `LTXConditionPipeline` that makes windows.

    Args:
        pipe: the pipeline.
        settings: what is asked of it; the prompt is read once.
    """

    window, overlap = 121, 17
    side = SIDE
    guided, masked, referred = False, False, False

    def __init__(self, pipe: Any, settings: WholeSettings) -> None:
        self._pipe, self._settings = pipe, settings
        self.every = int(pipe.vae_temporal_compression_ratio)
        self.multiple = max(SIDE, int(pipe.vae_spatial_compression_ratio))
        self._scale = 3.0 if settings.guidance_scale is None else settings.guidance_scale
        names = [
            f"{side}prompt_{part}" for side in ("", "negative_") for part in ("embeds", "attention_mask")
        ]
        self._embeds = PromptEmbeds(pipe, settings, self._scale > 1, names)

    def __call__(self, window: Window) -> Tensor:
        """The window's frames ``(F,3,H,W)``, on the CPU."""
        settings, pipe = self._settings, self._pipe
        shown = self._padded(window.shown)
        frames, _, height, width = shown.shape
        start = settings.first + window.start
        leading, places = known_places(window.make, self.every, frames)
        extra = self._late(self._padded(window.begun), len(places)) if settings.skipped else {}
        if pipe.vae.config.timestep_conditioning:
            extra |= {"decode_timestep": 0.05, "decode_noise_scale": 0.025}
        if settings.rate is not None:
            extra["frame_rate"] = float(settings.rate)
        with unsaid():
            made = pipe(
                conditions=self._conditions(shown, leading, places) or None,
                height=height,
                width=width,
                num_frames=frames,
                num_inference_steps=settings.steps,
                guidance_scale=self._scale,
                generator=torch.Generator().manual_seed((settings.seed * 1_000_003 + start * 7919) % 2**63),
                callback_on_step_end=settings.callback_on_step_end,
                output_type="pt",
                **self._embeds.of(window),
                **extra,
            ).frames[0]
        return window.cropped(made).float().cpu()

    def _padded(self, pictures: Tensor) -> Tensor:
        return padded(pictures, self.every, self.multiple, side=self.side)

    def _conditions(self, shown: Tensor, leading: int, places: list[int]) -> list[Any]:
        """So many frames at the start as a film, and those at the given places as pictures."""
        from diffusers.pipelines.ltx.pipeline_ltx_condition import LTXVideoCondition

        kind: Any = LTXVideoCondition  # which takes tensors too, whatever its types say
        conditions = [kind(video=shown[None, :leading], frame_index=0)] if leading else []
        return conditions + [kind(image=shown[i], frame_index=i) for i in places]

    def _late(self, begun: Tensor, pictures: int) -> dict[str, Any]:
        """What starts the pipeline late: from these frames, with the steps that are left.

        Args:
            begun: the frames, padded.
            pictures: how many known ones stand beside them as latents of their own.
        """
        vae, steps = self._pipe.vae, self._settings.steps
        latents = self._encoded(begun)
        mean, std = (v.view(1, -1, 1, 1, 1).to(latents) for v in (vae.latents_mean, vae.latents_std))
        # Half a step more than are left, because the pipeline rounds down.
        left = (steps - self._settings.skipped + 0.5) / steps
        return {"denoise_strength": left, "latents": (latents - mean) / std}

    @torch.no_grad()
    def _encoded(self, pictures: Tensor) -> Tensor:
        vae, device = self._pipe.vae, self._pipe._execution_device
        video = (2 * pictures - 1).transpose(0, 1)[None].to(device, vae.dtype)
        latents: Tensor = vae.encode(video).latent_dist.mode().float()
        return latents


def known_places(make: Tensor, every: int, frames: int) -> tuple[int, list[int]]:
    """Which frames of a window a model is given: how many of the first, in whole latents, and where others are.

    Args:
        make: ``(F,1,H,W)``, 0 where the window is known.
        every: frames of a latent.
        frames: what the window is filled up to with its last frame; if that is known, so are they.
    """
    known = (make == 0).flatten(1).all(1).tolist()
    leading = next((i for i, one in enumerate(known) if not one), len(known))
    leading -= (leading - 1) % every if leading else 0
    # Where all is known one frame in a latent will do, but every edge of what is not.
    edge = [
        not (before and after) for before, after in zip([True, *known], [*known[1:], False], strict=False)
    ]
    places = [i for i in range(leading, len(known)) if known[i] and (edge[i] or i % every == 0)]
    # Of the frames that fill up the window one is enough: the last.
    return leading, [*places, frames - 1] if known[-1] and frames > len(known) else places
