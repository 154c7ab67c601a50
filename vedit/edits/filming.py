"""Words into frames, from noise: by a Stable Diffusion checkpoint through our windows, or by a whole pipeline.

They may go on from frames that are there.
"""

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
from vedit.diffusion.whole.prompt import lengths
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.windows import Asked as AskedFrame
from vedit.diffusion.whole.windows import through_windows
from vedit.errors import UsageError
from vedit.frame import Shot
from vedit.pretrained.fitting import fitted_models
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import STEPS, WHOLE, Asked, models_for

WINDOW = 16
"""Frames that AnimateDiff's motion adapters were trained on."""
UNKNOWN = 0.5
"""The grey that says nothing is known."""
ALONE = Plan(window=1, overlap=0)


@dataclass(frozen=True, eq=False)
class Filming:
    """The models, the shot and the ``size`` (height, width) of what is made; where None, what suits the models."""

    loaded: Loaded
    shot: Shot
    size: tuple[int, int]
    steps: int | None
    guidance_scale: float | None
    window: int | None

    @property
    def steps_done(self) -> int:
        return self.steps or self.loaded.steps or STEPS

    @property
    def whole(self) -> bool:
        """Whether the models are called as a whole pipeline."""
        return self.loaded.family in WHOLE

    @property
    def moves(self) -> bool:
        """Whether a motion adapter makes Stable Diffusion film."""
        return not self.whole and hasattr(self.loaded.pipe.unet.config, "motion_max_seq_length")


@dataclass(frozen=True)
class Words:
    """What is to be seen (a table of frames where it changes), and what is not."""

    prompt: Prompt
    negative_prompt: str | None


def film_frames(
    asked: Filming, indices: range, words: Words, seed: int, before: Sequence[Tensor] = ()
) -> Iterator[Tensor]:
    """Frames of a film that a Stable Diffusion checkpoint with a motion adapter makes from noise, windows fused.

    Args:
        asked: the models.
        indices: of the frames, in the film.
        words: what is to be seen, by frame.
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
    plan, models = fitted_models(
        lambda plan: _models(asked, words, plan),
        asked.loaded,
        _grey(asked),
        window,
        asked.shot.device,
        asked.shot.notes.warn,
    )
    first = indices.start - len(before)
    known = [models.codec.encode(frame[None].to(models.device)).float() for frame in before]
    base = asked.shot.timing.time_base
    blank, nothing = _grey(asked), _no_latents(models, asked)
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


def painting(asked: Filming, words: Words, seed: int) -> Tensor:
    """One picture ``(3,h,w)`` in [0, 1] of the words."""
    models = _models(asked, words, ALONE)
    prior = Prior(0, _grey(asked), None, None, latents=_no_latents(models, asked))
    return next(
        sample(iter([prior]), models, strength=1.0, seed=seed, steps=asked.steps_done, window=1, overlap=0)
    )


def film_whole(
    asked: Filming,
    indices: range,
    words: Words,
    seed: int,
    before: Sequence[Tensor] = (),
    start: Tensor | None = None,
) -> Iterator[Tensor]:
    """Frames of a film that a whole pipeline makes from noise, window after window.

    Args:
        asked: the pipeline.
        indices: of the frames, in the film.
        words: what is to be seen, by frame; where it changes windows are short.
        seed: of the noise, with each window's first frame.
        before: the frames ``(3,h,w)`` right before the first, which goes on from them.
        start: the first frame, if it is known.

    Yields:
        ``(3,h,w)`` in [0, 1], one per index.
    """
    settings = WholeSettings(
        prompt=parse(words.prompt),
        negative_prompt=words.negative_prompt or "",
        steps=asked.steps_done,
        guidance_scale=asked.loaded.guidance_scale if asked.guidance_scale is None else asked.guidance_scale,
        seed=seed,
        first=indices.start,
        window=asked.window,
        rate=asked.shot.timing.rate,
    )
    model = whole_model(asked.loaded.pipe, settings)
    window, overlap = window_grid(model, settings)
    before = before[-overlap:]
    blank = _grey(asked)
    frames = chain(
        (AskedFrame(frame, frame, None, frame) for frame in before),
        (AskedFrame(frame, frame, None, frame) for frame in (start,) if frame is not None),
        repeat(AskedFrame(blank, blank), len(indices) - (start is not None)),
    )
    made = through_windows(
        frames,
        model,
        window,
        overlap,
        start=-len(before),
        length=lengths(settings, window, overlap, model.every),
    )
    return islice(made, len(before), None)


def _models(asked: Filming, words: Words, plan: Plan) -> Models:
    wish = Asked(parse(words.prompt), words.negative_prompt, asked.guidance_scale, (), frozenset())
    return models_for(asked.loaded, wish, None, asked.shot.device, plan, asked.shot.notes.warn)


def _grey(asked: Filming) -> Tensor:
    return torch.full((3, *asked.size), UNKNOWN)


def _no_latents(models: Models, asked: Filming) -> Tensor:
    """Latents that say nothing: at the first step they are all noise."""
    codec = models.codec
    return torch.zeros(
        1, codec.channels, *(-(-side // codec.scale) for side in asked.size), device=models.device
    )
