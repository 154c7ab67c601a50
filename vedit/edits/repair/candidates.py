"""Places of a frame that neither neighbour shows, though both agree about them: what may be dirt."""

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


@dataclass(frozen=True, eq=False)
class Candidate:
    """A connected place that is lighter or darker than both neighbours."""

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


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame as its neighbours show it, where it is beyond them, and the candidates there; ``many`` were found."""

    views: Views
    found: Spikes
    places: list[Candidate]
    many: int


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
            places.append(Candidate(box, labels[box] == label, area, float(peaks[label]), (x, y)))
    places.sort(key=lambda place: -place.peak)
    return places[:MOST], len(places)


def centres(places: list[Candidate]) -> npt.NDArray[np.float64]:
    """What is remembered of a frame's candidates, ``(N,2)``."""
    return np.array([place.centre for place in places]).reshape(-1, 2)


def scale_of(plane: npt.NDArray[np.float32]) -> float:
    """How many times as large specks are in a picture as they are where sizes were measured."""
    return float(max(1.0, max(plane.shape) / REFERENCE))


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
