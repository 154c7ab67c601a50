"""What a whole pipeline does to a shot: restyle it, fill its masks, make the frames between known ones.

As many frames come out as go in, at their size, whatever the model's own rules; they are read a window at a time, each
one's map and mask right after it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from vedit.diffusion.whole.model import whole_model, window_grid
from vedit.diffusion.whole.prompt import lengths
from vedit.diffusion.whole.settings import WholeSettings
from vedit.diffusion.whole.windows import Asked, through_windows
from vedit.errors import EngineError, UsageError

UNKNOWN = 0.5
"""The grey that tells a model nothing is known."""


def restyle_whole(
    pipe: Any,
    frames: Iterator[Tensor],
    settings: WholeSettings,
    *,
    control: Iterator[Tensor] | None = None,
    masks: Iterator[Tensor] | None = None,
    keyframes: Mapping[int, Tensor] | None = None,
) -> Iterator[Tensor]:
    """Paint a shot's frames anew.

    Args:
        pipe: diffusers' ``WanVACEPipeline``, ``LTXConditionPipeline`` or ``LTX2ConditionPipeline``.
        frames: the shot, ``(3,H,W)`` in [0, 1] each.
        settings: prompt, strength and all that.
        control: a map ``(3,H,W)`` in [0, 1] per frame, that the new frames follow (Wan VACE). None takes the frames'
            own light and dark at strength 1, where nothing else of them would be left, and no map below it.
        masks: ``(1,H,W)`` in [0, 1] per frame, 1 where to paint. None means everywhere; where it is 0 the frames stay
            bit for bit.
        keyframes: frames of the shot that are painted already, by their index from its first; they come out as given.

    Yields:
        ``(3,H,W)`` float32 on the CPU, one per frame.

    Raises:
        EngineError: the pipeline is of another kind or lacks a part.
        UsageError: the pipeline cannot do what is asked of it.
    """
    if settings.strength == 0:
        return frames
    model = whole_model(pipe, settings)
    if control is not None and not model.guided:
        raise UsageError(
            f"{type(pipe).__name__} follows no control maps", "Use a Wan VACE checkpoint, or no control."
        )
    grid = window_grid(model, settings)
    plain = model.guided and settings.strength == 1

    def asked() -> Iterator[Asked]:
        for index, frame in enumerate(frames):
            if control is not None:
                guide = _next(control, "control map", index)
            else:
                guide = _grey(frame) if plain else torch.full_like(frame, UNKNOWN)
            mask = None if masks is None else _next(masks, "mask", index)
            yield Asked(frame, guide, mask, (keyframes or {}).get(index))

    return through_windows(asked(), model, *grid, length=lengths(settings, *grid, model.every))


def inpaint_whole(
    pipe: Any, frames: Iterator[Tensor], masks: Iterator[Tensor], settings: WholeSettings
) -> Iterator[Tensor]:
    """Fill what masks cover with something new; every pixel outside them stays as it is, bit for bit.

    Args:
        pipe: diffusers' ``WanVACEPipeline``.
        frames: the shot, ``(3,H,W)`` in [0, 1] each.
        masks: ``(1,H,W)`` in [0, 1] per frame, 1 where to paint.
        settings: prompt and all that; below strength 1 the frames' own pixels in the mask are the first guess.

    Yields:
        ``(3,H,W)`` float32 on the CPU, one per frame.

    Raises:
        EngineError: the pipeline is of another kind or lacks a part, or knows no masks.
        UsageError: the pipeline cannot do what is asked of it.
    """
    if settings.strength == 0:
        return frames
    model = whole_model(pipe, settings)
    if not model.masked:
        raise EngineError(f"{type(pipe).__name__} knows no masks", "Use a Wan VACE checkpoint to inpaint.")

    def asked() -> Iterator[Asked]:
        for index, frame in enumerate(frames):
            yield Asked(frame, torch.full_like(frame, UNKNOWN), _next(masks, "mask", index))

    grid = window_grid(model, settings)
    return through_windows(asked(), model, *grid, length=lengths(settings, *grid, model.every))


def between(pipe: Any, known: Mapping[int, Tensor], settings: WholeSettings) -> Iterator[Tensor]:
    """The frames between known ones.

    Two known frames are enough, ``{0: first, 8: last}`` for the seven between them; more, such as those before and
    after, tell the model how things move.

    Args:
        pipe: diffusers' ``WanVACEPipeline``, ``LTXConditionPipeline`` or ``LTX2ConditionPipeline``.
        known: frames ``(3,H,W)`` in [0, 1] by their places, from 0 to the last.
        settings: prompt and all that; ``strength`` is taken as 1, and ``rate`` is that of the new frames.

    Yields:
        ``(3,H,W)`` float32 on the CPU, for each place that is not known, in order.

    Raises:
        EngineError: the pipeline is of another kind or lacks a part.
        UsageError: the first or last place is not known, or there are more places than a window has frames.
    """
    settings = replace(settings, strength=1.0)
    model = whole_model(pipe, settings)
    window, overlap = window_grid(model, settings)
    last = max(known, default=0)
    if 0 not in known or last < 1 or min(known) < 0:
        raise UsageError(
            f"known frames are at {sorted(known)}", "Give the first, at 0, and at least one after it."
        )
    if last >= window:
        raise UsageError(
            f"{last + 1} frames from the first to the last known one are more than the {window} made at once",
            "Make fewer at a time, or give a longer window.",
        )
    blank = torch.full_like(known[0], UNKNOWN)
    asked = (Asked(known.get(i, blank), blank, None, known.get(i)) for i in range(last + 1))
    made = through_windows(asked, model, window, overlap)
    return (frame for i, frame in enumerate(made) if i not in known)


def _next(maps: Iterator[Tensor], name: str, index: int) -> Tensor:
    for one in maps:
        return one
    raise UsageError(f"there is no {name} for frame {index} of the shot", f"Give one {name} per frame.")


def _grey(frame: Tensor) -> Tensor:
    """The frame's light and dark, BT.601, as models are shown it."""
    weights = frame.new_tensor([0.299, 0.587, 0.114]).view(3, 1, 1)
    return (frame * weights).sum(0, keepdim=True).expand(3, -1, -1)
