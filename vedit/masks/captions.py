"""Burned-in captions and time stamps, found by themselves.

A caption is a line of text (`text_lines`) in the lower or upper part of the picture that stays where it is for half a
second. Taking the least of several frames' strokes leaves what stays and drops what moves behind it. From where a line
was found it is followed to its first and last frame, faded ones included.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import torch
from torch import Tensor

from vedit.frame import Frame, Shot
from vedit.masks.ahead import Grey, full_size, looked_at, most_held
from vedit.masks.bridge import spans
from vedit.masks.glyphs import Glyphs
from vedit.masks.letters import strokes
from vedit.masks.text_lines import Line, text_lines

HELD = 72
"""Frames that wait at most (`ahead.most_held` says how many of large pictures)."""
SAMPLES = 5
"""Frames, spread over the time a caption stays at least, whose strokes are compared."""
SAID = 6
"""Captions of a shot that are listed one by one."""
STEADY = 50
"""Grey levels by which a letter may change in that time."""


@dataclass(frozen=True)
class _Seen:
    """A waiting frame and the luma ``(h, w)`` that is searched."""

    frame: Frame
    luma: Grey


@dataclass
class _Caption:
    glyphs: Glyphs
    first: int
    last: int
    """Its frames, counted from the first one that waits."""
    indices: list[int] = field(default_factory=list)
    """Its frames in the film, those that were given out."""


def captions(frames: Iterator[Frame], shot: Shot) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with the mask of the text burned into it, ``(1, H, W)`` of 0 and 1; what was found is said.

    Letters are bright (white, yellow) and may have an outline, a shadow or a plate behind them; the plate stays. Up to
    72 frames wait, less of large pictures: no more than 240 MB of them.
    """
    found: list[_Caption] = []
    told: list[_Caption] = []
    waiting: list[_Seen] = []
    begun, ended = -1, -1
    least = _least(shot)
    held = 0
    over = False
    while not over or waiting:
        while not over and (not waiting or len(waiting) < held):
            frame = next(frames, None)
            if frame is None:
                over = True
                break
            held = held or most_held(HELD, 4 * least, frame, shot)
            begun = frame.index if begun < 0 else begun
            ended = frame.index
            luma = np.asarray(cv2.cvtColor(looked_at(frame, shot), cv2.COLOR_RGB2GRAY), np.uint8)
            waiting.append(_Seen(frame, luma))
        if not waiting:
            break
        lumas = [seen.luma for seen in waiting]
        for caption in found:
            _follow(caption, lumas)
        fresh = _search(lumas, found, least, (waiting[0].frame.index == begun, over))
        found += fresh
        told += fresh
        ready = len(waiting) if over else len(waiting) - 2 * least
        for place, seen in enumerate(waiting[:ready]):
            shown = [c for c in found if c.first <= place <= c.last + 1]  # one more, for what it leaves
            yield seen.frame, _mask(shown, seen, shot)
        waiting = waiting[ready:]
        for caption in found:
            caption.first -= ready
            caption.last -= ready
        found = [c for c in found if c.last >= -1]
    if begun >= 0:
        shot.notes.warn(f"auto:caption: {_said(told, shot)} (shot of frames {begun}-{ended})")


def _least(shot: Shot) -> int:
    """Frames in the time that text stays at least, a little under half a second."""
    rate = float(shot.timing.rate or 25)
    return int(np.clip(round(0.4 * rate), 3, 20))


def _search(lumas: list[Grey], known: list[_Caption], least: int, ends: tuple[bool, bool]) -> list[_Caption]:
    """Captions that are not known yet; ``ends`` says whether these are the shot's first frames and its last ones."""
    step = max(1, min(least // (SAMPLES - 1), len(lumas) - 1))
    places = list(range(0, len(lumas), step))
    thin = [strokes(lumas[place]) for place in places]
    fresh: list[_Caption] = []
    count = len(places)
    looks = [slice(i, min(i + SAMPLES, count)) for i in range(0, max(1, count - SAMPLES + 1), SAMPLES // 2)]
    # A caption may go on for a moment after a cut, or come a moment before one.
    looks += [slice(0, min(2, count))] * ends[0] + [slice(max(0, count - 2), count)] * ends[1]
    for some in looks:
        if some.stop - some.start < 2:
            continue
        stack = np.stack([lumas[place] for place in places[some]])
        stay = np.min(np.stack(thin[some]), axis=0)
        change = np.ptp(stack, axis=0)
        stay[change > STEADY] = 0
        mean = stack.mean(0).astype(np.uint8)
        middle = places[(some.start + some.stop) // 2]
        for line in sorted(text_lines(stay, mean), key=lambda line: -line.score):
            if not _is_caption(line, stay.shape) or _covered(line, stay, middle, known + fresh):
                continue
            glyphs = Glyphs(line, stay, mean)
            inside, around = glyphs.change(change)
            if inside > max(14, 0.1 * line.contrast):
                continue
            caption = _begun(glyphs, places[some.start], places[some.stop - 1], lumas)
            # What neither comes nor goes, before something that does not move either, may be scenery.
            sure = caption.first > 0 or around >= 2 * inside + 6
            if (sure and places[some.stop - 1] - places[some.start] > step) or _is_clear(line):
                fresh.append(caption)
    return fresh


def _is_caption(line: Line, shape: tuple[int, ...]) -> bool:
    middle = (line.top + line.bottom) / 2 / shape[0]
    if 0.28 < middle < 0.58 or line.top < 2 or line.bottom > shape[0] - 2:
        return False
    if line.level < 165 or line.letters < 4 or line.contrast < 45 or line.alone > 0.4:
        return False
    return line.score >= (0.75 if line.contrast >= 120 else 0.85 if line.contrast >= 80 else 0.95)


def _is_clear(line: Line) -> bool:
    """Whether a line is text beyond doubt, by its letters alone."""
    return line.score >= 0.95 and line.letters >= 5 and line.contrast >= 65


def _covered(line: Line, thin: Grey, place: int, known: list[_Caption]) -> bool:
    """Whether known captions already have the line's letters at that place."""
    letters = np.zeros(thin.shape, bool)
    box = np.s_[line.top : line.bottom, line.left : line.right]
    letters[box] = thin[box] >= 0.5 * line.contrast
    all_of_them = np.count_nonzero(letters)
    for caption in known:
        if caption.first <= place <= caption.last:
            letters[caption.glyphs.area] &= ~caption.glyphs.core
    return bool(np.count_nonzero(letters) < 0.3 * all_of_them)


def _begun(glyphs: Glyphs, first: int, last: int, lumas: list[Grey]) -> _Caption:
    """A caption found in some of the waiting frames, followed to both sides."""
    caption = _Caption(glyphs, first, last)
    while caption.first > 0 and glyphs.shown(lumas[caption.first - 1]):
        caption.first -= 1
    _follow(caption, lumas)
    shown = lumas[caption.first : caption.last + 1]
    glyphs.measure(shown[:: -(-len(shown) // 12)])
    caption.first = max(0, caption.first - 1)  # what a fade or compression leaves of it
    return caption


def _follow(caption: _Caption, lumas: list[Grey]) -> None:
    """Go on to its last frame among the waiting ones."""
    while 0 <= caption.last + 1 < len(lumas) and caption.glyphs.shown(lumas[caption.last + 1]):
        caption.last += 1


def _mask(shown: list[_Caption], seen: _Seen, shot: Shot) -> Tensor:
    canvas = np.zeros(seen.luma.shape, bool)
    for caption in shown:
        canvas[caption.glyphs.area] |= caption.glyphs.marks(seen.luma)
        caption.indices.append(seen.frame.index)
    return torch.from_numpy(full_size(canvas, shot))[None].float()


def _said(told: list[_Caption], shot: Shot) -> str:
    """Where and when text was found, captions that share their frames together."""
    groups: list[tuple[list[int], Line]] = []
    for caption in sorted((c for c in told if c.indices), key=lambda c: c.indices[0]):
        line = caption.glyphs.line
        for place, (indices, other) in enumerate(groups):
            together = len(set(indices) & set(caption.indices))
            if together > 0.7 * min(len(indices), len(caption.indices)) and _near(line, other):
                groups[place] = (sorted({*indices, *caption.indices}), _around(line, other))
                break
        else:
            groups.append((caption.indices, line))
    if not groups:
        return "no text was found; give box:x,y,w,h if there is some"
    height, width = told[0].glyphs.shape
    x, y = shot.width / width, shot.height / height
    where = [
        f"in frames {spans(indices)} at {round(line.left * x)},{round(line.top * y)} "
        f"{round(line.width * x)}x{round(line.height * y)}"
        for indices, line in groups[:SAID]
    ]
    more = f" and {len(groups) - SAID} more" if len(groups) > SAID else ""
    return f"text found {', '.join(where)}{more}"


def _near(line: Line, other: Line) -> bool:
    return max(line.top, other.top) - min(line.bottom, other.bottom) < 1.5 * max(line.height, other.height)


def _around(line: Line, other: Line) -> Line:
    return replace(
        line,
        left=min(line.left, other.left),
        top=min(line.top, other.top),
        right=max(line.right, other.right),
        bottom=max(line.bottom, other.bottom),
    )
