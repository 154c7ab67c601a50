"""Restyle with a pipeline that is called whole, such as Wan VACE: sketches in, pictures out."""

from collections import deque
from collections.abc import Iterator
from itertools import chain, count
from typing import TYPE_CHECKING

from torch import Tensor

from vedit.diffusion.control import control_maps
from vedit.diffusion.whole import WholeSettings, restyle_whole
from vedit.edits.pretrained import Wish
from vedit.edits.sketch import Sketch
from vedit.edits.style import read_style
from vedit.errors import UsageError
from vedit.frame import Shot
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import STEPS

if TYPE_CHECKING:
    from vedit.edits.restyle import Restyle


def whole_pictures(
    edit: "Restyle",
    wish: Wish,
    loaded: Loaded,
    ready: Iterator[Sketch],
    waiting: deque[Sketch],
    shot: Shot,
) -> Iterator[Tensor]:
    """The painted pictures of a shot, one for each sketch, which is put into ``waiting`` on its way.

    Raises:
        UsageError: the pipeline cannot do what is asked of it.
    """
    if len(wish.controls) > 1:
        raise UsageError(f"{loaded.family} follows one kind of map", "Give one, such as control=depth.")
    if len(wish.strength.values) > 1 and wish.strength.timeline.keys[0].unit != "shot":
        raise UsageError(
            f"strength cannot change within a shot with {loaded.family}",
            'Give one, or one for each shot: "shot 1: 0.4; shot 2: 0.8".',
        )
    first = next(ready)
    start = first.frame.index, shot.timing.time(first.frame.pts), shot.index + 1
    keys = {key.index - first.frame.index: key.painting for key, _ in first.trails}
    settings = WholeSettings(
        prompt=wish.prompts.of_shot(shot.index + 1),
        negative_prompt=edit.negative_prompt or "",
        strength=wish.strength.at(*start),
        steps=edit.steps or loaded.steps or STEPS,
        guidance_scale=loaded.guidance_scale if edit.guidance_scale is None else edit.guidance_scale,
        conditioning_scale=wish.controls[0].scale if wish.controls else 1.0,
        reference=() if edit.style is None else (read_style(edit.style),),
        seed=edit.seed,
        first=first.frame.index,
        window=edit.window,
        rate=shot.timing.rate,
    )

    latest = first

    def frames() -> Iterator[Tensor]:
        nonlocal latest
        for latest in chain([first], ready):
            waiting.append(latest)
            yield latest.pixels

    # What goes with a frame is asked for right after it.
    control = masks = None
    if wish.controls:
        kind = wish.controls[0].kind
        maps = control_maps([kind], shot.device)
        control = (maps(latest.pixels)[kind] for _ in count())
    if first.small_mask is not None:
        masks = (latest.small_mask for _ in count() if latest.small_mask is not None)
    return restyle_whole(loaded.pipe, frames(), settings, control=control, masks=masks, keyframes=keys)
