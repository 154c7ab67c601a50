"""Restyle with a pretrained engine: a shot through a checkpoint's models, held together along the motion."""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from vedit.diffusion.control import Kind, control_maps
from vedit.diffusion.denoise import sample
from vedit.diffusion.prior import Prior
from vedit.edits.aids import usual_aids
from vedit.edits.carry import painted
from vedit.edits.colour_lock import colour_lock
from vedit.edits.finish import finished
from vedit.edits.paint import LOOK_AHEAD
from vedit.edits.pretrained import Wish, read_wish
from vedit.edits.sketch import Sketch, painting_size, sketches
from vedit.edits.style import painted_key, read_style
from vedit.errors import UsageError
from vedit.frame import Frame, Shot
from vedit.pretrained.fitting import fitted_models
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import STEPS, WHOLE, Asked, load_checkpoint, models_for

if TYPE_CHECKING:
    from vedit.edits.restyle import Restyle

WINDOW = 16
"""Frames that AnimateDiff's motion adapters were trained on."""


def repaint(edit: "Restyle", frames: Iterator[tuple[Frame, Tensor | None]], shot: Shot) -> Iterator[Frame]:
    """Restyle one shot; some (steps + 2) * 3/4 windows of frames are held, and more for key frames.

    Args:
        edit: the settings.
        frames: with their masks.
        shot: theirs.

    Raises:
        UsageError: a setting does not go with the checkpoint.
        EngineError: it is not here, memory runs out, or what draws control maps is missing.
    """
    wish = read_wish(edit)
    assert wish is not None  # noqa: S101 - the bundled engine paints otherwise
    if not any(wish.strength.values):
        yield from (frame for frame, _ in frames)
        return
    kinds: list[Kind] = [control.kind for control in wish.controls]
    loaded = load_checkpoint(wish.checkpoint, shot.device, kinds=kinds, styled=edit.style is not None)
    for note in loaded.notes:
        shot.notes.warn(note)
    size = painting_size(shot.height, shot.width, edit.size)
    paintings = {i: painted_key(p, size) for i, p in (edit.keyframes or {}).items()}
    ready = sketches(frames, size, paintings, LOOK_AHEAD if paintings else 0, [], quality="normal")
    waiting: deque[Sketch] = deque()
    if loaded.family in WHOLE:
        from vedit.edits.repaint_whole import whole_pictures

        pictures = whole_pictures(edit, wish, loaded, ready, waiting, shot)
    else:
        pictures = _pictures(edit, wish, loaded, ready, waiting, shot)
    for picture in pictures:
        sketch = waiting.popleft()
        if _strength(sketch.frame, wish, shot) == 0 and sketch.frame.index not in paintings:
            yield sketch.frame  # as it is: even a codec changes a picture
        else:
            yield finished(sketch, picture, keep_colour=edit.keep_colour)


def _strength(frame: Frame, wish: Wish, shot: Shot) -> float:
    return wish.strength.at(frame.index, shot.timing.time(frame.pts), shot.index + 1)


def _pictures(
    edit: "Restyle",
    wish: Wish,
    loaded: Loaded,
    ready: Iterator[Sketch],
    waiting: deque[Sketch],
    shot: Shot,
) -> Iterator[Tensor]:
    """The painted pictures of a shot, one for each sketch, which is put into ``waiting`` on its way."""
    config = loaded.pipe.unet.config
    aids = usual_aids(hasattr(config, "motion_max_seq_length")) if wish.aids is None else wish.aids
    asked = Asked(wish.prompts, edit.negative_prompt, edit.guidance_scale, wish.controls, aids)
    style = None if edit.style is None else read_style(edit.style)
    first = next(ready)
    plan, models = fitted_models(
        lambda plan: models_for(loaded, asked, style, shot.device, plan, shot.notes.warn),
        loaded,
        first.pixels,
        _window(edit.window, getattr(config, "motion_max_seq_length", None)),
        shot.device,
        shot.notes.warn,
    )
    sources: deque[Tensor] | None = deque() if "colour" in aids else None
    pictures = sample(
        _priors(first, ready, wish, waiting, sources, shot),
        models,
        strength=max(map(float, wish.strength.values)),
        seed=edit.seed,
        steps=edit.steps or loaded.steps or STEPS,
        window=plan.window,
        overlap=plan.overlap,
        noise="carried" if "noise" in aids else "independent",
    )
    if sources is None:
        return pictures
    return colour_lock(((sources.popleft().float() / 255, picture) for picture in pictures), plan.window)


def _window(given: int | None, most: int | None) -> int:
    if given is None:
        return WINDOW if most is None else min(WINDOW, most)
    if given < 2:
        raise UsageError(f"window is {given}", f"Give at least 2 frames; {WINDOW} is a good start.")
    if most is not None and given > most:
        raise UsageError(f"window is {given}", f"The motion adapter sees at most {most} frames at once.")
    return given


def _priors(
    first: Sketch,
    ready: Iterator[Sketch],
    wish: Wish,
    waiting: deque[Sketch],
    sources: deque[Tensor] | None,
    shot: Shot,
) -> Iterator[Prior]:
    """The sketches as the latent path takes them.

    A key frame is its painting, held at every step: the frames around it see it as what they are to be like.
    """
    maps = control_maps([c.kind for c in wish.controls], shot.device) if wish.controls else None
    sketch: Sketch | None = first
    while sketch is not None:
        frame, pixels = sketch.frame, sketch.pixels
        waiting.append(sketch)
        if sources is not None:
            sources.append(_bytes(pixels))
        strength = _strength(frame, wish, shot)
        controls = {} if maps is None else {str(kind): _bytes(drawn) for kind, drawn in maps(pixels).items()}
        if sketch.trails:
            paint, belief = painted(sketch.trails, pixels, frame.index, LOOK_AHEAD + 1)
            pixels = torch.lerp(pixels, paint, belief)
        for key, _ in sketch.trails:
            if key.index == frame.index:
                pixels, strength = key.painting, 0.0
        yield Prior(
            frame.index,
            pixels,
            sketch.small_mask,
            sketch.link,
            time=shot.timing.time(frame.pts),
            shot=shot.index,
            controls=controls,
            strength=strength,
        )
        # Some hundreds of frames are on their way at once: of this one only the film's own picture is kept.
        done, sketch = sketch, next(ready, None)
        done.pixels, done.trails = done.pixels.new_empty(3, 0, 0), []


def _bytes(picture: Tensor) -> Tensor:
    """A picture or map in [0, 1] in a quarter of the room."""
    return (picture * 255).round().byte()
