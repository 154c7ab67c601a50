"""The pixels of a caption: its letters with their outline, shadow and the ringing of compression."""

import cv2
import numpy as np

from vedit.masks.ahead import Grey, Marks
from vedit.masks.letters import stroke_reach, strokes
from vedit.masks.text_lines import Line

CORE = 0.38
"""Part of the line's contrast from which on a pixel belongs to a letter."""
DARKER, BRIGHTER = 75, 40
"""Grey levels by which a letter's pixel may be darker (a dash is thin) or brighter than the line."""
REACH = 3.2
"""Line heights beyond its ends where digits that change are looked for."""
SURE = 0.7
"""Part of the line's contrast that some of a changing digit's pixels have."""
RINGING = 1
"""Pixels around outline and shadow that compression spoils."""


class Glyphs:
    """A line of text as it was found, and where it is in any picture.

    ``thin`` and ``luma`` are those of the frames in which it was found (see `text_lines`); the area looked at reaches
    beyond the line's ends, where digits may change, and above and below it.
    """

    def __init__(self, line: Line, thin: Grey, luma: Grey) -> None:
        height, width = thin.shape
        across, up = round(REACH * line.height), max(2, round(0.4 * line.height))
        self.line = line
        self.area = np.s_[
            max(0, line.top - up) : min(height, line.bottom + up),
            max(0, line.left - across) : min(width, line.right + across),
        ]
        self._margin = stroke_reach(height, width)
        self.shape = thin.shape
        self.thin = thin[self.area]
        self.luma = luma[self.area]
        self.core = self._letters(self.thin, self.luma)
        # A comma may stand right beside the line; farther away is only what is like its letters.
        near = max(2, round(0.4 * line.height))
        self.core[:, : max(0, line.left - self.left - near)] = False
        self.core[:, line.right - self.left + near :] = False
        self.core |= self._changing(self.thin, self.luma) | self._beside()
        self.reach = 2 + RINGING

    @property
    def left(self) -> int:
        return int(self.area[1].start)

    @property
    def top(self) -> int:
        return int(self.area[0].start)

    def shown(self, luma: Grey) -> bool:
        """Whether a picture shows this text here, be it half faded."""
        thin = self._strokes(luma)
        own, known = thin[self.core].astype(np.float32), self.thin[self.core].astype(np.float32)
        if not len(own):
            return False
        level = np.abs(luma[self.area][self.core].astype(np.int16) - self.luma[self.core])
        whole = np.mean((own >= 0.5 * known) & (level <= 40))
        if whole >= 0.6:
            return True
        faded = float(np.minimum(own, known).sum() / known.sum())
        inside = np.s_[:, self.line.left - self.left : self.line.right - self.left]
        return faded >= 0.1 and _likeness(thin[inside], self.thin[inside]) >= 0.55

    def change(self, change: Grey) -> tuple[float, float]:
        """By how many grey levels the letters, and what is around them, changed in the frames of ``change``."""
        side = 2 * round(self.line.height / 2) + 3
        near = cv2.dilate(self.core.astype(np.uint8), np.ones((side, side), np.uint8))
        far = (near > 0) & (cv2.dilate(self.core.astype(np.uint8), np.ones((7, 7), np.uint8)) == 0)
        strong = self.core & (self.thin >= 0.7 * self.line.contrast)  # the others mix with what is behind
        inside, around = change[self.area][strong], change[self.area][far]
        return (
            float(np.percentile(inside, 30)) if len(inside) else 255.0,
            float(np.median(around)) if len(around) else 0.0,
        )

    def marks(self, luma: Grey) -> Marks:
        """Its pixels in ``area`` of a picture that shows it, digits that change included."""
        letters = self.core | self._changing(self._strokes(luma), luma[self.area])
        side = 2 * self.reach + 1
        element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        return np.asarray(cv2.dilate(letters.astype(np.uint8), element) > 0)

    def measure(self, lumas: list[Grey]) -> None:
        """Find how far outline and shadow reach, from pictures that show the line over whatever moves behind it.

        They end where the next pixels outward are of another grey, or move and these do not.
        """
        short = min(self.shape)
        farthest = min(3 + round(short / 60), max(3, round(0.35 * self.line.height)))
        inside = np.s_[:, max(0, self.line.left - self.left - farthest) :]
        distance = cv2.distanceTransform((~self.core).astype(np.uint8), cv2.DIST_L2, 5)[inside]
        stack = np.stack([luma[self.area][inside] for luma in lumas]).astype(np.float32)
        spread, mean = stack.std(0), stack.mean(0)
        rings = [(distance > d - 0.5) & (distance <= d + 0.5) for d in range(1, farthest + 4)]
        if min(int(ring.sum()) for ring in rings) < 20:
            return
        level = [float(np.percentile(mean[ring], 35)) for ring in rings]
        moving = [float(np.percentile(spread[ring], 45)) for ring in rings]
        reach = 1
        for d in range(1, farthest + 1):
            ends = abs(level[d - 1] - level[d + 1]) > 0.15 * self.line.contrast
            if ends or 4 < 2 * moving[d - 1] + 2 < moving[d + 1]:
                reach = d
        self.reach = max(reach + RINGING, 3 if short >= 300 else 2)

    def _letters(self, thin: Grey, luma: Grey) -> Marks:
        above = luma.astype(np.int16) - round(self.line.level)
        return np.asarray(
            (thin >= max(12, CORE * self.line.contrast)) & (above >= -DARKER) & (above <= BRIGHTER)
        )

    def _changing(self, thin: Grey, luma: Grey) -> Marks:
        """Letters of the line's height, level and strength that it did not have when it was found."""
        rows = slice(max(0, self.line.top - self.top - 1), self.line.bottom - self.top + 1)
        likely = np.zeros(self.core.shape, np.uint8)
        likely[rows] = self._letters(thin, luma)[rows]
        _, labels, stats, _ = cv2.connectedComponentsWithStats(likely, connectivity=8)
        level = np.abs(luma.astype(np.int16) - round(self.line.level)) <= 25
        sure = (thin >= SURE * self.line.contrast) & level
        area = stats[:, cv2.CC_STAT_AREA]
        kept = np.bincount(labels.ravel(), sure.ravel(), len(area)) >= 0.25 * area
        kept &= stats[:, cv2.CC_STAT_HEIGHT] >= 0.4 * self.line.height
        kept &= stats[:, cv2.CC_STAT_WIDTH] <= 1.5 * self.line.height
        kept[0] = False
        return np.asarray(kept[labels])

    def _beside(self) -> Marks:
        """A letter right beside the line that is so narrow that blur made it dark."""
        likely = (self.thin >= 0.35 * self.line.contrast) & (self.luma >= self.line.level - 1.6 * DARKER)
        near = round(1.2 * self.line.height)
        likely[:, : max(0, self.line.left - self.left - near)] = False
        likely[:, self.line.right - self.left + near :] = False
        _, labels, stats, _ = cv2.connectedComponentsWithStats(likely.astype(np.uint8), connectivity=8)
        height = stats[:, cv2.CC_STAT_HEIGHT]
        kept = (height >= 0.55 * self.line.height) & (height <= 1.2 * self.line.height)
        kept &= stats[:, cv2.CC_STAT_WIDTH] <= self.line.height
        kept[0] = False
        return np.asarray(kept[labels])

    def _strokes(self, luma: Grey) -> Grey:
        """Of the area alone; the opening looks beyond it."""
        rows, columns = self.area
        top, left = max(0, rows.start - self._margin), max(0, columns.start - self._margin)
        part = luma[top : rows.stop + self._margin, left : columns.stop + self._margin]
        thin = strokes(part, side=self._margin)
        return thin[rows.start - top :, columns.start - left :][: self.thin.shape[0], : self.thin.shape[1]]


def _likeness(a: Grey, b: Grey) -> float:
    """Correlation of two pictures."""
    first, second = (v.astype(np.float32) - v.mean() for v in (a, b))
    norm = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / norm if norm > 0 else 0.0
