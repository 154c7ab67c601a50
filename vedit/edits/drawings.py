"""Pictures that are shown for several frames: found in spite of the noise of compression, and counted once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from vedit.frame import Frame

if TYPE_CHECKING:
    from torch import Tensor

LONGEST = 7
"""Frames that a drawing may be shown for; one that stays longer is meant to stand still."""
HOLD = Fraction(1, 3)
"""Seconds that it may be shown for."""
BLOCKS = 120
"""Blocks along a picture's longer side, but none is smaller than 8 pixels: an eye or a mouth is as large."""
CONTRAST = 8 / 255
"""Contrast at which a change is as easily seen as noise."""
CHANGED = 0.75
"""Mean change of a block, in parts of its own contrast, above which it shows something else. On eight clips, each frame
doubled and compressed with H.264 at crf 20 to 28, repeats reached 0.83 and new pictures that moved began at 0.85."""
QUIET = 0.5
"""The same of a repeat, in parts of the smaller step before and after it: slow motion is as little, but even.
On 12 clips, each frame doubled, 364 of 384 repeats are found, and of their own steps none but three real ones."""


@dataclass(frozen=True)
class Drawing:
    """A picture and the frames it is shown for, as (pts, index), up to tick ``end``.

    ``time`` is the tick at which the picture is true. ``held`` says that the drawing after it shows the same.
    """

    frame: Frame
    shown: tuple[tuple[int, int], ...]
    end: int
    time: Fraction
    held: bool = False


def drawn(run: Sequence[Frame], *, held: bool = False) -> Drawing:
    """Frames that show the same as one drawing, at the first one's time."""
    first, last = run[0], run[-1]
    return Drawing(first, tuple((f.pts, f.index) for f in run), last.end, Fraction(first.pts), held)


def each_frame(frames: Iterable[Frame]) -> Iterator[Drawing]:
    """Every frame as a drawing of its own."""
    for frame in frames:
        yield drawn([frame])


def distinct(frames: Iterable[Frame], time_base: Fraction) -> Iterator[Drawing]:
    """The different pictures among the frames of a shot: a run of equal frames is one drawing, at its first pts.

    A picture that stays for more than 7 frames or 1/3 s is not a run of repeats but stands still: each of its frames
    is a drawing. So is each that changes no less than those beside it: it moves slowly. At most 8 frames are held.
    """
    run: list[Frame] = []
    first = last = None
    still = False
    within = before = 0.0  # the largest step from frame to frame in the run, and the one into it
    for frame in frames:
        seen = Look(frame.pixels)
        frame.forget()
        step = 0.0 if last is None else last.change(seen)
        same = first is not None and (step if first is last else first.change(seen)) < CHANGED
        last = seen
        if not same:
            yield from _drawings(run, quiet=within < QUIET * min(before or step, step))
            run, first, still, within, before = [frame], seen, False, 0.0, step
            continue
        run.append(frame)
        within = max(within, step)
        still = still or len(run) > LONGEST or (frame.end - run[0].pts) * time_base > HOLD
        if still:
            held = not before or within < QUIET * before
            yield from (drawn([one], held=held) for one in run[:-1])
            run = run[-1:]
    yield from _drawings(run, quiet=within < QUIET * before)


def _drawings(run: Sequence[Frame], *, quiet: bool) -> Iterator[Drawing]:
    if quiet and run:
        yield drawn(run)
    else:
        yield from map(drawn, ([frame] for frame in run))


class Look:
    """What two pictures are compared by: their brightness, and the contrast within each block."""

    def __init__(self, pixels: "Tensor") -> None:
        red, green, blue = pixels[0], pixels[1], pixels[2]
        self._gray = (red * 0.299 + green * 0.587 + blue * 0.114)[None, None]
        mean = self._pooled(self._gray)
        self._contrast = (self._pooled(self._gray.square()) - mean.square()).clamp_min(0).sqrt()

    def change(self, other: "Look") -> float:
        """How much the block changes that changes most, in parts of its contrast: there compression is worst."""
        change = self._pooled((self._gray - other._gray).abs())
        contrast = self._contrast.minimum(other._contrast)
        return float((change / (CONTRAST + contrast)).max())

    def _pooled(self, field: "Tensor") -> "Tensor":
        """Means of blocks that overlap by half, so that none has to fit what changes."""
        from torch.nn.functional import avg_pool2d

        size = min(max(8, round(max(field.shape[-2:]) / BLOCKS)), *field.shape[-2:])
        return avg_pool2d(field, size, max(1, size // 2), ceil_mode=True, count_include_pad=False)
