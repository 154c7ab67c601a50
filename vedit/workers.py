"""Threads that each compute a piece of their own: many small pieces are done sooner side by side than one by one."""

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from threading import Barrier, current_thread, main_thread
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

if TYPE_CHECKING:  # a film whose frames are only kept is done before torch is loaded
    import torch

P = ParamSpec("P")
T = TypeVar("T")

MOST = 4
"""Workers at most; what each is at takes memory."""


class Workers:
    """Runs functions in threads, in the order in which they are given; they begin with the first.

    A picture of some hundred thousand pixels is cut up among a CPU's cores for a millisecond of work at a time, and to
    meet again takes them as long as that. So each worker keeps to its share of the cores. Beside a device that is not
    the CPU there is one. They end with the context.

    A function may wait for the `Future` of another that was given before it, not after.

    Args:
        device: tells where is computed.
        most: how many at most, on a CPU.
    """

    def __init__(self, device: "Callable[[], torch.device]", most: int = MOST) -> None:
        self._device, self._most = device, most

    @cached_property
    def count(self) -> int:
        """How many there are."""
        import torch

        return min(self._most, torch.get_num_threads()) if self._device().type == "cpu" else 1

    def submit(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do something after all that was given before is done or begun."""
        return self._threads.submit(work, *args, **kwargs)

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        import torch

        from vedit.device import torch_threads

        # How many cores a thread computes with is settled when torch is first asked in it, for good.
        threads = ThreadPoolExecutor(self.count, "vedit-worker", torch.get_num_threads)
        started = Barrier(self.count + 1)
        # Interrupted here, those that are there would wait for the others for good.
        with _interruptions_wait(), torch_threads(max(1, torch.get_num_threads() // self.count)):
            for _ in range(self.count):
                threads.submit(started.wait)
            started.wait()
        return threads

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave out what is not begun, and wait for what is."""
        if "_threads" in self.__dict__:
            self._threads.shutdown(cancel_futures=True)


@contextmanager
def _interruptions_wait() -> Iterator[None]:
    """Ctrl-C and SIGTERM do what they do, but afterwards: what takes a few milliseconds must not be left half."""
    if current_thread() is not main_thread():  # no other is ever interrupted
        yield
        return
    came: list[int] = []
    handlers = {which: signal.getsignal(which) for which in (signal.SIGINT, signal.SIGTERM)}
    # One that is None was not set by Python, which cannot put it back.
    ours = [which for which, handler in handlers.items() if handler is not None]
    for which in ours:
        signal.signal(which, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for which in ours:
            signal.signal(which, handlers[which])
        for number in came[:1]:
            signal.raise_signal(number)
