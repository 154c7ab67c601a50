"""Specks, hairs and other dirt of a single frame: what neither neighbour shows, though both agree about the place."""

import numpy as np
import numpy.typing as npt

from vedit.edits.repair.candidates import Candidate, Seen
from vedit.edits.repair.likeness import Likenesses
from vedit.edits.repair.speck_net import likely
from vedit.edits.repair.views import Plane, Views

SURE = 0.8
"""The logarithm of the odds from which a candidate is a speck."""

COLOUR = 20.0
"""Levels between the highest and the lowest of red, green and blue by which dirt may exceed what it hides."""


def specks(seen: Seen, earlier: list[npt.NDArray[np.float64]], *, at_end: bool) -> list[Candidate]:
    """Those candidates of a frame that are dirt; see `vedit.edits.repair.speck_net.measured`."""
    scores = likely(seen, earlier, at_end=at_end)
    likenesses = Likenesses(seen.views)
    return [
        place
        for place, score in zip(seen.places, scores, strict=True)
        if score > SURE and not _coloured(seen.views, place) and not likenesses.moves(place)
    ]


def _coloured(views: Views, place: Candidate) -> bool:
    """Whether a place is more colourful than what should be there: dirt is grey."""
    first, second = views.colours(place.box)

    def chroma(colours: Plane) -> float:
        inside = colours[place.inside]
        return float(255 * (inside.max(1) - inside.min(1)).mean())

    expected = np.asarray((first + second) / 2, np.float32)
    return chroma(views.plate.colours(place.box)) > chroma(expected) + COLOUR
