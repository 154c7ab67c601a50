"""A loaded checkpoint made ready for a shot: its prompts embedded, its controls and style picture joined."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.blocks import Models
from vedit.diffusion.control import Control
from vedit.diffusion.memory import Plan
from vedit.diffusion.prior import Prior
from vedit.diffusion.prompting import Embedded, Schedule, text_encoder
from vedit.diffusion.schedule import last_steps_timetable
from vedit.diffusion.unet import ControlInput, UNetDenoiser, is_guided
from vedit.errors import UsageError
from vedit.latents.vae import VaeCodec
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.family import family_of
from vedit.pretrained.fetch import local
from vedit.pretrained.find import fingerprint, place
from vedit.pretrained.known import KNOWN
from vedit.pretrained.load import Loaded, load_pipeline
from vedit.pretrained.precision import computing_dtype

GUIDANCE = 7.5
"""As Stable Diffusion is run with unless it was distilled for another scale."""
STEPS = 25
WHOLE = ("wan-vace", "ltx", "ltx2")
"""Families that are called as whole pipelines (see `vedit.diffusion.whole`)."""


_LOADED: dict[tuple[str, torch.device], Loaded] = {}
"""The checkpoint that was loaded last."""


def load_checkpoint(
    checkpoint: Checkpoint, device: torch.device, *, kinds: Sequence[str] = (), styled: bool = False
) -> Loaded:
    """Load a checkpoint for a device, with what a run needs besides; once, until a file of it changes.

    Args:
        checkpoint: as the user named it.
        device: where to.
        kinds: of control maps; where the checkpoint names no ControlNet for one, the known one of its family is taken.
        styled: whether there is a style picture; where the checkpoint names no IP-Adapter, the known one is taken.

    Raises:
        UsageError, EngineError: as `load_pipeline`.
    """
    family = family_of(local(place(checkpoint.model, "model"))).name
    if family not in WHOLE:
        named = [kind for kind, _ in checkpoint.controls]
        more = tuple(kind for kind in kinds if kind not in named)
        checkpoint = replace(checkpoint, controlnet=checkpoint.controlnet + more)
        if styled and checkpoint.ip_adapter is None:
            entry = next((e for e in KNOWN if e.kind == "IP-Adapter" and e.family == family), None)
            checkpoint = replace(checkpoint, ip_adapter=None if entry is None else entry.name)
    loaded = _LOADED.get((fingerprint(checkpoint), device))
    if loaded is None:
        _LOADED.clear()  # two would seldom fit
        loaded = load_pipeline(checkpoint, device, computing_dtype(checkpoint.weights, device))
        _LOADED[fingerprint(checkpoint), device] = loaded  # as it is now that all is fetched
    return loaded


@dataclass(frozen=True)
class Asked:
    """What a shot is painted after, and which of our aids hold it together.

    ``aids``: "flow" guides self-attention, "anchors" shows every window the shot's first frame and the one before it,
    "fusion" draws clean estimates to each other along the flow.
    """

    prompts: Schedule
    negative_prompt: str | None
    guidance_scale: float | None
    controls: tuple[Control, ...]
    aids: frozenset[str]


def models_for(
    loaded: Loaded,
    asked: Asked,
    style: Tensor | None,
    device: torch.device,
    plan: Plan,
    warn: Callable[[str], None],
) -> Models:
    """The models of one shot.

    Args:
        loaded: a Stable Diffusion checkpoint.
        asked: what to paint.
        style: a picture ``(3,H,W)`` in [0, 1] that an IP-Adapter is to follow.
        device: where they are.
        plan: how much is done at once.
        warn: told what is left out.

    Raises:
        UsageError: the checkpoint has no ControlNet for a control.
    """
    pipe = loaded.pipe
    scale = guidance_of(loaded, asked.guidance_scale)
    guided = is_guided(pipe.unet, scale)
    embedded = Embedded(asked.prompts, text_encoder(pipe, asked.negative_prompt, guided, warn))

    def prompts(frames: Sequence[Prior]) -> dict[str, Tensor]:
        return embedded.window([(frame.index, frame.time) for frame in frames], frames[-1].shot + 1)

    denoiser = UNetDenoiser(
        pipe.unet,
        prompts,
        scale,
        tuple(_control_input(loaded, control) for control in asked.controls),
        () if style is None else _image_embeds(pipe, style, guided, device),
        "flow" in asked.aids,
        2 if loaded.cached else 1,
    )
    return Models(
        VaeCodec(vae=pipe.vae, chunk=plan.chunk, tile=plan.tile),
        denoiser,
        partial(last_steps_timetable, pipe.scheduler, device=device),
        device,
        anchors="anchors" in asked.aids,
        fusion="fusion" in asked.aids,
    )


def guidance_of(loaded: Loaded, given: float | None) -> float:
    """The guidance scale: the user's, what the model was distilled for, or the usual one."""
    if given is not None:
        return given
    return GUIDANCE if loaded.guidance_scale is None else loaded.guidance_scale


def _control_input(loaded: Loaded, control: Control) -> ControlInput:
    net = loaded.controlnets.get(control.kind)
    if net is None:
        raise UsageError(
            f"there is no ControlNet for control {control.kind!r}",
            f"Lay one over the engine: ' + controlnet={control.kind}', or ' + controlnet={control.kind}=NAME'.",
        )
    return ControlInput(net, control.kind, control.scale)


def _image_embeds(pipe: Any, style: Tensor, guided: bool, device: torch.device) -> tuple[Tensor, ...]:
    from PIL import Image

    array = (style.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return tuple(pipe.prepare_ip_adapter_image_embeds(Image.fromarray(array), None, device, 1, guided))
