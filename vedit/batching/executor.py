"""What does the tasks of a batch: this process, several, or a cluster."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from vedit.batching.task import Outcome, Task
from vedit.errors import UsageError


class WorkerLost(Exception):
    """The process that did a task died, for whatever reason; what it had finished is on disk."""


class Executor(Protocol):
    """Does tasks, ``workers`` at a time.

    ``submit`` takes no more tasks than there are workers before some are done; the future has the task's outcome or
    raises `WorkerLost`. ``progress`` may be called from any thread. ``coming`` is what follows, to prepare for.
    ``close`` ends what still runs; nothing is lost by that but the segment at hand.
    """

    @property
    def workers(self) -> int: ...

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]": ...

    def close(self) -> None: ...


def executor_of(given: str | Executor, workers: int | None, address: str | None) -> Executor:
    """The executor of a name, ready to work, or the one that is given.

    Raises:
        UsageError: the name is unknown, or does not go with the other arguments.
        EngineError: it cannot be had here.
    """
    if workers is not None and workers < 1:
        raise UsageError(f"workers is {workers}", "Give 1 or more.")
    if address is not None and given != "ray":
        raise UsageError(
            "an address is for the executor ray", "Add --executor ray, or leave the address out."
        )
    if not isinstance(given, str):
        return given
    if given == "local":
        from vedit.batching.local import Local

        if workers not in (None, 1):
            raise UsageError("the executor local is one worker", "Take --executor processes.")
        return Local()
    if given == "processes":
        from vedit.batching.processes import Processes

        return Processes(workers)
    if given == "ray":
        from vedit.batching.ray_actors import RayActors

        return RayActors(workers, address)
    raise UsageError(f"there is no executor {given!r}", "Choose one of local, processes, ray.")
