"""Threads that take more right to the processor than anything else on the machine, brought back to the others."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def same_priority() -> Iterator[None]:
    """Undo what libsvtav1 does for root when it is opened.

    It makes its threads, and the one that opens it, real-time ones (SCHED_FIFO, 99): they run before whatever they wait
    for, and threads that they start, such as torch's, do the same. On two cores the machine stood still.
    Does nothing where schedulers cannot be set.
    """
    if not hasattr(os, "sched_setscheduler") or not os.path.isdir("/proc/self/task"):
        yield
        return
    before = {thread: _right(thread) for thread in _threads()}
    own = _right(0)
    try:
        yield
    finally:
        seen: list[int] = []
        # Until it is twice the same: the kernel cuts the list short where a thread has just ended.
        while (threads := _threads()) != seen:
            seen = threads
            for thread in threads:
                meant = before.get(thread, own)
                if _right(thread) != meant:
                    with contextlib.suppress(OSError):  # it is over by now
                        os.sched_setscheduler(thread, meant[0], os.sched_param(meant[1]))


def _threads() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/task")]


def _right(thread: int) -> tuple[int, int]:
    """A thread's scheduler and its priority; 0 is the thread that asks."""
    try:
        return os.sched_getscheduler(thread), os.sched_getparam(thread).sched_priority
    except OSError:  # it is over by now
        return os.SCHED_OTHER, 0
