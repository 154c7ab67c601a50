"""A shot of any length through a model that makes a fixed number of frames at once.

Windows stand on a fixed grid from the shot's first frame, closer where the prompt changes, and share ``overlap`` frames
with the next. What a window made of them is handed to the next one as known, which goes on from there; its colours are
then held to what was known (see `vedit.diffusion.whole.lock`) and the shared frames faded from the one to the other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.diffusion.whole.lock import lock_colours
from vedit.errors import EngineError

Length = Callable[[int, int], int]
"""Frames of the window that begins at a frame, and whose first new one is another, counted from the shot's first."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A frame to be made; all pictures ``(3,H,W)`` in [0, 1].

    Attributes:
        source: the film's own frame.
        guide: what the model is shown where it is to paint: a control map, or grey where nothing is known.
        mask: ``(1,H,W)``, where to paint; None means everywhere.
        fixed: the frame as it must come out, where that is known beforehand.
    """

    source: Tensor
    guide: Tensor
    mask: Tensor | None = None
    fixed: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Window:
    """Frames to be made at once.

    Attributes:
        start: of the window's first frame, counted from the shot's first.
        source: the film's own frames, ``(3,H,W)`` in [0, 1] each.
        shown: ``(F,3,H,W)`` in [0, 1]: the pixels that are known, and guides where they are not.
        make: ``(F,1,H,W)``: 1 where to paint, 0 where ``shown`` is known.
    """

    start: int
    source: tuple[Tensor, ...]
    shown: Tensor
    make: Tensor

    @property
    def begun(self) -> Tensor:
        """``(F,3,H,W)``, what there is before anything is made: the known pixels, the film's own elsewhere."""
        return torch.where(self.make > 0, torch.stack(self.source), self.shown)

    def cropped(self, made: Tensor) -> Tensor:
        """Of frames made from padded ones, those and that much of them that the window has."""
        count, _, height, width = self.shown.shape
        return made[:count, :, :height, :width]


def padded(pictures: Tensor, every: int, multiple: int, least: int = 1, side: int = 1) -> Tensor:
    """Frames ``(F,C,H,W)`` as a model takes them: ``every * k + 1`` of them, their sides multiples of ``multiple``.

    The last frame is repeated and the edges are drawn out, to ``least`` frames and sides of ``side`` pixels at least.
    """
    height, width = pictures.shape[-2:]
    frames = max(len(pictures), least)
    frames += -(frames - 1) % every
    last = pictures[-1:].expand(frames - len(pictures), -1, -1, -1)
    right, below = (max(-n % multiple, side - n) for n in (width, height))
    return F.pad(torch.cat([pictures, last]), (0, right, 0, below), mode="replicate")


def through_windows(
    asked: Iterator[Asked],
    make: Callable[[Window], Tensor],
    window: int,
    overlap: int,
    *,
    start: int = 0,
    length: Length | None = None,
) -> Iterator[Tensor]:
    """The frames asked for, ``(3,H,W)`` each, as many as there are; pulls them a window at a time.

    Args:
        asked: the frames to be made.
        make: makes a window's frames ``(F,3,H,W)``, as many as it has.
        window: frames of a window.
        overlap: frames it shares with the next.
        start: of the first frame asked for, counted from the shot's first: below 0 where frames before it are known.
        length: how many frames windows have; None: all ``window``.

    Raises:
        EngineError: the model made something that is no picture.
    """
    held: list[Asked] = []
    tail: Tensor | None = None  # what the window before made of the frames held
    while True:
        size = length(start, max(0, start + len(held))) if length else window
        batch = [*held, *islice(asked, size - len(held))]
        if len(batch) == len(held):
            yield from () if tail is None else tail
            return
        now = _window(batch, start, tail)
        made = lock_colours(make(now), now.shown, now.make) if now.make.any() else now.shown.clone()
        if not made.isfinite().all():
            raise EngineError(
                f"the model's picture of frame {start} of the shot, or one after it, is no picture",
                "Run it in bfloat16 or float32: its numbers are too large for float16.",
            )
        if tail is not None:
            share = torch.arange(1, len(tail) + 1).view(-1, 1, 1, 1) / (len(tail) + 1)
            made[: len(tail)] = torch.lerp(tail, made[: len(tail)], share)
        made = torch.stack([_composited(frame, one) for frame, one in zip(made, batch, strict=True)])
        if len(batch) < size:
            yield from made
            return
        stride = size - overlap
        yield from made[:stride]
        held, tail, start = batch[stride:], made[stride:].clone(), start + stride


def _window(batch: list[Asked], start: int, tail: Tensor | None) -> Window:
    """The frames asked for as a window; ``tail`` is what was made of the first of them."""
    done = () if tail is None else tail.unbind()
    shown, make = list(done), [torch.zeros(1, *frame.shape[-2:]) for frame in done]
    for one in batch[len(done) :]:
        # Where a mask is soft the source shows through, but what it is mixed with is new all the same.
        new = torch.ones(1, *one.source.shape[-2:]) if one.mask is None else (one.mask > 0).float()
        if one.fixed is not None:
            shown.append(_composited(one.fixed, one))
            new = torch.zeros_like(new)
        else:
            shown.append(torch.where(new > 0, one.guide, one.source))
        make.append(new)
    return Window(start, tuple(one.source for one in batch), torch.stack(shown), torch.stack(make))


def _composited(made: Tensor, asked: Asked) -> Tensor:
    """The new picture where the mask says so, the source bit for bit elsewhere."""
    if asked.fixed is not None:
        made = asked.fixed
    if asked.mask is None:
        return made
    return torch.where(asked.mask > 0, torch.lerp(asked.source, made, asked.mask), asked.source)
