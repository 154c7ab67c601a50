"""What the other frames of a film show of a hole: every hidden pixel is followed until a frame shows it.

The flow-guided completion of FGVC (Gao et al., "Flow-edge Guided Video Completion", ECCV 2020) in a moving window:
sub-pixel coordinates are chained along the completed motion, forward and backward, to the first frame that knows the
pixel, and the picture is sampled there once, so nothing is blurred by being sampled again and again. What is found is
not believed yet: how far it was and how well the motion agreed there and back goes with it.
"""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion.afar import Afar, Sample, shown
from vedit.completion.marked import Marked
from vedit.completion.motion import LOST, Motion, hidden_motion
from vedit.completion.window import window_around
from vedit.flow.complete import grow, harmonic
from vedit.flow.estimate import Quality
from vedit.frame import Frame
from vedit.window import Window

RING = 4
"""Known pixels around the hole that are fetched from the other frames as well, to show how well that works."""
PATIENCE, HASTE, NEAR = 3, 1.5, 4
"""After so many steps pixels that would not leave the hole in time, even so many times faster, are given up, unless
they are within so many pixels of its edge."""
SURE, STRAY = 8, 3.0
"""Motion inside a hole is guessed, and guesses add up: after so many steps only what went less than so many pixels is
followed further. In a still scene that is everything."""
FACTS = 4
"""What goes with a fetched colour: found, error, distance in time, speed; each in [0, 1]."""
FAR = 0.1
"""The distance told of what stands still from where it was seen: the net believes what is near more."""
OLD = 0.3
"""The distance from which on it is asked whether the scene stands still."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A frame, its hole, and what is known of it.

    ``mask`` ``(1, H, W)``: the hole. Everything else belongs to ``window`` of size ``h, w``, and is None where neither
    the frame nor its neighbours have a hole. ``picture`` ``(3, h, w)``: RGB with the hole smoothly filled. ``ahead``
    and ``behind`` ``(7, h, w)``: the colour that later and earlier frames show, and `FACTS` about it; where nothing
    was found the smooth filling and zeros. ``motion``: from the frame before to this one; None at a shot's first.
    """

    frame: Frame
    mask: Tensor
    window: Window | None = None
    picture: Tensor | None = None
    ahead: Tensor | None = None
    behind: Tensor | None = None
    motion: Motion | None = None


def gather(
    films: Iterator[tuple[Frame, Tensor]], quality: Quality, radius: int, *, afar: bool = False
) -> Generator[Evidence]:
    """The evidence for each frame of a shot, in order, from up to ``radius`` frames before and after it.

    Args:
        films: the frames with their masks ``(1, H, W)`` of 0 and 1.
        quality: of the search for motion.
        radius: the window holds ``2 radius + 1`` frames, of each only what lies around a hole.
        afar: also ask frames long before and after these, which have to be held (see `vedit.completion.afar`).
    """
    seen: deque[_Moment] = deque()
    waiting: deque[Frame] = deque()  # none that was given on: it is converted by now, and large
    here = 0  # place of the frame whose evidence comes next
    others = Afar(films) if afar else None
    given: tuple[Marked, Tensor] | None = None

    def next_one() -> Evidence:
        nonlocal given
        marked = seen[here].mask
        if given is None or given[0] is not marked:  # a mask that stands still is one tensor
            given = marked, marked.whole()
        return _evidence(waiting.popleft(), given[1], seen, here, radius, others)

    for frame, moment in _moments(iter(others or films), quality):
        seen.append(moment)
        waiting.append(frame)
        if len(seen) - here > radius:
            yield next_one()
            here += 1
        if here > radius:
            seen.popleft()
            seen[0].before = None
            here -= 1
    while here < len(seen):
        yield next_one()
        here += 1


class _Moment:
    """A frame in the window, with what is worked out once for it and only when a hole needs it."""

    def __init__(self, frame: Frame, mask: Marked, window: Window | None) -> None:
        self.mask, self.window = mask, window
        self.covered = mask.box is not None
        self.before: _Moment | None = None
        self.quality: Quality = "normal"
        self._motion: Motion | None = None
        self._blocked: dict[int, Tensor] = {}
        if window is not None:
            rgb = frame.part(window)[:3].to(mask.device)
            hole = mask.of(window)
            # Half precision holds 10 bits, and a window of films half as large.
            self._picture = harmonic(rgb[None], hole[None])[0].half()
            frame.forget()

    @property
    def picture(self) -> Tensor:
        return self._picture.float()

    def blocked(self, cell: int) -> Tensor:
        """Where in the window ``(h, w)`` the hole is too near to a cell's centre for the cell to be seen whole."""
        if cell not in self._blocked:
            assert self.window is not None  # noqa: S101 - a chain leads here
            grown = grow(self.mask.of(self.window)[None], max(1, cell // 2))
            self._blocked[cell] = grown[0, 0] > 0
        return self._blocked[cell]

    def part(self, window: Window) -> Tensor:
        """What the picture shows in a window within its own."""
        assert self.window is not None  # noqa: S101 - as above
        return window.within(self.window).of(self.picture)

    @property
    def motion(self) -> Motion:
        """From the frame before to this one, around the holes of both."""
        if self._motion is None:
            before = self.before
            assert before is not None  # noqa: S101 - chains end at the window's first frame
            around = window_around([before.mask, self.mask])
            assert around is not None  # noqa: S101 - nobody asks where there is no hole
            first, second = before.part(around), self.part(around)
            masks = before.mask.of(around), self.mask.of(around)
            self._motion = hidden_motion(first, second, *masks, around, self.quality)
        return self._motion


def _moments(films: Iterator[tuple[Frame, Tensor]], quality: Quality) -> Iterator[tuple[Frame, _Moment]]:
    """Each frame when the mask of the next one is known: its window holds the neighbours' holes as well."""
    before: _Moment | None = None
    masks: deque[Marked] = deque(maxlen=3)
    waiting: Frame | None = None
    latest: Tensor | None = None

    def moment(frame: Frame, mask: Marked) -> _Moment:
        made = _Moment(frame, mask, window_around(masks))
        made.before, made.quality = before, quality
        return made

    for frame, mask in films:
        masks.append(masks[-1] if mask is latest else Marked(mask))
        latest = mask
        if waiting is not None:
            before = moment(waiting, masks[-2])
            yield waiting, before
        waiting = frame
    if waiting is not None:
        if len(masks) == 3:
            masks.popleft()
        yield waiting, moment(waiting, masks[-1])


def _evidence(
    frame: Frame, mask: Tensor, seen: deque[_Moment], here: int, radius: int, others: Afar | None
) -> Evidence:
    moment = seen[here]
    window = moment.window
    if window is None:
        return Evidence(frame, mask)
    picture = moment.picture
    before = moment.before if here else None
    beside = before is not None and (before.covered or moment.covered)
    motion = moment.motion if beside else None
    if not moment.covered:
        return Evidence(frame, mask, window, picture, motion=motion)
    ahead, behind = (_fetched(seen, here, direction, radius) for direction in (1, -1))
    if others is not None:
        _look_afar(ahead, behind, moment, others.later(), others.before(frame))
    return Evidence(frame, mask, window, picture, ahead, behind, motion)


def _look_afar(
    ahead: Tensor, behind: Tensor, moment: _Moment, later: Sequence[Sample], before: Sequence[Sample]
) -> None:
    """Put what shows where the scene stands still where the window's frames show nothing, or only far away."""
    window = moment.window
    assert window is not None  # noqa: S101 - it has a hole
    hole = moment.mask.of(window)[0] > 0
    near = torch.stack([torch.where(seen[3] > 0, seen[5], 1) for seen in (ahead, behind)]).amin(0)
    missing = hole & (near > OLD)
    for samples, out in ((later, ahead), (before, behind)):
        if not bool(missing.any()) or (seen := shown(samples, moment.picture, hole, window)) is None:
            continue
        colours, changed = seen
        here = missing & (changed < 1)
        same = torch.ones_like(changed)
        facts = torch.stack([same, changed / 2, FAR * same, 0 * same])
        out[:, here] = torch.cat([colours, facts])[:, here]


def _fetched(seen: deque[_Moment], here: int, direction: int, radius: int) -> Tensor:
    """Follow every cell of the hole in one direction of time; see `Evidence`."""
    moment = seen[here]
    window, picture = moment.window, moment.picture
    assert window is not None  # noqa: S101 - it has a hole
    out = torch.cat([picture, picture.new_zeros(FACTS, window.height, window.width)])
    ring = grow(moment.mask.of(window)[None], RING)
    cell = 2
    if 0 <= here + direction < len(seen):
        cell = seen[here + 1].motion.cell if direction > 0 else moment.motion.cell
    cells = F.max_pool2d(ring, cell, ceil_mode=True)[0, 0]
    rows, columns = cells.nonzero().unbind(1)
    corner = torch.stack([columns, rows], 1) * cell + rows.new_tensor([window.left, window.top])
    start = corner + (cell - 1) / 2
    limit = start.new_tensor([moment.mask.size[1] - 1, moment.mask.size[0] - 1])
    within = torch.stack(torch.meshgrid(torch.arange(cell), torch.arange(cell), indexing="xy"), -1).view(
        -1, 2
    )
    within = within.to(start.device)
    depth = _depth(seen, here, direction, radius, window)[rows * cell, columns * cell]
    on_way = torch.arange(len(start), device=start.device)
    at, worst = start, start.new_zeros(len(start))
    place = here
    for steps in range(1, radius + 1):
        if not (0 <= place + direction < len(seen) and len(on_way)):
            break
        later = seen[place + 1] if direction > 0 else seen[place]
        if later.before is None or not (later.before.covered or later.covered):
            break
        motion = later.motion
        place += direction
        dx, dy, error = motion.at(motion.forth if direction > 0 else motion.back, at)
        at, worst = at + torch.stack([dx, dy], 1), torch.maximum(worst, error)
        keep = (worst < LOST / 4) & (at >= 0).all(1) & (at <= limit).all(1)
        on_way, at, worst = on_way[keep], at[keep], worst[keep]
        other = seen[place]
        known = _shown(other, at, cell)
        there, from_where = on_way[known], at[known]
        if len(there):
            offsets = (within - (cell - 1) / 2).repeat(len(there), 1)
            places = from_where.repeat_interleave(cell * cell, 0) + offsets
            target = corner[there].repeat_interleave(cell * cell, 0) + within.repeat(len(there), 1)
            x, y = (target - corner.new_tensor([window.left, window.top])).unbind(1)
            inside = (x < window.width) & (y < window.height)
            speed = torch.hypot(*(from_where - start[there]).unbind(1)) / steps / 8
            facts = torch.stack(
                [
                    torch.ones_like(speed),
                    (worst[known] / 2).clamp(max=1),
                    torch.full_like(speed, steps / 24).clamp(max=1),
                    speed.clamp(max=1),
                ]
            ).repeat_interleave(cell * cell, 1)
            colours = _colours(other, places).clamp(0, 1)
            out[:, y[inside], x[inside]] = torch.cat([colours, facts])[:, inside]
        walked = torch.hypot(*(at - start[on_way]).unbind(1))
        going = ~known
        if steps >= PATIENCE:
            going &= walked * (HASTE * radius / steps) + NEAR >= depth[on_way]
        if steps >= SURE:
            going &= walked < STRAY
        on_way, at, worst = on_way[going], at[going], worst[going]
    return torch.cat([torch.where(ring[0] > 0, out[:3], picture), out[3:] * ring[0]])


def _depth(seen: deque[_Moment], here: int, direction: int, radius: int, window: Window) -> Tensor:
    """How far every pixel of a window lies inside what no frame on the way shows there: ``(h, w)``, in pixels."""
    way = [here + direction * k for k in range(1, radius + 1)]
    masks = [seen[k].mask.of(window)[0] for k in way if 0 <= k < len(seen)]
    if not masks:
        return torch.zeros(window.height, window.width, device=seen[here].mask.device)
    hidden = torch.stack(masks).amin(0)
    depth = cv2.distanceTransform(hidden.to(torch.uint8).cpu().numpy(), cv2.DIST_L2, 3)
    return torch.from_numpy(depth).to(hidden.device)


def _shown(moment: _Moment, points: Tensor, cell: int) -> Tensor:
    """Whether a frame knows the cells around places ``(N, 2)`` of the picture, ``(N,)``."""
    window = moment.window
    assert window is not None  # noqa: S101 - a chain leads to it
    blocked = moment.blocked(cell)
    x, y = (points - points.new_tensor([window.left, window.top])).round().long().unbind(1)
    inside = (x >= 0) & (y >= 0) & (x < window.width) & (y < window.height)
    x, y = x.clamp(0, window.width - 1), y.clamp(0, window.height - 1)
    return inside & ~blocked[y, x]


def _colours(moment: _Moment, points: Tensor) -> Tensor:
    """A frame's RGB ``(3, N)`` at places ``(N, 2)`` x, y of the picture, by cubic convolution."""
    window = moment.window
    assert window is not None  # noqa: S101 - as above
    size = points.new_tensor([window.width, window.height])
    grid = (points - points.new_tensor([window.left, window.top]) + 0.5) / size * 2 - 1
    return F.grid_sample(moment.picture[None], grid[None, None], "bicubic", "border", align_corners=False)[
        0, :, 0
    ]
