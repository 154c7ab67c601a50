"""From the frame in which a thing is marked outward through its shot, backward and forward."""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

import torch
from torch import Tensor

from vedit.frame import Frame, Shot
from vedit.masks.ahead import Colours, looked_at, most_held

HELD = 240
"""Frames before the marked one that wait at most (`ahead.most_held` says how many of large pictures)."""

Found = TypeVar("Found")


class Follower(Protocol, Generic[Found]):
    """What knows the marked thing."""

    def first(self) -> Tensor:
        """The mask ``(1, H, W)`` of the marked frame."""
        ...

    def follow(self, frames: Iterator[tuple[Frame, Colours]]) -> Iterator[tuple[Frame, Found]]:
        """From the marked frame on, one way, what is kept of each frame's mask."""
        ...

    def full(self, found: Found) -> Tensor:
        """The mask ``(1, H, W)`` in the size of the picture."""
        ...


def outward(
    frames: Iterator[Frame],
    index: int,
    name: str,
    shot: Shot,
    *,
    reduce: Callable[[Colours], Colours],
    begin: Callable[[Colours], Follower[Found]],
) -> Iterator[tuple[Frame, Tensor]]:
    """Each frame with its mask, in order; shots without the marked frame have empty ones.

    Frames before the marked one wait for it: the last 240 of them, fewer of large pictures (no more than 240 MB wait);
    what comes before these is not followed, and ``shot.notes`` says so.

    Args:
        frames: of one shot, in order.
        index: of the marked frame, in the film.
        name: of the mask, for what is said.
        shot: the shot.
        reduce: brings a picture to the size in which the thing is followed.
        begin: makes what follows the thing from the marked frame's picture.
    """
    before: deque[tuple[Frame, Colours]] = deque()
    nothing = torch.zeros(1, shot.height, shot.width)
    held, dropped = 0, 0
    for frame in frames:
        if frame.index > index:  # a shot after the marked frame's, or that frame could not be decoded
            if before:
                shot.notes.warn(
                    f"{name}: there is no frame {index}, so it marks nothing. Mark it in another."
                )
            yield from ((earlier, nothing) for earlier, _ in before)
            yield frame, nothing
            yield from ((later, nothing) for later in frames)
            return
        picture = reduce(looked_at(frame, shot))
        if frame.index == index:
            break
        held = held or most_held(HELD, 24, frame, shot)
        before.append((frame, picture))
        if len(before) > held:
            dropped += 1
            yield before.popleft()[0], nothing
    else:
        if frame.end >= shot.timing.end:
            shot.notes.warn(f"{name}: the film ends with frame {frame.index}, so it marks nothing.")
        yield from ((earlier, nothing) for earlier, _ in before)
        return
    if dropped:
        shot.notes.warn(
            f"{name}: frame {index} is {dropped + len(before)} frames into its shot and only {held} can wait; "
            f"frames {index - len(before) - dropped}-{index - len(before) - 1} have no mask. "
            "Mark it earlier in the shot."
        )
    follower = begin(picture)
    found = list(follower.follow((f, p) for f, p in reversed(before)))
    before.clear()
    while found:
        earlier, kept = found.pop()
        yield earlier, follower.full(kept)
    yield frame, follower.first()
    for later, kept in follower.follow((f, reduce(looked_at(f, shot))) for f in frames):
        yield later, follower.full(kept)
