"""Words into frames, from noise: by a Stable Diffusion checkpoint through our windows, or by a whole pipeline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat

import torch
from torch import Tensor

from vedit.diffusion.blocks import Models
from vedit.diffusion.denoise import sample
from vedit.diffusion.memory import Plan
from vedit.diffusion.prior import Prior
from vedit.diffusion.prompting import Prompt, parse
from vedit.diffusion.whole.model import whole_model, window_grid
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.windows import Asked as AskedFrame
from vedit.diffusion.whole.windows import through_windows
from vedit.errors import UsageError
from vedit.generating.pictures import Scene
from vedit.generating.storyboard import Panel
from vedit.pretrained.fitting import fitted_plan
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import STEPS, Asked, models_for

WINDOW = 16
"""Frames that AnimateDiff's motion adapters were trained on."""
UNKNOWN = 0.5
"""The grey that says nothing is known."""
ALONE = Plan(window=1, overlap=0)


@dataclass(frozen=True, eq=False)
class Filming:
    """The models, and how they are to be run; None takes what suits them."""

    loaded: Loaded
    steps: int | None
    guidance_scale: float | None
    window: int | None

    @property
    def steps_done(self) -> int:
        return self.steps or self.loaded.steps or STEPS


def film_frames(
    asked: Filming,
    scene: Scene,
    indices: range,
    prompts: Prompt,
    negative_prompt: str | None,
    seed: int,
    before: Sequence[Tensor] = (),
) -> Iterator[Tensor]:
    """Frames of a film that a Stable Diffusion checkpoint with a motion adapter makes from noise, windows fused.

    Args:
        asked: the models.
        scene: the film.
        indices: of the frames, in the film.
        prompts: what is to be seen, by frame.
        negative_prompt: what is not.
        seed: of the noise, with each frame's index.
        before: the frames ``(3,h,w)`` right before the first: they are held as they are, and the first goes on from
            them.

    Yields:
        ``(3,h,w)`` in [0, 1], one per index.
    """
    most = int(asked.loaded.pipe.unet.config.motion_max_seq_length)
    window = min(WINDOW, most) if asked.window is None else asked.window
    if not 2 <= window <= most:
        raise UsageError(
            f"window is {window}", f"Give from 2 to {most} frames, which the motion adapter sees."
        )
    before = before[-max(1, window // 4) :]
    plan = fitted_plan(
        lambda plan: _models(asked, scene, prompts, negative_prompt, plan),
        asked.loaded,
        _grey(scene),
        window,
        scene.shot.device,
        scene.shot.notes.warn,
    )
    models = _models(asked, scene, prompts, negative_prompt, plan)
    first = indices.start - len(before)
    known = [models.codec.encode(frame[None].to(models.device)).float() for frame in before]
    base = scene.shot.timing.time_base
    blank, nothing = _grey(scene), _no_latents(models, scene)
    priors = chain(
        (
            Prior(first + i, frame, None, None, time=max(0, first + i) * base, strength=0.0, latents=latents)
            for i, (frame, latents) in enumerate(zip(before, known, strict=True))
        ),
        (Prior(i, blank, None, None, time=i * base, latents=nothing) for i in indices),
    )
    made = sample(
        priors,
        models,
        strength=1.0,
        seed=seed,
        steps=asked.steps_done,
        window=plan.window,
        overlap=plan.overlap,
        noise="independent",
    )
    return islice(made, len(before), None)


def painting(asked: Filming, scene: Scene, panel: Panel, seed: int) -> Tensor:
    """One picture ``(3,h,w)`` in [0, 1] of a panel's words."""
    assert panel.prompt is not None  # noqa: S101 - only asked for words
    models = _models(asked, scene, {0: panel.prompt}, panel.negative_prompt, ALONE)
    prior = Prior(0, _grey(scene), None, None, latents=_no_latents(models, scene))
    return next(
        sample(iter([prior]), models, strength=1.0, seed=seed, steps=asked.steps_done, window=1, overlap=0)
    )


def film_whole(
    asked: Filming,
    scene: Scene,
    number: int,
    seed: int,
    before: Sequence[Tensor] = (),
    start: Tensor | None = None,
) -> Iterator[Tensor]:
    """The frames of a panel that a whole pipeline makes from noise, window after window.

    Args:
        asked: the pipeline.
        scene: the film.
        number: the panel's.
        seed: of the noise, with each window's first frame.
        before: the frames ``(3,h,w)`` right before the first, which goes on from them.
        start: the first frame, if it is known.

    Yields:
        ``(3,h,w)`` in [0, 1] from ``first`` to ``end`` of the panel's span.
    """
    panel, span = scene.panels[number], scene.spans[number]
    settings = WholeSettings(
        prompt=panel.prompt or "",
        negative_prompt=panel.negative_prompt or "",
        steps=asked.steps_done,
        guidance_scale=asked.loaded.guidance_scale if asked.guidance_scale is None else asked.guidance_scale,
        seed=seed,
        first=span.first,
        window=asked.window,
        rate=scene.shot.timing.rate,
    )
    model = whole_model(asked.loaded.pipe, settings)
    window, overlap = window_grid(model, settings)
    before = before[-overlap:]
    blank = _grey(scene)
    count = span.end - span.first - (start is not None)
    frames = chain(
        (AskedFrame(frame, frame, None, frame) for frame in before),
        (AskedFrame(frame, frame, None, frame) for frame in (start,) if frame is not None),
        repeat(AskedFrame(blank, blank), count),
    )
    return islice(through_windows(frames, model, window, overlap), len(before), None)


def _models(asked: Filming, scene: Scene, prompts: Prompt, negative_prompt: str | None, plan: Plan) -> Models:
    wish = Asked(parse(prompts), negative_prompt, asked.guidance_scale, (), frozenset())
    return models_for(asked.loaded, wish, None, scene.shot.device, plan, scene.shot.notes.warn)


def _grey(scene: Scene) -> Tensor:
    return torch.full((3, *scene.size), UNKNOWN)


def _no_latents(models: Models, scene: Scene) -> Tensor:
    """Latents that say nothing: at the first step they are all noise."""
    codec = models.codec
    return torch.zeros(
        1, codec.channels, *(-(-side // codec.scale) for side in scene.size), device=models.device
    )
