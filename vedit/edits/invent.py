"""What no frame shows, made up by a pretrained engine: real pixels stay, the rest is painted anew over a first guess.

The completed frames go through the latent path with a mask of what was made up. A model for inpainting (9 channels)
starts from pure noise there, as it was trained to; others start from the guess, which says how it goes on around.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.denoise import sample
from vedit.diffusion.prior import Prior
from vedit.diffusion.prompting import parse
from vedit.edits.aids import usual_aids
from vedit.edits.sketch import Sketch, painting_size, sketches
from vedit.frame import Frame, Shot
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.fitting import fitted_models
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import STEPS, WHOLE, Asked, load_checkpoint, models_for

SIZE = 768
"""The longer side that larger films are painted at; what is made up is enlarged to the film's size."""
GUESS = 0.7
"""Strength of a model that was not trained to fill holes: much less keeps the guess's blur."""
WORDS = "the scene, nothing added"
WINDOW = 16


@dataclass(frozen=True)
class Invention:
    """A pretrained engine and what it is told: the words, and denoising steps (None: its own number)."""

    checkpoint: Checkpoint
    prompt: str | None
    steps: int | None
    seed: int


def invented(
    films: Iterator[tuple[Frame, Tensor | None]], invention: Invention, shot: Shot
) -> Iterator[Frame]:
    """Paint where masks say; every other pixel stays bit for bit.

    Args:
        films: completed frames, and where they were made up ``(1,H,W)`` in [0, 1]; None where nowhere.
        invention: the engine.
        shot: theirs.

    Raises:
        UsageError, EngineError: as the checkpoint.
    """
    loaded = load_checkpoint(invention.checkpoint, shot.device)
    size = painting_size(shot.height, shot.width, SIZE)
    blank = torch.zeros(1, shot.height, shot.width)
    frames = ((frame, blank if mask is None else mask) for frame, mask in films)
    ready = sketches(frames, size, {}, 0, [], quality="normal")
    waiting: deque[Sketch] = deque()
    pictures = (_whole if loaded.family in WHOLE else _latent)(loaded, invention, ready, waiting, shot)
    for picture in pictures:
        yield _composited(waiting.popleft(), picture)


def _latent(
    loaded: Loaded, invention: Invention, ready: Iterator[Sketch], waiting: deque[Sketch], shot: Shot
) -> Iterator[Tensor]:
    config = loaded.pipe.unet.config
    moves = hasattr(config, "motion_max_seq_length")
    asked = Asked(parse(invention.prompt or WORDS), None, None, (), usual_aids(moves) - {"colour"})
    first = next(ready)
    window = min(WINDOW, getattr(config, "motion_max_seq_length", WINDOW))
    plan, models = fitted_models(
        lambda plan: models_for(loaded, asked, None, shot.device, plan, shot.notes.warn),
        loaded,
        first.pixels,
        window,
        shot.device,
        shot.notes.warn,
    )

    def priors() -> Iterator[Prior]:
        for sketch in chain([first], ready):
            waiting.append(sketch)
            time = shot.timing.time(sketch.frame.pts)
            yield Prior(sketch.frame.index, sketch.pixels, sketch.small_mask, sketch.link, time, shot.index)

    return sample(
        priors(),
        models,
        strength=1.0 if models.denoiser.hides else GUESS,
        seed=invention.seed,
        steps=invention.steps or loaded.steps or STEPS,
        window=plan.window,
        overlap=plan.overlap,
    )


def _whole(
    loaded: Loaded, invention: Invention, ready: Iterator[Sketch], waiting: deque[Sketch], shot: Shot
) -> Iterator[Tensor]:
    from vedit.diffusion.whole import WholeSettings, inpaint_whole

    first = next(ready)
    latest = first
    settings = WholeSettings(
        prompt=parse(invention.prompt or WORDS).of_shot(shot.index + 1),
        steps=invention.steps or loaded.steps or STEPS,
        guidance_scale=loaded.guidance_scale,
        seed=invention.seed,
        first=first.frame.index,
        rate=shot.timing.rate,
    )

    def frames() -> Iterator[Tensor]:
        nonlocal latest
        for latest in chain([first], ready):
            waiting.append(latest)
            yield latest.pixels

    def masks() -> Iterator[Tensor]:
        while latest.small_mask is not None:
            yield latest.small_mask

    return inpaint_whole(loaded.pipe, frames(), masks(), settings)


def _composited(sketch: Sketch, picture: Tensor) -> Frame:
    """The frame with the painted picture ``(3,h,w)`` where it was made up."""
    frame, mask = sketch.frame, sketch.mask
    if mask is None or not mask.any():
        return frame
    original = frame.pixels
    if picture.shape[-2:] != original.shape[-2:]:
        picture = F.interpolate(picture[None], size=original.shape[-2:], mode="bicubic", align_corners=False)[
            0
        ].clamp(0, 1)
    mask = mask.to(original)
    painted = torch.lerp(original[:3], picture.to(original), mask)
    pixels = torch.where(mask > 0, painted, original[:3])
    return frame.edited(torch.cat([pixels, original[3:]]), changed=mask)
