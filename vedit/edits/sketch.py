"""A shot's frames made ready to be painted: at the size they are painted at, with their motion and the keys' trails."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from torch import Tensor

from vedit.edits.carry import Key, Trail, at_key, follow
from vedit.edits.steady import trusted_link
from vedit.flow.pairs import PairFlow
from vedit.flow.quality import Quality
from vedit.flow.resize import resize
from vedit.frame import Frame

LINK_SCALE = 2
"""Pixels per cell of the grid that motion is kept on."""


@dataclass(eq=False)
class Sketch:
    """A frame, its mask (None: everywhere), and what painting it needs.

    ``pixels`` ``(3,h,w)`` and ``small_mask`` ``(1,h,w)`` are at the painting's size. ``link`` is the motion since the
    frame before, None at the shot's start. ``trails`` lead to the painted keys before and after it.
    """

    frame: Frame
    mask: Tensor | None
    pixels: Tensor
    small_mask: Tensor | None
    link: PairFlow | None
    trails: list[tuple[Key, Trail]] = field(default_factory=list)


def painting_size(height: int, width: int, longest: int) -> tuple[int, int]:
    """The size that a film is painted at: its own, or brought down until its longer side is ``longest``."""
    scale = min(1.0, longest / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def shrunk(picture: Tensor, size: tuple[int, int]) -> Tensor:
    """A picture ``(C,H,W)`` averaged down to a size."""
    return picture if picture.shape[-2:] == size else resize(picture[None], *size)[0]


def sketches(
    frames: Iterable[tuple[Frame, Tensor | None]],
    size: tuple[int, int],
    paintings: Mapping[int, Tensor],
    ahead: int,
    found: list[Key],
    quality: Quality | None = None,
) -> Iterator[Sketch]:
    """Yield the frames of one shot as sketches, having looked ``ahead`` frames further for the next painted key.

    Args:
        frames: with their masks.
        size: to paint them at.
        paintings: of key frames ``(3,h,w)`` at that size, by index.
        ahead: how many frames are read before the first is handed on.
        found: keys are put here as they are read.
        quality: of the motion; None is enough for noise and averages, and good where paint is carried.
    """
    grid = (-(-size[0] // LINK_SCALE), -(-size[1] // LINK_SCALE))
    # Paint is carried far along the flow; noise and averages only from frame to frame.
    quality = quality or ("normal" if paintings else "draft")
    held: deque[Sketch] = deque()
    before: Sketch | None = None
    last: tuple[Key, Trail] | None = None
    for frame, mask in frames:
        pixels = shrunk(frame.pixels[:3], size)
        if frame.pixels.shape[-2:] != size:
            frame.forget()  # many of them wait, and the whole picture is needed once more, at the end
        link = None if before is None else trusted_link(before.pixels, pixels, *grid, quality)
        sketch = Sketch(frame, mask, pixels, None if mask is None else shrunk(mask, size), link)
        if frame.index in paintings:
            key = Key(frame.index, pixels, paintings[frame.index])
            _lead_back(held, key, link, grid)
            last = (key, at_key(*grid))
            found.append(key)
        elif last is not None and link is not None:
            last = (last[0], follow(last[1], link.flow_bw, link.occlusion_bw))
        if last is not None:
            sketch.trails.append(last)
        before = sketch
        held.append(sketch)
        if len(held) > ahead:
            yield held.popleft()
    yield from held


def _lead_back(held: deque[Sketch], key: Key, link: PairFlow | None, grid: tuple[int, int]) -> None:
    """Give the frames before a key, back to the one before it, their trail to the key."""
    trail = at_key(*grid)
    for sketch in reversed(held):
        if link is None or any(other.index == sketch.frame.index for other, _ in sketch.trails):
            return
        trail = follow(trail, link.flow_fw, link.occlusion_fw)
        sketch.trails.append((key, trail))
        link = sketch.link
