"""What holds a pretrained engine's frames together, each part measured alone and with the others.

Without anybody's weights: a U-Net of the Stable Diffusion kind with random ones, between the bundled encoder and
decoder. What it paints means nothing, but it paints the same surface differently from frame to frame as a trained one
does without help, and the warp error says by how much. Its output is taken as the clean picture: a random estimate of
the noise would leave the noise in. Fresh layers of self-attention add a quarter of what they are added to; they are
made `ATTENTION` times as strong, or they would have no say in the picture.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vedit.bench.clips import read_clip
from vedit.bench.rows import Row
from vedit.clip import Clip
from vedit.device import pick_device
from vedit.diffusion.blocks import Models
from vedit.diffusion.denoise import sample
from vedit.diffusion.engine import load_engine
from vedit.diffusion.prior import Prior
from vedit.diffusion.schedule import last_steps_timetable
from vedit.diffusion.unet import UNetDenoiser
from vedit.edits.aids import check_consistency
from vedit.edits.steady import trusted_link
from vedit.errors import UsageError
from vedit.flow.pairs import PairFlow
from vedit.metrics.temporal import join_ratio, pairs_of, warp_error
from vedit.torchvision_ops import tolerate_torchvision

ATTENTION = 4.0
"""With it self-attention adds as much as it is added to."""
PARTS = (
    "none",
    "noise",
    "flow",
    "anchors",
    "fusion",
    "flow,noise",
    "flow,noise,anchors",
    "flow,noise,fusion",
)
"""What is measured: nothing, each part alone, and together."""


@dataclass(frozen=True)
class ConsistencyRow(Row):
    """How steady one combination of parts is.

    ``warp``: error along the film's own motion, 1/1000; ``ratio``: that over the film's own + 0.2, as for restyling;
    ``seam``: error at the joins of windows over that elsewhere, over the same with frames that see no others, to which
    windows are nothing: 1 = no seam. ``seconds`` a frame.
    """

    warp: float
    ratio: float
    seam: float
    seconds: float


def bench_consistency(
    clips: Sequence[Path],
    *,
    parts: Sequence[str] = PARTS,
    frames: int = 40,
    width: int = 160,
    window: int = 16,
    strength: float = 0.5,
    steps: int = 8,
    attention: float = ATTENTION,
    device: str = "auto",
) -> Iterator[ConsistencyRow]:
    """Measure every combination of parts on every clip.

    Args:
        clips: films to measure on, up to their first cut.
        parts: see `vedit.edits.aids`, joined by commas, or "none".
        frames: of each clip.
        width: wider clips are brought to it.
        window: frames the U-Net sees at once; a quarter of them overlap.
        strength: how much of the noise is put on.
        steps: of which that share is taken.
        attention: how many times as strong self-attention is as in a fresh net.
        device: see :func:`vedit.device.pick_device`.

    Raises:
        InputError: a film cannot be read.
        UsageError: there is no such part.
    """
    wanted: dict[str, frozenset[str]] = {}
    for part in parts:
        aids = check_consistency(part)
        if aids is None or "colour" in aids:
            raise UsageError(f"parts has {part!r}", "Give some of flow, noise, anchors, fusion; or none.")
        wanted[part] = aids
    unet = random_unet(attention).to(pick_device(device))
    for path in clips:
        clip = read_clip(path, frames, width)
        pairs = pairs_of(clip.frames)
        own = warp_error(clip.frames, clip.frames, pairs=pairs)
        links = _links(clip)
        stride = window - window // 4
        joins = range(stride, len(clip.frames), stride)
        alone: dict[bool, float] = {}
        # First those whose frames see no others, once with either noise: what the others' seams are measured against.
        for part, aids in sorted(wanted.items(), key=lambda item: not item[1] <= {"noise"}):
            began = time.perf_counter()
            made = painted(unet, clip, links, aids, window=window, strength=strength, steps=steps)
            seconds = (time.perf_counter() - began) / len(made)
            error = warp_error(made, clip.frames, pairs=pairs)
            joined = join_ratio(made, clip.frames, joins, pairs=pairs)
            seam = joined / alone.setdefault("noise" in aids, joined)
            yield ConsistencyRow(path.name, part, len(made), error, error / (own + 0.2), seam, seconds)


def painted(
    unet: Any,
    clip: Clip,
    links: Sequence[PairFlow | None],
    aids: frozenset[str],
    *,
    window: int,
    strength: float,
    steps: int,
) -> Tensor:
    """A clip ``(F,3,H,W)`` through a U-Net for the bundled codec's latents, with these parts on."""
    from diffusers import DDIMScheduler

    device = unet.device
    scheduler: Any = DDIMScheduler(prediction_type="sample", clip_sample=False)  # type: ignore[no-untyped-call]
    text = torch.randn(1, 8, unet.config.cross_attention_dim, generator=torch.Generator().manual_seed(0))

    def prompts(frames: Sequence[Prior]) -> Mapping[str, Tensor]:
        return {"prompt_embeds": text.expand(len(frames), -1, -1)}

    models = Models(
        load_engine("bundled", device).codec,
        UNetDenoiser(unet, prompts, guidance_scale=1.0, flow_attention="flow" in aids),
        partial(last_steps_timetable, scheduler, device=device),
        device,
        anchors="anchors" in aids,
        fusion="fusion" in aids,
    )
    priors = (Prior(i, f, None, link) for i, (f, link) in enumerate(zip(clip.frames, links, strict=True)))
    pictures = sample(
        priors,
        models,
        strength=strength,
        seed=0,
        steps=steps,
        window=window,
        overlap=window // 4,
        noise="carried" if "noise" in aids else "independent",
    )
    return torch.stack(list(pictures))


def random_unet(attention: float) -> Any:
    """A small U-Net of Stable Diffusion's kind, for the bundled codec's latents, with random weights.

    Self-attention is ``attention`` times as strong as it comes.
    """
    tolerate_torchvision()
    from diffusers import UNet2DConditionModel

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        unet: Any = UNet2DConditionModel(  # type: ignore[no-untyped-call]
            in_channels=8,
            out_channels=8,
            block_out_channels=(64, 128),
            down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
            layers_per_block=1,
            cross_attention_dim=32,
            attention_head_dim=4,
            norm_num_groups=16,
        )
    for name, layer in unet.named_modules():
        if name.endswith("attn1.to_out.0"):
            layer.weight.data.mul_(attention)
    return unet.eval().requires_grad_(False)


def _links(clip: Clip) -> list[PairFlow | None]:
    """The motion into each frame, as a restyle works it out."""
    height, width = (-(-side // 2) for side in clip.frames.shape[-2:])
    frames = list(clip.frames)
    found = (trusted_link(a, b, height, width, "normal") for a, b in pairwise(frames))
    return list(chain([None], found))
