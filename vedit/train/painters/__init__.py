"""Painters: eight looks drawn by plain image processing, to make pairs that the bundled engine learns from.

Nothing here is learned, and nothing here runs when a film is restyled. Every size is relative to the picture's height,
and every mark is at least about 5 pixels at 288 lines, so that a codec of 4 pixels per latent can hold it. What is
accidental comes from `Chance`.
"""

from collections.abc import Callable

import numpy as np

from vedit.errors import UsageError
from vedit.train.painters.cel import cel
from vedit.train.painters.chance import Chance
from vedit.train.painters.field import Picture
from vedit.train.painters.glass import glass
from vedit.train.painters.halftone import halftone
from vedit.train.painters.ink import ink
from vedit.train.painters.oil import oil
from vedit.train.painters.pencil import pencil
from vedit.train.painters.watercolour import watercolour
from vedit.train.painters.woodcut import woodcut

PAINTERS: dict[str, Callable[[Picture, Chance], Picture]] = {
    "oil": oil,
    "watercolour": watercolour,
    "ink": ink,
    "pencil": pencil,
    "woodcut": woodcut,
    "halftone": halftone,
    "stained-glass": glass,
    "cel": cel,
}

__all__ = ["PAINTERS", "Chance", "Picture", "paint"]


def paint(picture: Picture, look: str, chance: Chance) -> Picture:
    """Paint a photograph.

    `picture` is (H,W,3) uint8 RGB; so is the result, of the same size. `look` is one of PAINTERS. What is
    accidental in the painting (bristles, grain, cell seeds) comes from `chance`, made for the same size.

    Raises UsageError for an unknown look or a picture of another shape or type.
    """
    if look not in PAINTERS:
        raise UsageError(f"no painter is called {look!r}", f"Choose one of {', '.join(PAINTERS)}.")
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise UsageError(
            f"a picture of shape {picture.shape} and type {picture.dtype} cannot be painted",
            "Give an (H,W,3) uint8 RGB array.",
        )
    return PAINTERS[look](np.ascontiguousarray(picture), chance)
