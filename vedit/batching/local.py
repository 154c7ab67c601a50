"""Tasks done in this process, one after the other."""

from collections.abc import Callable
from concurrent.futures import Future

from vedit.batching.task import Outcome, Task, perform


class Local:
    """One worker: this process. ``submit`` returns when the task is done."""

    workers = 1

    def submit(self, task: Task, progress: Callable[[int, int], None]) -> "Future[Outcome]":
        done: Future[Outcome] = Future()
        done.set_result(perform(task, progress))
        return done

    def close(self) -> None:
        """Nothing outlives a task here."""
