"""A stream looked at through a window that slides along it."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def windows(items: Iterable[T], reach: int) -> Iterator[tuple[list[T], int]]:
    """Each item among its neighbours, up to ``reach`` on either side, and its place among them."""
    held: deque[T] = deque()
    centre = 0
    for item in items:
        held.append(item)
        if len(held) - 1 - centre == reach:
            yield list(held), centre
            centre += 1
            if centre > reach:
                held.popleft()
                centre -= 1
    while centre < len(held):
        yield list(held), centre
        centre += 1
