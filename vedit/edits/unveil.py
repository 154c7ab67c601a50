"""Take half-transparent marks off before anything is filled: what is seen through them is real."""

from collections import deque
from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from vedit.completion.window import Window
from vedit.edits.overlay import LARGEST, MARGIN, Overlay, estimate_overlay, lifted
from vedit.frame import Frame, Shot

AHEAD, FEWEST = 48, 16
"""Frames of a shot that are looked at; and of one whose frames are so large that too much would have to wait."""
WAITING = 66_000_000
"""Pixels of all frames that wait: 1080p, 32 frames, are 100 MB."""
STILL = 1 / 255
"""What lets less change than this through is opaque."""


def unveiled(masked: Iterator[tuple[Frame, Tensor]], shot: Shot) -> Iterator[tuple[Frame, Tensor]]:
    """Frames with their masks; where a mark could be taken off, the frame is changed and the mask is what is left.

    Only a mask that stands still over a picture that moves gives a mark away. The first `AHEAD` frames of the shot wait
    for the answer, without their converted pixels; fewer when they are large or the mask moves.
    """
    first: list[tuple[Frame, Tensor]] = []
    still = True
    many = max(FEWEST, min(AHEAD, WAITING // (shot.height * shot.width)))
    for frame, mask in islice(masked, many):
        still = bool(mask.any()) if not first else torch.equal(mask, first[0][1])
        first.append((frame, first[0][1] if first and still else mask))  # one tensor for all that wait
        if not still:
            break
    overlay = _found([frame for frame, _ in first], first[0][1]) if first and still else None
    if overlay is None:
        while first:
            yield first.pop(0)
        yield from masked
        return
    shot.notes.warn(
        f"shot {shot.index + 1}: a half-transparent mark was taken off; what is behind it is real"
    )
    covered = first[0][1]
    waiting = deque(first)
    first.clear()
    left, changed = covered * (1 - overlay.where), covered * overlay.where
    cleared = int(changed.sum())
    while waiting or (waiting := deque(islice(masked, 1))):
        frame, mask = waiting.popleft()
        if not torch.equal(mask, covered):
            yield frame, mask
            continue
        shot.notes.hole_pixels += cleared
        shot.notes.recovered_pixels += cleared
        yield _cleared(frame, overlay, covered, changed.cpu()), left


def _cleared(frame: Frame, overlay: Overlay, mask: Tensor, changed: Tensor) -> Frame:
    """The frame without the mark, worked out whenever it is asked for: it has to wait again, and weighs less so."""

    def pixels(_: object) -> Tensor:
        given = frame.pixels
        frame.forget()
        clear, _ = lifted(given[:3].to(mask), overlay, mask)
        return torch.cat([clear.to(given), given[3:]])

    if frame.changed is not None:
        changed = changed.maximum(frame.changed)
    return Frame(
        frame.pts,
        frame.duration,
        index=frame.index,
        cut=frame.cut,
        native=frame.native,
        decode=pixels,
        changed=None if frame.native is None else changed,
        anchor=frame.anchor,
    )


def _found(frames: list[Frame], mask: Tensor) -> Overlay | None:
    window = _looked_at(mask)
    if window.height * window.width > LARGEST:
        return None
    hole = window.of(mask)
    crops, through = [], []
    for frame in frames:
        crop = window.of(frame.pixels[:3]).to(mask).clone()
        crops.append(crop)
        through.append(crop[:, hole[0] > 0])
        frame.forget()
    if len(crops) < 2 or torch.stack(through).std(0).mean() < STILL:
        return None
    found = estimate_overlay(crops, hole)
    if found is None:
        return None
    where = torch.zeros_like(mask)
    window.of(where)[:] = found.where
    return Overlay(found.alpha, found.colour, found.top + window.top, found.left + window.left, where)


def _looked_at(mask: Tensor) -> Window:
    """The part of the picture that `estimate_overlay` looks at; of 48 frames much more would not be little."""
    height, width = mask.shape[-2:]
    rows, columns = ((mask[0] > 0).any(axis).nonzero().flatten() for axis in (1, 0))
    return Window(
        max(0, int(rows[0]) - MARGIN),
        min(height, int(rows[-1]) + 1 + MARGIN),
        max(0, int(columns[0]) - MARGIN),
        min(width, int(columns[-1]) + 1 + MARGIN),
    )
