"""Wan VACE, called a window at a time.

Where its mask is 1 the model paints, guided by what the video shows there: a control map, or grey (0.5), which says
that nothing is known. Where it is 0 the video is known.
"""

import copy
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.noise import fresh_noise
from vedit.diffusion.whole.prompt import PromptEmbeds
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.windows import Window, padded
from vedit.errors import EngineError

TOKENS = 512
"""Of a prompt, as the pipeline's own call takes."""


class Vace:
    """A `WanVACEPipeline` that makes windows.

    Args:
        pipe: the pipeline.
        settings: what is asked of it; the prompt is read once.

    Raises:
        EngineError: a part of the pipeline, or a package that it needs, is missing.
    """

    window, overlap = 81, 17
    guided, masked, referred = True, True, True

    def __init__(self, pipe: Any, settings: WholeSettings) -> None:
        model = pipe.transformer if pipe.transformer is not None else pipe.transformer_2
        if importlib.util.find_spec("ftfy") is None:
            raise EngineError("Wan reads its prompts with ftfy, which is not installed", "pip install ftfy")
        self._pipe, self._settings, self._model = pipe, settings, model
        self.every = int(pipe.vae_scale_factor_temporal)
        self.multiple = int(pipe.vae_scale_factor_spatial) * int(model.config.patch_size[1])
        self._scale = 5.0 if settings.guidance_scale is None else settings.guidance_scale
        names = ("prompt_embeds", "negative_prompt_embeds")
        self._embeds = PromptEmbeds(pipe, settings, self._scale > 1, names, TOKENS)
        self._references = [_image(picture) for picture in settings.reference]

    def __call__(self, window: Window) -> Tensor:
        """The window's frames ``(F,3,H,W)``, on the CPU."""
        settings, pipe = self._settings, self._pipe
        shown = self._padded(window.shown)
        frames, _, height, width = shown.shape
        with late_start(pipe, settings.skipped):
            made = pipe(
                video=shown[None],
                mask=self._padded(window.make)[None],
                reference_images=self._references or None,
                conditioning_scale=settings.conditioning_scale,
                height=height,
                width=width,
                num_frames=frames,
                num_inference_steps=settings.steps,
                guidance_scale=self._scale,
                latents=self._latents(window, shown),
                callback_on_step_end=settings.callback_on_step_end,
                output_type="pt",
                **self._embeds.of(window),
            ).frames[0]
        return window.cropped(made).float().cpu()

    def _padded(self, pictures: Tensor) -> Tensor:
        # The pipeline can't place more pictures beside the video than it has frames of latents.
        return padded(pictures, self.every, self.multiple, self.every * (len(self._references) - 1) + 1)

    def _latents(self, window: Window, shown: Tensor) -> Tensor:
        """The latents to start from: the noise of their frames in the film, over the source's at the level due."""
        settings, device = self._settings, self._pipe._execution_device
        start = settings.first + window.start
        # Reference pictures stand before the video as latents of their own; theirs are the same in all windows.
        places = [-1 - i for i in range(len(self._references))]
        places += [start + i for i in range(0, len(shown), self.every)]
        scale = int(self._pipe.vae_scale_factor_spatial)
        shape = (1, int(self._model.config.in_channels), 1, *(n // scale for n in shown.shape[-2:]))
        noise = torch.cat([fresh_noise(shape, settings.seed, i) for i in places], 2).to(device)
        if not settings.skipped:
            return noise
        self._pipe.scheduler.set_timesteps(settings.steps, device=device)
        level = self._pipe.scheduler.sigmas[0].to(device)
        pictures = [*self._placed(shown), self._padded(window.begun)]
        mixed: Tensor = (1 - level) * torch.cat([self._encoded(p) for p in pictures], 2) + level * noise
        return mixed

    def _placed(self, shown: Tensor) -> list[Tensor]:
        """The reference pictures ``(1,3,H,W)`` in [0, 1] as the pipeline lays them out beside the video."""
        if not self._references:
            return []
        size, kind = shown.shape[-2:], torch.float32
        _, _, [placed] = self._pipe.preprocess_conditions(
            shown[None, :1], None, self._references, 1, *size, 1, kind
        )
        return [(picture[None] + 1) / 2 for picture in placed]

    @torch.no_grad()
    def _encoded(self, pictures: Tensor) -> Tensor:
        vae, device = self._pipe.vae, self._pipe._execution_device
        video = (2 * pictures - 1).transpose(0, 1)[None].to(device, vae.dtype)
        latents = vae.encode(video).latent_dist.mode().float()
        mean, std = (
            torch.tensor(values, device=device).view(1, -1, 1, 1, 1)
            for values in (vae.config.latents_mean, vae.config.latents_std)
        )
        encoded: Tensor = (latents - mean) / std
        return encoded


@contextmanager
def late_start(pipe: Any, skipped: int) -> Iterator[None]:
    """Within this context the pipeline's schedule lacks its first steps, however it is set.

    VACE's own call knows no strength. Any scheduler with ``sigmas`` and ``timesteps`` will do; the pipeline's own one
    is left as it is.
    """
    own = pipe.scheduler
    late = copy.deepcopy(own)
    full = late.set_timesteps

    def set_timesteps(*args: Any, **kwargs: Any) -> None:
        full(*args, **kwargs)
        late.timesteps, late.sigmas = late.timesteps[skipped:], late.sigmas[skipped:]

    late.set_timesteps = set_timesteps
    pipe.scheduler = late
    try:
        yield
    finally:
        pipe.scheduler = own


def _image(picture: Tensor) -> Any:
    from PIL import Image

    return Image.fromarray((picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy())
