"""Work in a thread of its own that fetches what it needs on the thread that waits for its results."""

import queue
import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

PATIENCE = 0.1
"""Seconds between two looks at whether anybody still waits."""


class _Stopped(Exception):
    """Nobody waits any more."""


class _Wish(Generic[T]):
    def __init__(self, index: int) -> None:
        self.index = index
        self.answer: queue.Queue[T | BaseException] = queue.Queue(1)


class _Made(Generic[R]):
    def __init__(self, item: R) -> None:
        self.item = item


def served(fetch: Callable[[int], T], work: Callable[[Callable[[int], T]], Generator[R]]) -> Generator[R]:
    """What ``work`` yields; the function it is given calls ``fetch``, but on the thread that iterates here.

    MoviePy's clips share readers that two threads must not use at once, and edits read their frames from threads. So
    clips are asked only while their user waits for a frame anyway. Close the generator if you stop early.
    """
    events: queue.Queue[_Wish[T] | _Made[R] | BaseException | None] = queue.Queue()
    stop = threading.Event()
    wanted = threading.Semaphore()

    def get(index: int) -> T:
        wish: _Wish[T] = _Wish(index)
        events.put(wish)
        while not stop.is_set():
            try:
                answer = wish.answer.get(timeout=PATIENCE)
            except queue.Empty:
                continue
            if isinstance(answer, BaseException):
                raise answer
            return answer
        raise _Stopped

    def run() -> None:
        items = work(get)
        try:
            wanted.acquire()
            for item in items:
                events.put(_Made(item))
                wanted.acquire()
                if stop.is_set():
                    break
            items.close()
            events.put(None)
        except BaseException as error:  # handed to who waits, whatever it is
            events.put(error)

    thread = threading.Thread(target=run, name="vedit-edits", daemon=True)
    thread.start()
    try:
        while (event := events.get()) is not None:
            if isinstance(event, _Wish):
                try:
                    event.answer.put(fetch(event.index))
                except BaseException as error:  # ends the work, which hands it back
                    event.answer.put(error)
            elif isinstance(event, _Made):
                yield event.item
                wanted.release()
            else:
                raise event
    finally:
        stop.set()
        wanted.release()
        thread.join()
