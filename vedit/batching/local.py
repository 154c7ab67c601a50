"""Tasks done in this process, one after the other."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from vedit.batching.task import Outcome, Task, perform
from vedit.video.probe import probe
from vedit.video.source import Source


class Local:
    """One worker: this process. ``submit`` returns when the task is done.

    Meanwhile the next film is opened and its times are read, which takes a while for long ones.
    """

    workers = 1

    def __init__(self) -> None:
        self._reader = ThreadPoolExecutor(1, "vedit-next")
        self._next: tuple[Path, Future[Source]] | None = None

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]":
        source = self._known(task)
        if coming is not None and coming.kind == "film":
            self._next = coming.source, self._reader.submit(probe, coming.source)
        done: Future[Outcome] = Future()
        done.set_result(perform(task, progress, source))
        return done

    def _known(self, task: Task) -> Source | None:
        """The film's facts, if it was the next one; a fault of it is told when the task is done."""
        (path, found), self._next = self._next or (None, None), None
        if found is None or path != task.source or found.exception():
            return None
        return found.result()

    def close(self) -> None:
        """Nothing outlives a task here but the look at the next film."""
        self._reader.shutdown(cancel_futures=True)
