"""Specks, hairs and other dirt of a single frame: what neither neighbour shows, though both agree about the place."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vedit.edits.repair.views import Box, Mask, Plane, Views

SEED = 9.0
"""Levels beyond the range of both neighbours, within a pixel, that begin a candidate."""
EDGE = 5.0
"""Levels from both neighbours down to which it reaches."""
LEAST = 4
"""Pixels; less is noise."""
MOST = 80
"""Candidates of a frame that are looked at, those with the highest contrast first."""
REFERENCE = 640
"""The longer side at which sizes were measured; in larger pictures specks are larger."""
LOST = 26 * 26 * 4
"""Pixels, there, above which a place is no speck but lost."""

WEIGHTS = {
    "contrast": 0.860,
    "peak": 0.277,
    "over apart": 1.362,
    "over around": 0.733,
    "over worst around": 0.686,
    "texture": 0.159,
    "again": -0.042,
    "area": 0.674,
    "unrest": 0.220,
    "far unrest": -1.176,
    "many": -0.487,
}
BIAS = -8.609
"""A logistic regression on the logarithms of what is measured, of 1800 specks painted into 33 clips and the 15000 other
candidates of these clips."""
SURE = 0.8
"""The score from which a candidate is a speck."""
SURE_AT_EDGE = 4.0
"""The same where a neighbour shows the place beyond its border, so that only the other one tells."""
SURE_AT_END = 2.0
"""The same in the first and the last picture of a shot, whose neighbours lie on one side: what something hides in both
looks like dirt there."""

RETURNS = 3
"""Frames of the five before in which there was a candidate at the same place, from which it is no dirt: the digits of a
clock change there, or leaves move. In 35 clips with a clock over them 28 places are taken for dirt with this rule, 199
without; of 1416 painted specks 1081 are found with it, 1097 without."""

COLOUR = 20.0
"""Levels between the highest and the lowest of red, green and blue by which dirt may exceed what it hides."""
REACH = 48
"""Pixels, there, within which the same thing is looked for in the neighbours: what is found there moves."""
FOUND = 0.38
"""Difference to the nearest likeness in one of the neighbours, in parts of the contrast, below which it moves."""
FOUND_IN_BOTH = 0.5
"""The same where both have a likeness, on opposite sides of the place."""
SIZES = (1.0, 1.3, 0.77)
SLACK = 13
"""Pixels by which the two sides may differ."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A connected place that is lighter (sign 1) or darker (-1) than both neighbours."""

    sign: int
    box: Box
    inside: Mask
    """``(h,w)`` in the box."""
    area: int
    peak: float
    centre: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Spikes:
    """Signed levels by which a frame lies beyond both neighbours: beyond their range within a pixel, and simply."""

    beyond: Plane
    nearer: Plane


def spikes(views: Views) -> Spikes:
    """Two detectors on a frame and its neighbours: SDIp (Kokaram, "Motion Picture Restoration", 1998) and ROD.

    ROD: Nadenau and Mitra, "Blotch and scratch detection in image sequences based on rank ordered differences", 1997.
    """
    frame = views.plate.luma
    high, low = cv2.max(views.before, views.after), cv2.min(views.before, views.after)
    nearer = cv2.subtract(frame, cv2.max(cv2.min(frame, high), low))
    kernel = np.ones((3, 3), np.uint8)
    high, low = cv2.dilate(high, kernel), cv2.erode(low, kernel)
    beyond = cv2.subtract(frame, cv2.max(cv2.min(frame, high), low))
    return Spikes(np.asarray(beyond, np.float32), np.asarray(nearer, np.float32))


def candidates(found: Spikes) -> tuple[list[Candidate], int]:
    """The candidates of a frame, those with the highest peak first, at most 80; and how many there are."""
    places: list[Candidate] = []
    for sign in (1, -1):
        above = (sign * found.nearer > EDGE).astype(np.uint8)
        seeds = np.flatnonzero(sign * found.beyond > SEED)
        if not len(seeds):
            continue
        count, labels, stats, centres = cv2.connectedComponentsWithStats(above, connectivity=8)
        peaks = np.zeros(count, np.float32)
        at = np.asarray(labels.ravel()[seeds], np.int64)
        np.maximum.at(peaks, at, np.abs(found.beyond.ravel()[seeds]))
        for label in np.flatnonzero((peaks > SEED) & (stats[:, 4] >= LEAST)):
            left, top, wide, tall, area = (int(n) for n in stats[label])
            if label == 0:
                continue
            box = slice(top, top + tall), slice(left, left + wide)
            x, y = (float(n) for n in centres[label])
            places.append(Candidate(sign, box, labels[box] == label, area, float(peaks[label]), (x, y)))
    places.sort(key=lambda place: -place.peak)
    return places[:MOST], len(places)


def specks(
    views: Views,
    found: Spikes,
    places: list[Candidate],
    many: int,
    earlier: list[npt.NDArray[np.float64]],
    *,
    at_end: bool,
) -> list[Candidate]:
    """Those candidates that are dirt.

    Args:
        views: the frame.
        found: its spikes.
        places: its candidates.
        many: how many there were.
        earlier: the centres ``(N,2)`` of the candidates of up to five frames before: dirt never comes back to a place,
            water and leaves do.
        at_end: both neighbours lie on one side.
    """
    if not places:
        return []
    scores = _measured(views, found, places, many, earlier) @ np.array(list(WEIGHTS.values())) + BIAS
    sure = SURE_AT_END if at_end else SURE
    scale = _scale(found.nearer)
    likely = [
        place
        for place, score in zip(places, scores, strict=True)
        if score > sure
        and _returned(place, earlier, scale) < RETURNS
        and (score > SURE_AT_EDGE or not _leaves(views, place))
    ]
    if not likely:
        return []
    blurred = [np.asarray(cv2.blur(p.luma, (3, 3)), np.float32) for p in (*views.neighbours, views.plate)]
    expected = np.asarray(cv2.blur((views.before + views.after) / 2, (3, 3)), np.float32)
    return [
        place
        for place in likely
        if not (_coloured(views, place) or _moves(place, views, blurred, expected, scale))
    ]


def _scale(plane: Plane) -> float:
    return float(max(1.0, max(plane.shape) / REFERENCE))


def _measured(
    views: Views,
    found: Spikes,
    places: list[Candidate],
    many: int,
    earlier: list[npt.NDArray[np.float64]],
) -> npt.NDArray[np.float64]:
    """What ``WEIGHTS`` weigh, ``(places, weights)``."""
    frame, scale = views.plate.luma, _scale(views.plate.luma)
    off = np.maximum(np.abs(frame - views.before), np.abs(frame - views.after))
    near, far = (int(size * scale) | 1 for size in (31, 61))
    unrest = cv2.blur(views.apart, (near, near))
    far_unrest = cv2.blur(np.minimum(off, 40), (far, far))
    texture = cv2.morphologyEx(
        np.asarray((views.before + views.after) / 2, np.float32),
        cv2.MORPH_GRADIENT,
        np.ones((3, 3), np.uint8),
    )
    rows = []
    for place in places:
        box, inside = wider(place, int(10 * scale), frame.shape)
        around = grown(inside, int(8 * scale)) & ~grown(inside, int(3 * scale))
        if not around.any():
            around = ~inside
        contrast = float(np.abs(found.nearer[box][inside]).mean())
        x, y = (int(n) for n in place.centre)
        ring = off[box][around] if around.any() else off[box].ravel()
        log = np.log1p(contrast)
        rows.append(
            [
                log,
                np.log1p(place.peak),
                log - np.log1p(views.apart[box][inside].mean()),
                log - np.log1p(ring.mean()),
                log - np.log1p(np.percentile(ring, 90)),
                np.log1p(texture[box][around].mean() if around.any() else 0.0),
                min(_returned(place, earlier, scale), 4),
                np.log1p(place.area / scale**2),
                np.log1p(unrest[y, x]),
                np.log1p(far_unrest[y, x]),
                np.log1p(many),
            ]
        )
    return np.array(rows)


def _returned(place: Candidate, earlier: list[npt.NDArray[np.float64]], scale: float) -> int:
    """In how many frames before there was a candidate at the same place."""
    near = (14 * scale) ** 2
    return sum(bool((((centres - np.array(place.centre)) ** 2).sum(1) < near).any()) for centres in earlier)


def _leaves(views: Views, place: Candidate) -> bool:
    """Whether what should be there lies beyond a neighbour's border."""
    whole = np.zeros(views.plate.luma.shape, bool)
    whole[place.box] = place.inside
    return bool(views.outside(whole).any())


def _coloured(views: Views, place: Candidate) -> bool:
    """Whether a place is more colourful than what should be there: dirt is grey."""
    first, second = views.colours(place.box)

    def chroma(colours: Plane) -> float:
        inside = colours[place.inside]
        return float(255 * (inside.max(1) - inside.min(1)).mean())

    expected = np.asarray((first + second) / 2, np.float32)
    return chroma(views.plate.colours(place.box)) > chroma(expected) + COLOUR


def _moves(place: Candidate, views: Views, blurred: list[Plane], expected: Plane, scale: float) -> bool:
    """Whether the same thing is elsewhere in the neighbours, so that it moves, faster than the flow could follow.

    It may come nearer or go away: it is also looked for smaller in one and larger in the other. A likeness that is in
    this picture as well is another thing.
    """
    box, inside = wider(place, 2, expected.shape)
    weight = grown(inside, 1).astype(np.float32)
    wanted = np.ascontiguousarray(blurred[2][box])
    contrast = float((np.square(wanted - expected[box]) * weight).sum() / weight.sum()) + 1
    reach = int(REACH * scale)
    slack = np.ones((int(SLACK * scale) | 1,) * 2, np.uint8)
    around, _ = wider(place, reach, expected.shape)
    ways = [np.median(flow[around], (0, 1)) for flow in (views.flow_before, views.flow_after)]

    def unlike(size: float) -> list[Plane]:
        here = _unlike(blurred[2], wanted, weight, box, reach, size)
        tall, wide = wanted.shape
        here[max(0, reach - tall) : reach + tall + 1, max(0, reach - wide) : reach + wide + 1] = np.inf
        here = np.asarray(cv2.erode(here, np.ones((5, 5), np.uint8)), np.float32)
        maps = []
        for neighbour, way in zip(blurred[:2], ways, strict=True):
            there = _unlike(neighbour, wanted, weight, box, reach, size)
            x, y = (int(n) for n in way.round())
            there[np.roll(here, (y, x), (0, 1)) < FOUND_IN_BOTH**2 * contrast] = np.inf
            maps.append(there)
        return maps

    maps = {1.0: unlike(1.0)}
    if min(float(whole.min()) for whole in maps[1.0]) < FOUND**2 * contrast:
        return True
    maps |= {size: unlike(size) for size in SIZES[1:]}
    for first, second in ((1.0, 1.0), SIZES[1:], SIZES[:0:-1]):
        opposite = cv2.erode(maps[second][1], slack, borderType=cv2.BORDER_REPLICATE)[::-1, ::-1]
        if float(np.maximum(maps[first][0], opposite).min()) < FOUND_IN_BOTH**2 * contrast:
            return True
    return False


def _unlike(picture: Plane, wanted: Plane, weight: Plane, box: Box, reach: int, size: float) -> Plane:
    """Mean squared difference between a patch, made larger by ``size``, and a picture around its place.

    ``(2 reach + 1, 2 reach + 1)`` by how far it is moved, huge beyond the border.
    """
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


def wider(place: Candidate, margin: int, shape: tuple[int, ...]) -> tuple[Box, Mask]:
    """A candidate's box with a margin, as far as the picture goes, and the candidate in it."""
    rows, columns = place.box
    wide = (
        slice(max(0, rows.start - margin), min(shape[0], rows.stop + margin)),
        slice(max(0, columns.start - margin), min(shape[1], columns.stop + margin)),
    )
    inside = np.zeros((wide[0].stop - wide[0].start, wide[1].stop - wide[1].start), bool)
    top, left = rows.start - wide[0].start, columns.start - wide[1].start
    inside[top : top + place.inside.shape[0], left : left + place.inside.shape[1]] = place.inside
    return wide, inside


def grown(mask: Mask, radius: int) -> Mask:
    side = 2 * radius + 1
    return np.asarray(cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8)) > 0)
