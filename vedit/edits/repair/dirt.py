"""Dirt and scratches taken off the pictures of a shot, three of them at a time."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import torch

from vedit.edits.drawings import Drawing
from vedit.edits.repair.candidates import LOST, Candidate, Seen, candidates, centres, grown, spikes, wider
from vedit.edits.repair.lines import Line, Lined, with_lines
from vedit.edits.repair.overlay import painted
from vedit.edits.repair.scratches import goes_along, without_lines
from vedit.edits.repair.specks import specks
from vedit.edits.repair.views import Box, Mask, Motion, Plane, Plate, Views, looked_through, motion, views_of
from vedit.frame import Finding, Flaw, Frame, Shot

MEMORY = 5
"""Frames whose candidates are remembered."""
SOFT = 2
"""Pixels by which what is found is grown: the soft edge of a speck reaches further than can be told."""
COVER = 6
"""Pixels around a candidate whose motion is not believed."""
CLEAN = 8.0
"""Levels by which the two neighbours may differ where both are taken."""


def without_dirt(
    drawings: Iterable[Drawing], shot: Shot, *, dust: bool, scratches: bool, preview: bool
) -> Iterator[Drawing]:
    """The drawings of a shot without their specks and scratches, which in a preview are drawn over instead.

    Three pictures and the motion between them are held. The first picture is looked at from the two after it, the last
    from the two before.
    """
    cleaner = _Cleaner(shot, dust=dust, preview=preview)
    held: deque[Lined] = deque()
    flows: deque[Motion] = deque(maxlen=2)
    before: Lined | None = None
    plain = (Lined(drawing, Plate(drawing.frame), []) for drawing in drawings)
    for lined in with_lines(drawings) if scratches else plain:
        held.append(lined)
        if len(held) > 1:
            flows.append(motion(held[-2].plate, held[-1].plate))
        if len(held) < 3:
            continue
        if before is None:
            far = motion(held[2].plate, held[0].plate), flows[0]
            held[0] = cleaner.clean(held[2].plate, held[0], held[1].plate, far, at_end=True)
            yield held[0].drawing
        held[1] = cleaner.clean(held[0].plate, held[1], held[2].plate, (flows[0], flows[1]))
        yield held[1].drawing
        before = held.popleft()
    if before is None:
        yield from (one.drawing for one in held)
    else:
        far = flows[1], motion(held[1].plate, before.plate)
        yield cleaner.clean(held[0].plate, held[1], before.plate, far, at_end=True).drawing


class _Cleaner:
    """Cleans one picture after the other, and remembers where there were candidates for dirt."""

    def __init__(self, shot: Shot, *, dust: bool, preview: bool) -> None:
        self._shot, self._dust, self._preview = shot, dust, preview
        self._earlier: deque[npt.NDArray[np.float64]] = deque(maxlen=MEMORY)

    def clean(
        self,
        before: Plate,
        at: Lined,
        after: Plate,
        flows: tuple[Motion, Motion],
        *,
        at_end: bool = False,
    ) -> Lined:
        """A drawing without its dirt and its scratches, and its plate."""
        if not self._dust and not at.lines:
            return at
        scratch = _lined(at.lines, at.plate.luma.shape)
        seen = seen_through(before, at.plate, after, flows, scratch)
        dirt: list[Candidate] = []
        if self._dust:
            dirt = specks(seen, list(self._earlier), at_end=at_end)
            self._earlier.append(centres(seen.places))
        lines = [line for line in at.lines if not goes_along(line, seen.views)]
        if not dirt and not lines:
            return at
        scratch = _lined(lines, scratch.shape)
        frame = at.drawing.frame
        self._tell(frame, "dust", len(dirt), sum(place.area for place in dirt))
        self._tell(frame, "scratch", len(lines), int(scratch.sum()))
        if self._preview:
            return replace(at, drawing=replace(at.drawing, frame=_marked(frame, dirt, scratch)))
        clean = without_lines(_mended(frame, seen.views, dirt), seen.views, lines)
        return replace(at, drawing=replace(at.drawing, frame=clean), plate=Plate(clean))

    def _tell(self, frame: Frame, kind: Flaw, count: int, area: int) -> None:
        if count:
            seconds = float(self._shot.timing.time(frame.pts))
            self._shot.notes.find(Finding(kind, frame.index, seconds, count, area, not self._preview))


def seen_through(before: Plate, at: Plate, after: Plate, flows: tuple[Motion, Motion], scratch: Mask) -> Seen:
    """A plate as both neighbours show it, with motion that looks through the candidates."""
    views = views_of(before, at, after, flows)
    found = spikes(views)
    places, many = candidates(found)
    cover = _all(places, at.luma.shape, COVER) | grown(scratch, COVER)
    if cover.any():
        views = looked_through(views, cover, flows)
        found = spikes(views)
        places, many = candidates(found)
    places = [place for place in places if not scratch[place.box][place.inside].any()]
    return Seen(views, found, places, many)


def _lined(lines: list[Line], shape: tuple[int, ...]) -> Mask:
    scratch = np.zeros(shape, bool)
    for line in lines:
        scratch |= line.mask((shape[0], shape[1]))
    return scratch


def _all(places: list[Candidate], shape: tuple[int, ...], margin: int) -> Mask:
    """All candidates that may be specks as one mask, grown."""
    mask = np.zeros(shape, np.uint8)
    for place in places:
        if place.area <= LOST:
            mask[place.box] |= place.inside
    return grown(mask > 0, margin)


def _soft(place: Candidate, shape: tuple[int, ...]) -> tuple[Box, Plane]:
    """How much of each pixel in a box is to be replaced: all of the speck and its edge, less and less around."""
    box, inside = wider(place, SOFT + 2, shape)
    whole = grown(inside, SOFT)
    return box, np.where(whole, 1, cv2.blur(grown(whole, 1).astype(np.float32), (3, 3))).astype(np.float32)


def _mended(frame: Frame, views: Views, found: list[Candidate]) -> Frame:
    """The frame with its specks filled by both neighbours where they agree, else by the one that fits around."""
    if not found:
        return frame
    pixels = frame.pixels.clone()
    changed = torch.zeros(1, *pixels.shape[-2:])
    for place in found:
        box, share = _soft(place, views.plate.luma.shape)
        first, second = views.colours(box)
        own = views.plate.luma[box]
        clean = share == 0
        misfits = [float(np.abs(own - view[box])[clean].sum()) for view in (views.before, views.after)]
        better = first if misfits[0] <= misfits[1] else second
        agree = (views.apart[box] < CLEAN)[..., None]
        fill = torch.from_numpy(np.where(agree, (first + second) / 2, better).clip(0, 1)).permute(2, 0, 1)
        part = (slice(0, 3), *box)
        weight = torch.from_numpy(share)
        pixels[part] = torch.lerp(pixels[part], fill.to(pixels), weight)
        changed[(slice(None), *box)] = changed[(slice(None), *box)].maximum((weight > 0).float())
    return frame.edited(pixels, changed=changed)


def _marked(frame: Frame, dirt: list[Candidate], scratch: Mask) -> Frame:
    specked = torch.from_numpy(_all(dirt, scratch.shape, SOFT).astype(np.float32))[None]
    lined = torch.from_numpy(scratch.astype(np.float32))[None]
    pixels = painted(painted(frame.pixels, lined, "scratch"), specked, "dust")
    return frame.edited(pixels, changed=specked.maximum(lined))
