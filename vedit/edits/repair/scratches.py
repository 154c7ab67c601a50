"""What a scratch hides: from the frames beside where the picture moves sideways, else across, with its grain."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vedit.edits.repair.lines import Line
from vedit.edits.repair.views import Mask, Plane, Views
from vedit.frame import Frame

Places = npt.NDArray[np.int64]

SLANT = 2
"""Pixels up and down, for each across, that an edge is followed."""
BIAS = 0.004
"""What each pixel of slant costs, in colour: without edges what is straight across is taken."""
GRAIN = 0.02
"""Contrast up to which texture counts as grain."""
EDGE = 1
"""Pixels beyond a line's width that are filled too."""
MOVES = 1.5
"""Pixels per frame from which a picture moves sideways."""
ALONG = 0.35
"""Difference to that, in parts of it, below which a line goes along."""
AGREE = 8.0
"""Levels by which both neighbours may differ where they are believed."""


def goes_along(line: Line, views: Views) -> bool:
    """Whether a line moves sideways as what is around it does: a pole, then, or a trunk."""
    rows = np.arange(len(views.plate.luma))
    around = float(np.median(views.flow_after[rows, line.columns(len(rows)).round().astype(int), 0]))
    return abs(around) > MOVES and abs(line.drift - around) < ALONG * abs(around)


def without_lines(frame: Frame, views: Views, lines: Sequence[Line]) -> Frame:
    """A frame without its scratches; nothing else changes.

    Args:
        frame: the frame, cleaned of specks.
        views: its neighbours, whose motion does not see the scratches.
        lines: the scratches.
    """
    if not lines:
        return frame
    pixels = frame.pixels.clone()
    height, width = pixels.shape[-2:]
    changed = torch.zeros(1, height, width)
    colours = np.ascontiguousarray(pixels[:3].permute(1, 2, 0).cpu().numpy())
    for line in lines:
        reach = line.reach + EDGE
        columns = line.columns(height).round().astype(int)
        across = np.arange(-reach, reach + 1)
        x = (columns[:, None] + across[None]).clip(0, width - 1)
        y = np.arange(height)[:, None]
        fill = _across(colours, columns, reach)
        shown, known = _from_neighbours(views, line, x, y)
        fill = np.where(known[..., None], shown, fill).clip(0, 1)
        share = np.minimum(1, (reach + 1 - np.abs(across)) / 2)[None, :, None]
        colours[y, x] = colours[y, x] * (1 - share) + fill * share
        changed[0, torch.from_numpy(np.broadcast_to(y, x.shape).copy()), torch.from_numpy(x)] = 1
    pixels[:3] = torch.from_numpy(colours).permute(2, 0, 1)
    return frame.edited(pixels, changed=changed)


def _across(colours: Plane, columns: Places, reach: int) -> Plane:
    """``(H, 2 reach + 1, 3)`` from what is left and right of a line, along the edges that cross it, and its grain.

    Each pixel lies on a slanted line from one side to the other, whose ends are most alike (edge-based line averaging,
    as of deinterlacers, turned by a quarter); the grain is what lies beside.
    """
    height, width = colours.shape[:2]
    rows = np.arange(height)
    left, right = (
        np.mean([colours[rows, (columns + side * (reach + k)).clip(0, width - 1)] for k in (1, 2)], 0)
        for side in (-1, 1)
    )
    slants = np.arange(-SLANT * (reach + 1), SLANT * (reach + 1) + 1)
    unlike = np.stack(
        [
            np.abs(left[(rows - s).clip(0, height - 1)] - right[(rows + s).clip(0, height - 1)]).sum(-1)
            + BIAS * abs(s)
            for s in slants
        ]
    )
    unlike = cv2.blur(unlike.astype(np.float32), (5, 1))
    slant = cv2.medianBlur(slants[unlike.argmin(0)].astype(np.float32)[None], 5)[0]
    part = (np.arange(-reach, reach + 1) + reach + 1)[None] / (reach + 1)  # 0 on the left, 2 on the right
    above = (rows[:, None] - slant[:, None] * part).round().astype(int).clip(0, height - 1)
    below = (rows[:, None] + slant[:, None] * (2 - part)).round().astype(int).clip(0, height - 1)
    weight = part[..., None] / 2
    smooth = left[above] * (1 - weight) + right[below] * weight
    wide = 2 * reach + 2
    beside = np.where(columns + wide + reach < width, columns + wide, columns - wide)
    x = (beside[:, None] + np.arange(-reach, reach + 1)[None]).clip(0, width - 1)
    grain = (colours - cv2.blur(colours, (3, 3)))[rows[:, None], x]
    return np.asarray(smooth + np.clip(grain, -GRAIN, GRAIN), np.float32)


def _from_neighbours(
    views: Views,
    line: Line,
    x: Places,
    y: Places,
) -> tuple[Plane, Mask]:
    """Colours of the pixels (y, x) in the neighbours, and where the motion brings them clear of the scratch there."""
    box = slice(None), slice(max(0, int(x.min())), int(x.max()) + 1)
    seen = views.colours(box)
    inside = x - box[1].start
    clear = []
    for flow in (views.flow_before, views.flow_after):
        away = np.abs(x + flow[y, x, 0] - line.columns(len(y))[:, None])
        within = (x + flow[y, x, 0] > 0) & (x + flow[y, x, 0] < views.plate.luma.shape[1] - 1)
        clear.append((away > line.reach + 3) & within)
    first, second = (colours[y, inside] for colours in seen)
    both = clear[0] & clear[1]
    agree = both & (views.apart[y, x] < AGREE)
    shown = np.where(agree[..., None], (first + second) / 2, np.where(clear[0][..., None], first, second))
    return np.asarray(shown, np.float32), agree | (clear[0] ^ clear[1])
