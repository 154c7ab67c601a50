"""A Stable Diffusion U-Net, with or without a motion adapter, as a denoiser of windows.

The batches are laid out as diffusers' AnimateDiff video-to-video pipelines do, so that with everything of ours
switched off the pictures are theirs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.denoiser import Step, Window, joined
from vedit.diffusion.feature_cache import cached
from vedit.diffusion.flow_attention import flow_attention
from vedit.diffusion.prior import Prior
from vedit.diffusion.trajectories import WindowFlows

PIXELS_PER_LATENT = 8
"""Of the maps that a ControlNet is given; its own layers bring them down to the latent grid."""


@dataclass(frozen=True, eq=False)
class ControlInput:
    """A ControlNet, the kind of map it is given, and how strongly it holds."""

    net: Any
    kind: str
    scale: float


@dataclass(frozen=True, eq=False)
class UNetDenoiser:
    """See `vedit.diffusion.denoiser.Denoiser`.

    ``unet``: a UNet2DConditionModel or UNetMotionModel. ``prompts`` embeds the frames of a window, all in one shot:
    names as diffusers has them, each ``(F, ...)``. ``guidance_scale`` over 1 guides away from the negative prompt.
    ``image_embeds``: an IP-Adapter's, one ``(1 or 2, n, ...)`` per adapter, negative first.
    """

    unet: Any
    prompts: Callable[[Sequence[Prior]], Mapping[str, Tensor]]
    guidance_scale: float
    controls: tuple[ControlInput, ...] = ()
    image_embeds: tuple[Tensor, ...] = ()
    flow_attention: bool = False
    cache_every: int = 1
    """Deep features are worked out at every so many steps, and remembered at the others."""

    @property
    def full_windows(self) -> bool:
        """A motion adapter was trained on windows of one length."""
        return self.moves

    @property
    def hides(self) -> bool:
        return int(self.unet.config.in_channels) == 9

    @property
    def moves(self) -> bool:
        """Whether there is a motion adapter."""
        return hasattr(self.unet.config, "motion_max_seq_length")

    @property
    def guided(self) -> bool:
        return is_guided(self.unet, self.guidance_scale)

    def __call__(self, latents: Tensor, timestep: Tensor, window: Window, step: Step) -> Tensor:
        anchors = step.anchors
        extra = 0 if anchors is None else len(anchors)
        frames = window.frames if anchors is None else (*anchors.frames, *window.frames)
        sample = latents if anchors is None else torch.cat([anchors.latents, latents])
        copies = 2 if self.guided else 1
        dtype, memo = self.unet.dtype, step.memo
        if memo.get("told") != frames:
            memo["told"] = frames
            memo["text"] = self._text(frames, sample)
        text = memo["text"]
        # Made anew at every step: many windows are under way, and their maps would fill the device.
        maps = [self._maps(frames, control.kind, sample) for control in self.controls]
        added = {name: text[name] for name in ("text_embeds", "time_ids") if name in text}
        batch = torch.cat([sample] * copies).to(dtype)
        noisy = batch
        if self.hides:
            shown = window if anchors is None else joined([anchors, window])
            told = torch.cat([shown.mask, shown.context], dim=1).to(dtype)
            batch = torch.cat([batch, torch.cat([told] * copies)], dim=1)
        if self.image_embeds:
            added["image_embeds"] = self._image_embeds(len(frames))
        if self.moves:
            batch = batch.view(copies, len(frames), *batch.shape[1:]).transpose(1, 2)
            added = {k: v if k == "image_embeds" else _per_copy(v, copies) for k, v in added.items()}
        condition = None
        if self.unet.config.time_cond_proj_dim is not None:
            condition = _guidance_embedding(self.guidance_scale - 1, self.unet, len(batch))
        with (
            self._along_flow(window, extra, memo),
            cached(self.unet, batch, memo, step.number, self.cache_every, "deep"),
        ):
            held = self._held(noisy, timestep, text, maps)
            predicted = self.unet(
                batch,
                timestep,
                encoder_hidden_states=text["prompt"],
                timestep_cond=condition,
                added_cond_kwargs=added or None,
                return_dict=False,
                **held,
            )[0]
        if self.moves:
            predicted = predicted.transpose(1, 2).flatten(0, 1)
        *without, prompted = predicted.to(latents.dtype).chunk(copies)
        prompted = prompted[extra:]
        for plain in without:
            prompted = plain[extra:] + self.guidance_scale * (prompted - plain[extra:])
        return cast(Tensor, prompted)

    def _text(self, frames: Sequence[Prior], sample: Tensor) -> dict[str, Tensor]:
        """``prompt`` ``(copies * F, tokens, c)``, and for SDXL ``text_embeds`` and ``time_ids`` ``(copies * F, c)``."""
        embeds = self.prompts(frames)

        def both(name: str) -> Tensor:
            parts = [embeds[f"negative_{name}"]] if self.guided else []
            return torch.cat([*parts, embeds[name]]).to(sample.device, self.unet.dtype)

        text = {"prompt": both("prompt_embeds")}
        if "pooled_prompt_embeds" in embeds:
            height, width = (PIXELS_PER_LATENT * side for side in sample.shape[-2:])
            ids = torch.tensor([height, width, 0, 0, height, width], dtype=self.unet.dtype)
            text["text_embeds"] = both("pooled_prompt_embeds")
            text["time_ids"] = ids.to(sample.device).expand(len(text["text_embeds"]), -1)
        return text

    def _maps(self, frames: Sequence[Prior], kind: str, sample: Tensor) -> Tensor:
        """The maps of a kind ``(copies * F, 3, 8h, 8w)``."""
        maps = torch.stack([frame.controls[kind] for frame in frames]).to(sample.device)
        if maps.dtype == torch.uint8:
            maps = maps.float() / 255
        height, width = (PIXELS_PER_LATENT * side for side in sample.shape[-2:])
        maps = F.pad(maps, (0, width - maps.shape[-1], 0, height - maps.shape[-2]), mode="replicate")
        return torch.cat([maps] * (2 if self.guided else 1))

    def _held(
        self, batch: Tensor, timestep: Tensor, text: Mapping[str, Tensor], maps: Sequence[Tensor]
    ) -> dict[str, Any]:
        """What the ControlNets add to the U-Net's layers, summed over them."""
        total: list[Tensor] = []
        for control, drawn in zip(self.controls, maps, strict=True):
            added = {name: text[name] for name in ("text_embeds", "time_ids") if name in text}
            down, middle = control.net(
                batch.to(control.net.dtype),
                timestep,
                encoder_hidden_states=text["prompt"].to(control.net.dtype),
                controlnet_cond=drawn.to(control.net.dtype),
                conditioning_scale=control.scale,
                added_cond_kwargs=added or None,
                return_dict=False,
            )
            parts = [part.to(batch.dtype) for part in (*down, middle)]
            total = [a + b for a, b in zip(total, parts, strict=True)] if total else parts
        if not total:
            return {}
        return {
            "down_block_additional_residuals": tuple(total[:-1]),
            "mid_block_additional_residual": total[-1],
        }

    def _image_embeds(self, count: int) -> list[Tensor]:
        """A motion U-Net repeats them for its frames itself."""
        embeds = [e.to(self.unet.dtype) for e in self.image_embeds]
        return embeds if self.moves else [e.repeat_interleave(count, dim=0) for e in embeds]

    @contextmanager
    def _along_flow(self, window: Window, anchors: int, memo: dict[str, Any]) -> Iterator[None]:
        """Self-attention that follows the window's motion, and sees the anchors; plain where there are neither."""
        follows = self.flow_attention and len(window) > 1 and window.motion is not None
        if not follows and not anchors:
            yield
            return
        if "flows" not in memo:
            memo["flows"] = WindowFlows(window.pairs[1:] if follows else [None] * (len(window) - 1))
        with ExitStack() as stack:
            for net in (self.unet, *(control.net for control in self.controls)):
                stack.enter_context(flow_attention(net, memo["flows"], anchors=anchors))
            yield


def is_guided(unet: Any, guidance_scale: float) -> bool:
    """Whether every step is predicted with the prompt and without; distilled models are told the scale instead."""
    return guidance_scale > 1 and unet.config.time_cond_proj_dim is None


def _per_copy(rows: Tensor, copies: int) -> Tensor:
    """``(copies * F, c)`` to ``(copies, c)``: a motion U-Net takes one of these for all its frames."""
    return rows.float().view(copies, -1, rows.shape[-1]).mean(1).to(rows.dtype)


def _guidance_embedding(scale: float, unet: Any, count: int) -> Tensor:
    """The guidance scale as sinusoids (Meng et al., "On Distillation of Guided Diffusion Models", CVPR 2023)."""
    width = int(unet.config.time_cond_proj_dim)
    rates = torch.exp(torch.arange(width // 2) * (-torch.log(torch.tensor(10000.0)) / (width // 2 - 1)))
    angles = torch.full((count, 1), scale * 1000.0) * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1).to(unet.device, unet.dtype)
