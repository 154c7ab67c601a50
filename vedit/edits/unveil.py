"""Take half-transparent marks off before anything is filled: what is seen through them is real."""

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import torch
from torch import Tensor

from vedit.edits.overlay import LARGEST, MARGIN, Overlay, estimate_overlay, lifted
from vedit.frame import Frame, Shot
from vedit.window import window_of

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
        yield _cleared(frame, overlay, changed.cpu()), left


def _cleared(frame: Frame, overlay: Overlay, changed: Tensor) -> Frame:
    """The frame without the mark."""
    window = overlay.window
    marked = frame.part(window)
    return frame.patched(window, lifted(marked[:3].to(overlay.alpha), overlay).to(marked), changed)


def _found(frames: list[Frame], mask: Tensor) -> Overlay | None:
    marked = window_of(mask)
    if marked is None:
        return None
    # Only what `estimate_overlay` looks at: of 48 frames much more would not be little.
    window = marked.grown(MARGIN, *mask.shape[-2:])
    if window.height * window.width > LARGEST:
        return None
    hole = window.of(mask)
    crops, through = [], []
    for frame in frames:
        crop = frame.part(window)[:3].to(mask, copy=True)
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
    return replace(found, window=found.window.moved(window.top, window.left), where=where)
