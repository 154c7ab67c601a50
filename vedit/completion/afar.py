"""What only showed long before, or shows much later: the still scene behind something that stays for seconds.

Motion inside a hole is guessed, so pixels are followed for some frames only. Where the scene stands still nothing has
to be followed: a place looks as it does in any other frame that shows it. How still it is, the surroundings tell.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.flow.complete import grow
from vedit.frame import Frame
from vedit.window import Window

LONGEST = 240
"""Frames to come that are held at most."""
HELD_BYTES = 240_000_000
"""What they may take together; those that were may take a quarter as much."""
STEP = 8
"""Every so many of them are looked at: always the same ones, or the filling would flicker."""
RECENT = (4, 2, 1)
"""So many of the last of these are remembered; of twice as many every second one, of four times as many every fourth,
and so on. Of large films fewer, rather than nothing that is long past."""
ENOUGH = 3
"""Times that a place is seen until nothing more is looked for."""
MARGIN = 2
"""Pixels around a hole that are not believed."""
COARSE = 4
"""Pixels, each way, of a cell of the grid on which stillness is judged."""
AROUND = (1, 3, 6, 12, 24)
"""Cells around a place by which it is judged; each size counts an eighth of the one before."""
STILL = 0.06
"""What changes by more, of [0, 1], does not stand still…"""
CHANGED = 0.1
"""…and this part of the surroundings may."""


Sample = tuple[Frame, Tensor]
"""A frame as it was read, and where it is hidden: ``(1, H, W)`` bool, one tensor for all masks that are alike."""


class Afar:
    """Frames with masks ``(1, H, W)`` of 0 and 1, passed on in order; others are held, as they were read.

    Those to come, and some of those that were: the further back, the fewer.
    """

    def __init__(self, films: Iterable[tuple[Frame, Tensor]]) -> None:
        self._films = films
        self._coming: deque[Sample] = deque()
        self._gone: list[Sample] = []  # the latest first
        self._given: tuple[Tensor, Tensor] | None = None

    def __iter__(self) -> Iterator[tuple[Frame, Tensor]]:
        for frame, mask in self._films:
            hidden = mask > 0
            if self._coming and torch.equal(hidden, self._coming[-1][1]):
                hidden = self._coming[-1][1]
            self._coming.append((frame, hidden))
            while len(self._coming) > min(LONGEST, _room(self._coming[0], HELD_BYTES)):
                yield self._first()
        while self._coming:
            yield self._first()

    def _first(self) -> tuple[Frame, Tensor]:
        frame, hidden = self._coming.popleft()
        if frame.index % STEP == 0:
            held = frame.at(frame.pts, frame.duration, frame.index)  # the other one is going to be converted
            self._gone.insert(0, (held, hidden))
            self._gone = _thinned(self._gone, _room(self._gone[0], HELD_BYTES // 4))
        if self._given is None or self._given[0] is not hidden:
            self._given = hidden, hidden.float()
        return frame, self._given[1]

    def later(self) -> list[Sample]:
        """Some of the frames to come, the next ones first."""
        return [sample for sample in self._coming if sample[0].index % STEP == 0]

    def before(self, frame: Frame) -> list[Sample]:
        """Some of the frames before one, the latest first."""
        return [sample for sample in self._gone if sample[0].index < frame.index]


def shown(
    samples: Sequence[Sample], picture: Tensor, hole: Tensor, window: Window
) -> tuple[Tensor, Tensor] | None:
    """What other frames show of a hole where the scene stands still from here to there; None if nothing.

    Args:
        samples: those frames, the nearest first.
        picture: ``(3, h, w)``, the frame in the window, with the hole filled somehow.
        hole: ``(h, w)``, true where it is hidden.
        window: of it.

    Returns:
        Colours ``(3, h, w)``, the median of all that was found, as bright as the picture is around them, and
        ``(h, w)`` how much changed around until they were seen, in parts of what may; infinite where none was.
    """
    samples = list(samples)
    known = {id(hidden): ~_grown(window.of(hidden)) for _, hidden in samples}
    while samples and not bool((known[id(samples[-1][1])] & hole).any()):
        samples.pop()  # nothing new from here on
    found = picture.new_full((ENOUGH, *picture.shape), torch.nan)
    count = torch.zeros_like(hole, dtype=torch.int32)
    worst = torch.zeros_like(picture[0])
    least = torch.full_like(worst, torch.inf)
    last: tuple[Tensor, Tensor] | None = None  # colours, and where they may be true
    for frame, hidden in samples:
        seen = known[id(hidden)]
        there = frame.part(window)[:3].to(picture)
        brighter, changed = _change(there, picture, seen & ~hole)
        there = there + brighter
        if last is not None:
            # What is on its way through is not where it was by the next one.
            colours, new = last
            new = new & seen & (_around(there - colours) < STILL)
            for k in range(ENOUGH):
                found[k] = torch.where(new & (count == k), colours, found[k])
            least = torch.where(new, least.minimum(worst), least)
            count += new
        worst = worst.maximum(changed)  # what came by in between may have left something
        last = there, seen & hole & (worst < 1) & (count < ENOUGH)
        if not bool((hole & (worst < 1) & (count < ENOUGH)).any()):
            break
    if not bool(count.any()):
        return None
    return found.nanmedian(0).values.nan_to_num(0).clamp(0, 1), least


def _thinned(samples: list[Sample], room: int) -> list[Sample]:
    """Those that are remembered, the latest first: the further back, the fewer."""
    numbers = [frame.index // STEP for frame, _ in samples]
    kept = samples
    for recent in RECENT:
        ages = [(numbers[0] - number) // recent for number in numbers]
        strides = [1 << max(0, age.bit_length() - 1) for age in ages]
        kept = [
            one for one, number, stride in zip(samples, numbers, strides, strict=True) if number % stride == 0
        ]
        if len(kept) <= room:
            break
    return kept[:room]


def _around(off: Tensor) -> Tensor:
    """The largest channel of a difference ``(3, h, w)``, a mean over 3x3 pixels: ``(h, w)``."""
    return F.avg_pool2d(off.abs().amax(0, keepdim=True), 3, 1, 1, count_include_pad=False)[0]


def _room(sample: Sample, size: int) -> int:
    """How many like it fit: fewer large ones, and of those that an edit has made. A mask is a byte a pixel."""
    frame, hidden = sample
    return int(size / ((frame.weight + 1) * hidden.numel()))


def _grown(hidden: Tensor) -> Tensor:
    return grow(hidden[None].float(), MARGIN)[0, 0] > 0


def _change(there: Tensor, here: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    """How much brighter it is here, around each place ``(3, h, w)``; and how much else changed there ``(h, w)``."""
    small = F.avg_pool2d(torch.cat([here - there, known[None].to(here)]), COARSE, ceil_mode=True)
    off, whole = small[:3], (small[3:] > 0.99).to(here)
    weight = _spread(whole) + 1e-9
    brighter = _spread(off * whole) / weight
    changed = _spread(whole * ((off - brighter).abs().amax(0, keepdim=True) > STILL)) / weight
    both = torch.cat([brighter, changed / CHANGED])[None]
    size = [side * COARSE for side in both.shape[-2:]]
    large = F.interpolate(both, size=size, mode="bilinear")[0, :, : here.shape[-2], : here.shape[-1]]
    return large[:3], large[3]


def _spread(picture: Tensor) -> Tensor:
    """The mean around every cell, of near ones before all: what is far away counts where nothing near is known."""
    total = torch.zeros_like(picture)
    for k, radius in enumerate(AROUND):
        for plane, out in zip(picture.cpu().numpy(), total, strict=True):
            mean = cv2.blur(plane, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT_101)
            out += torch.from_numpy(np.asarray(mean)).to(out) / 8**k
    return total
