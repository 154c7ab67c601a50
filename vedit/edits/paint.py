"""Restyle with the bundled engine: a shot in a look it knows, or in a hand that it is taught first."""

from collections import deque
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.looks import look_in_words, look_row
from vedit.edits.carry import Key, painted
from vedit.edits.finish import finished
from vedit.edits.sketch import Sketch, painting_size, shrunk, sketches
from vedit.edits.steady import Painted, steady
from vedit.edits.style import painted_key, read_style
from vedit.frame import Frame, Shot

if TYPE_CHECKING:
    from vedit.edits.hand import Hand
    from vedit.edits.restyle import Restyle

STEPS = 2
"""Of the bundled denoiser, which was distilled for them (see `vedit.train.distil`)."""
TRAINED_STEPS = 4
"""Of one that `vedit train look` taught."""
LOOK_AHEAD = 64
"""Frames read ahead for the next painted key frame: keys up to so far apart are carried both ways."""


def paint(edit: "Restyle", frames: Iterator[tuple[Frame, Tensor | None]], shot: Shot) -> Iterator[Frame]:
    """Restyle one shot; some four windows of frames are held, and `LOOK_AHEAD` more for key frames.

    Args:
        edit: the settings.
        frames: with their masks.
        shot: theirs.
    """
    size = painting_size(shot.height, shot.width, edit.size)
    ready, hand = _ready(edit, frames, shot, size)
    if hand is None:
        yield from (sketch.frame for sketch in ready)
        return
    waiting: deque[Sketch] = deque()
    pictures = steady(_denoised(edit, ready, hand, waiting, shot))
    for picture in pictures:
        sketch = waiting.popleft()
        if sketch.trails:
            paint, belief = painted(sketch.trails, sketch.pixels, sketch.frame.index, LOOK_AHEAD + 1)
            # The engine's picture is at this strength already.
            strength = edit.steady_strength()
            picture = torch.lerp(picture, torch.lerp(sketch.pixels, paint, strength), belief)
        yield finished(sketch, picture, keep_colour=edit.keep_colour)


def _ready(
    edit: "Restyle", frames: Iterator[tuple[Frame, Tensor | None]], shot: Shot, size: tuple[int, int]
) -> tuple[Iterator[Sketch], "Hand | None"]:
    """The shot's sketches, and the hand that paints it; None when no key frame says how."""
    from vedit.diffusion.engine import load_engine, load_look
    from vedit.diffusion.fit import Example
    from vedit.diffusion.looks import FITTED
    from vedit.edits.hand import Hand, key_in_style, taught

    engine, seed = load_engine(edit.engine, shot.device), edit.seed % 2**63  # what torch takes
    if edit.style is None and edit.keyframes is None:
        look = edit.look or look_in_words(edit.plain_prompt())
        if edit.trained:
            hand = Hand(load_look(engine, Path(look)), FITTED, edit.steps or TRAINED_STEPS)
        else:
            hand = Hand(engine, look_row(look), edit.steps or STEPS)
        return sketches(frames, size, {}, 0, []), hand
    if shot.trial:
        shot.notes.warn("learning the hand takes about a minute more for each shot, the first time")
        return sketches(frames, size, {}, 0, []), Hand(engine, FITTED, edit.steps or STEPS)
    paintings: dict[int, Tensor] = {}
    ahead = 0
    if edit.style is not None:
        first = next(frames)
        frames = chain([first], frames)
        paintings[first[0].index] = key_in_style(
            shrunk(first[0].pixels[:3], size),
            read_style(edit.style),
            structure=edit.structure,
            seed=seed,
            phase=shot.notes.phase,
        )
    else:
        assert edit.keyframes is not None  # noqa: S101 - one of the four is given
        paintings = {i: painted_key(p, size) for i, p in edit.keyframes.items()}
        ahead = LOOK_AHEAD
    keys: list[Key] = []
    ready = sketches(frames, size, paintings, ahead, keys)
    one = next(ready)  # by now the sketches have looked ahead
    ready = chain([one], ready)
    examples = [Example(key.frame, key.painting) for key in keys]
    if not examples:
        shot.notes.warn(
            f"the shot that begins at frame {one.frame.index} has no key frame among its first {LOOK_AHEAD}: "
            "it stays as it is; give it one with keyframes="
        )
        return ready, None
    fitted = taught(engine, examples, seed=seed, phase=shot.notes.phase)
    return ready, Hand(fitted, FITTED, edit.steps or STEPS)


def _denoised(
    edit: "Restyle", ready: Iterator[Sketch], hand: "Hand", waiting: deque[Sketch], shot: Shot
) -> Iterator[Painted]:
    """Send the sketches through the latent path; each is put into ``waiting`` on its way."""
    from vedit.diffusion import Prior, denoise

    links: deque[Sketch] = deque()

    def priors() -> Iterator[Prior]:
        for sketch in ready:
            waiting.append(sketch)
            links.append(sketch)
            yield Prior(
                sketch.frame.index, _drawing(sketch.pixels, edit.structure), sketch.small_mask, sketch.link
            )

    for picture in denoise(
        priors(),
        hand.engine,
        strength=edit.steady_strength(),
        seed=edit.seed,
        look=hand.look,
        temporal=edit.temporal,
        steps=hand.steps,
        wanted=max(0, shot.wanted - 2),  # the frames before it are averaged into it
    ):
        yield Painted(picture, links.popleft().link)


def _drawing(pixels: Tensor, structure: float) -> Tensor:
    """A frame ``(3,h,w)`` with its fine drawing taken back (structure under 1) or stressed (over 1)."""
    if structure == 1:
        return pixels
    radius = max(1, pixels.shape[-2] // 60)
    calm = F.avg_pool2d(pixels[None], 2 * radius + 1, 1, radius, count_include_pad=False)[0]
    return (calm + structure * (pixels - calm)).clamp(0, 1)
