"""Tasks done by the actors of a Ray cluster, each of which loads its engine once.

Only paths travel: every node must see the films and the results under the same names, on a shared folder.
"""

import contextlib
import os
import platform
import queue
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from vedit.batching.executor import WorkerLost
from vedit.batching.task import Outcome, Task, perform
from vedit.errors import EngineError

OFTEN = 0.5
"""Seconds between two times that an actor is asked how far it is."""
PATIENCE = 120.0
"""Seconds that a cluster without a working actor has to start one."""


class RayActors:
    """Workers that are Ray actors, each with a GPU of its own, or sharing the cores.

    An actor that dies, alone or with its node, is replaced wherever there is room; its task raises `WorkerLost`.

    Args:
        workers: how many; None: one for each GPU of the cluster, or without any one for each core.
        address: of a running cluster, such as ``auto``; None: the one this process is connected to, or a new one on
            this machine that ends with the batch.

    Raises:
        EngineError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, workers: int | None = None, address: str | None = None) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise EngineError("Ray is not installed", "Run: pip install 'vedit-diffusion[ray]'") from error
        self._ray: Any = ray
        self._ours = not ray.is_initialized()
        if self._ours:
            _connect(ray, address)
        there = self._ray.cluster_resources()
        gpus, cores = int(there.get("GPU", 0)), int(there.get("CPU", 1))
        self.workers = workers or gpus or max(1, cores)
        share: dict[str, Any] = {"num_gpus": 1} if gpus else {"num_cpus": max(1, cores // self.workers)}
        # Each has as many threads as a process alone (see `Task`), so those that wait must not spin.
        share |= {"runtime_env": {"env_vars": {"OMP_WAIT_POLICY": "passive"}}}
        self._kind: Any = self._ray.remote(**share, max_concurrency=2, max_restarts=0)(_Actor)
        self._free: queue.Queue[Any] = queue.Queue()
        self._all: list[Any] = []
        self._alive = 0
        self._closed = False
        for _ in range(self.workers):
            self._hire()
        self._threads = ThreadPoolExecutor(self.workers, "vedit-batch")

    def _hire(self) -> None:
        """Ask for another actor, which may work as soon as it says that it is there."""

        def wait() -> None:
            with contextlib.suppress(Exception):  # the cluster ended, or the actor did: nobody comes
                self._ray.get(actor.ready.remote())
                self._alive += 1
                self._free.put(actor)

        actor = self._kind.remote()
        self._all.append(actor)
        threading.Thread(target=wait, name="vedit-hire", daemon=True).start()

    def _replace(self, actor: Any) -> None:
        """Ask for another actor in place of one that is lost."""
        self._alive -= 1
        self._all.remove(actor)
        if not self._closed:
            self._hire()

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]":
        return self._threads.submit(self._perform, task, progress)

    def _perform(self, task: Task, progress: Callable[[int, int], None]) -> Outcome:
        actor = self._somebody()
        try:
            outcome = self._asked(actor, task, progress)
        except self._ray.exceptions.RayError as error:
            self._replace(actor)
            raise WorkerLost(f"a Ray actor was lost: {str(error).strip().splitlines()[0]}") from None
        self._free.put(actor)
        return outcome

    def _somebody(self) -> Any:
        """An actor that is free."""
        while True:
            try:
                actor = self._free.get(timeout=PATIENCE)
                if self._closed:
                    raise WorkerLost("the batch was ended")
                self._ray.get(actor.ready.remote())  # it may have died with nothing to do
                return actor
            except self._ray.exceptions.RayError:
                self._replace(actor)
            except queue.Empty:
                if self._alive <= 0:
                    raise EngineError(
                        f"the Ray cluster started no worker in {PATIENCE:.0f} s",
                        "See `ray status`; the same command goes on where this one stopped.",
                    ) from None

    def _asked(self, actor: Any, task: Task, progress: Callable[[int, int], None]) -> Outcome:
        doing = actor.perform.remote(task)
        while not self._ray.wait([doing], timeout=OFTEN)[0]:
            with contextlib.suppress(self._ray.exceptions.GetTimeoutError):
                progress(*self._ray.get(actor.progress.remote(), timeout=OFTEN))
        outcome: Outcome = self._ray.get(doing)
        return outcome

    def close(self) -> None:
        """End all actors; those at work keep what they have finished."""
        self._closed = True
        for actor in list(self._all):
            self._ray.kill(actor)
        for _ in range(self.workers):  # who waits for one need not wait any longer
            self._free.put(None)
        self._threads.shutdown()
        if self._ours:
            self._ray.shutdown()


class _Actor:
    """What runs on a node: ``perform``, and ``progress`` beside it in another thread."""

    def __init__(self) -> None:
        self._at = (0, 1)

    def ready(self) -> None:
        """It is there."""

    def perform(self, task: Task) -> Outcome:
        if not task.source.exists():
            return Outcome(
                error=(
                    f"{platform.node()} does not see {task.source}",
                    "Put films and results on a folder that all nodes share, under the same name.",
                    3,
                )
            )
        self._at = (0, 1)
        return perform(task, self._tell)

    def _tell(self, done: int, total: int) -> None:
        self._at = (done, total)

    def progress(self) -> tuple[int, int]:
        return self._at


def _connect(ray: Any, address: str | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
    before = signal.getsignal(signal.SIGTERM)
    settings = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **settings)
    except Exception as error:
        raise EngineError(
            f"no Ray cluster {f'at {address}' if address else 'could be started here'}: {error}",
            "Start one with `ray start --head`, or leave --address out.",
        ) from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, before)  # Ray puts its own in place of the command's
