"""Whether what looks like dirt is elsewhere in the frames beside: then it moves, faster than the flow could follow."""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from vedit.edits.repair.candidates import Candidate, grown, scale_of, wider
from vedit.edits.repair.views import Box, Plane, Views

REACH = 48
"""Pixels, at the size where specks were measured, within which the same thing is looked for in the neighbours: what is
found there moves."""
FOUND = 0.38
"""Difference to the nearest likeness in one of the neighbours, in parts of the contrast, below which it moves."""
FOUND_IN_BOTH = 0.5
"""The same where both have a likeness, on opposite sides of the place."""
SIZES = (1.0, 1.3, 0.77)
SLACK = 13
"""Pixels by which the two sides may differ."""
BESIDE = 5
"""Pixels within which a likeness stays where it is."""


class Likenesses:
    """Looks for what candidates of one frame show in its neighbours."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._scale = scale_of(views.plate.luma)

    @cached_property
    def _blurred(self) -> list[Plane]:
        """Before, after and the frame itself, without their grain."""
        plates = (*self._views.neighbours, self._views.plate)
        return [np.asarray(cv2.blur(plate.luma, (3, 3)), np.float32) for plate in plates]

    @cached_property
    def _expected(self) -> Plane:
        return np.asarray(cv2.blur((self._views.before + self._views.after) / 2, (3, 3)), np.float32)

    def moves(self, place: Candidate) -> bool:
        """Whether the same thing is elsewhere in the neighbours.

        It may come nearer or go away: it is also looked for smaller in one and larger in the other.
        """
        patch = _patch(place, self._blurred[2], self._expected)
        slack = np.ones((int(SLACK * self._scale) | 1,) * 2, np.uint8)
        maps = {1.0: self._unlike(place, patch, 1.0)}
        if min(float(whole.min()) for whole in maps[1.0]) < FOUND**2 * patch.contrast:
            return True
        maps |= {size: self._unlike(place, patch, size) for size in SIZES[1:]}
        for first, second in ((1.0, 1.0), SIZES[1:], SIZES[:0:-1]):
            opposite = cv2.erode(maps[second][1], slack, borderType=cv2.BORDER_REPLICATE)[::-1, ::-1]
            if float(np.maximum(maps[first][0], opposite).min()) < FOUND_IN_BOTH**2 * patch.contrast:
                return True
        return False

    def _unlike(self, place: Candidate, patch: "_Patch", size: float) -> list[Plane]:
        """How unlike the neighbours around the place are; not where a likeness stands in this picture as well.

        That is another thing, which goes with what is around it.
        """
        before, after, itself = self._blurred
        reach = int(REACH * self._scale)
        around, _ = wider(place, reach, itself.shape)
        here = _unlike(itself, patch, reach, size)
        tall, wide = patch.picture.shape
        here[max(0, reach - tall) : reach + tall + 1, max(0, reach - wide) : reach + wide + 1] = np.inf
        other = np.asarray(cv2.erode(here, np.ones((BESIDE, BESIDE), np.uint8)), np.float32)
        maps = []
        for neighbour, flow in ((before, self._views.flow_before), (after, self._views.flow_after)):
            there = _unlike(neighbour, patch, reach, size)
            x, y = (int(n) for n in np.median(flow[around], (0, 1)).round())
            there[np.roll(other, (y, x), (0, 1)) < FOUND_IN_BOTH**2 * patch.contrast] = np.inf
            maps.append(there)
        return maps


@dataclass(frozen=True, eq=False)
class _Patch:
    """What is looked for: a picture in a box, how much its pixels count, and how far it is from what should be there.

    ``contrast`` is the mean square of that.
    """

    box: Box
    picture: Plane
    weight: Plane
    contrast: float


def _patch(place: Candidate, picture: Plane, expected: Plane) -> _Patch:
    box, inside = wider(place, 2, picture.shape)
    weight = grown(inside, 1).astype(np.float32)
    wanted = np.ascontiguousarray(picture[box])
    contrast = float((np.square(wanted - expected[box]) * weight).sum() / weight.sum()) + 1
    return _Patch(box, wanted, weight, contrast)


def _unlike(picture: Plane, patch: _Patch, reach: int, size: float) -> Plane:
    """Mean squared difference between a patch, made larger by ``size``, and a picture around its place.

    ``(2 reach + 1, 2 reach + 1)`` by how far it is moved, huge beyond the border.
    """
    box, wanted, weight = patch.box, patch.picture, patch.weight
    middle = (box[0].start + box[0].stop) / 2, (box[1].start + box[1].stop) / 2
    if size != 1:
        tall, wide = (max(3, round(side * size)) for side in wanted.shape)
        wanted, weight = (np.asarray(cv2.resize(p, (wide, tall)), np.float32) for p in (wanted, weight))
    tall, wide = wanted.shape
    top, left = int(middle[0] - tall / 2) - reach, int(middle[1] - wide / 2) - reach
    out = np.full((2 * reach + 1, 2 * reach + 1), 1e6, np.float32)
    part = np.ascontiguousarray(
        picture[max(0, top) : top + tall + 2 * reach, max(0, left) : left + wide + 2 * reach]
    )
    if part.shape[0] < tall or part.shape[1] < wide:
        return out
    unlike = cv2.matchTemplate(part, wanted, cv2.TM_SQDIFF, mask=weight) / float(weight.sum())
    y, x = max(0, -top), max(0, -left)
    out[y : y + unlike.shape[0], x : x + unlike.shape[1]] = unlike
    return out
