"""A thing that is there from one picture to the next, away from the picture's borders, and stays."""

from collections.abc import Sequence

import cv2
import numpy as np

from vedit.analysis.anomalies.interruptions import calm, touching
from vedit.analysis.anomalies.moment import Suspicion
from vedit.analysis.anomalies.surprise import Mask, Surprise, between
from vedit.steps.evidence import Step
from vedit.steps.picture import Picture

STAYS = 12
"""Pictures for which it stays at least."""
SMALLEST, LARGEST = 0.008, 0.35
"""Part of the picture that it covers."""
REMAINS = 0.5
"""What is left of the surprise after that while, when compared with the picture before, unless the thing moved on."""
CALM = 0.22
"""Surprise of the steps before and after, in parts of its own: what moves on surprises again."""
PASSES = 0.28
"""The same of the steps after, where the thing is seen again: what it passes before surprises a little."""
SEEN = 0.65
"""Correlation of the thing with what is there after that while, where it fits best, from which it is seen again."""
MOVES = 14
"""Pixels by which it may have moved meanwhile."""
FAR = 48
"""Pixels by which it may have moved in pictures that are missing."""
LOST = 2.6
"""Odds of missing pictures from which they are believed all the same: a thing that appears breaks paths too."""
NEW = 0.6
"""Surprise of the way back, in parts of that of the way there."""
SAME = 0.7
"""What three pictures before and after leave unexplained of the place, in parts of the surprise."""
BORDER = 0.3
"""Part of it that may lie at the picture's border: what comes in there is no wonder."""
COMPACT = 0.5
"""Part of the surprising area that is in one piece."""


def appearance(
    window: Sequence[Step], at: int, seen: Surprise | None, lost: Suspicion | None
) -> Suspicion | None:
    """A thing that appears at a place where it surprises; ``lost``: the suspicion that pictures are missing there."""
    if at < 3 or at + STAYS >= len(window) or window[at].cut:
        return None
    if any(step.cut for step in window[at + 1 : at + STAYS + 1]):
        return None
    if seen is None or not SMALLEST <= seen.area <= LARGEST:
        return None
    piece = _largest_piece(seen.where)
    if piece.mean() < SMALLEST or piece.sum() < COMPACT * seen.where.sum() or touching(piece) > BORDER:
        return None
    now = float(seen.now[piece].mean())
    around = np.asarray(cv2.dilate(piece.astype(np.uint8), np.ones((3, 3), np.uint8)), bool)
    if float(seen.now[~around].mean()) > float(seen.usual[~around].mean()):
        return None  # all of the picture is surprising
    if not calm(window, (at - 2, at - 1), around, CALM * now):
        return None
    before, after = window[at - 1].picture, window[at].picture
    # What was there is gone and what is there is new: at the edge of what moves only one of both is so.
    if float(between(after, before)[piece].mean()) < NEW * now:
        return None
    later = [window[at + k].picture for k in (STAYS // 2, STAYS)]
    again = _likeness(piece, after, later, MOVES)
    if not calm(window, range(at + 1, at + 5), around, (CALM if again < SEEN else PASSES) * now):
        return None
    remains = min(float(between(before, one)[piece].mean()) for one in later) / now
    if remains < REMAINS and again < SEEN:
        return None
    # What was there had been there, and what is there stays.
    for one, other in ((before, window[at - 3].picture), (after, window[at + 3].picture)):
        if float(between(one, other)[piece].mean()) > SAME * now:
            return None
    if lost is not None and (lost.odds > LOST or _likeness(piece, after, [before], FAR) > SEEN):
        return None
    return Suspicion(
        "appearing object", window[at].index, window[at].index + 1, max(remains / REMAINS, again / SEEN)
    )


def _likeness(piece: Mask, picture: Picture, others: Sequence[Picture], reach: int) -> float:
    """How well what a picture shows at a place is found within reach of it in all of some others: a correlation."""
    rows, columns = np.nonzero(piece)
    height, width = (side / cells for side, cells in zip(picture.shape[:2], piece.shape, strict=True))
    top, left = int(rows.min() * height), int(columns.min() * width)
    bottom, right = int(np.ceil((rows.max() + 1) * height)), int(np.ceil((columns.max() + 1) * width))
    thing = picture[top:bottom, left:right]
    near = np.s_[max(0, top - reach) : bottom + reach, max(0, left - reach) : right + reach]
    return min(float(cv2.matchTemplate(one[near], thing, cv2.TM_CCOEFF_NORMED).max()) for one in others)


def _largest_piece(where: Mask) -> Mask:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(where.astype(np.uint8), connectivity=8)
    if count < 2:
        return np.zeros_like(where)
    best = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.asarray(labels == best, bool)
