"""Tasks done by processes of their own: one for each GPU, or several that share the cores."""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from vedit.batching.executor import WorkerLost
from vedit.batching.task import Outcome, Task
from vedit.errors import EngineError

MEMORY = 3 << 30
"""Bytes that a process on the CPU may need: no more of them are started than fit."""
PATIENCE = 10
"""Seconds that the processes have to put things in order when they are to end."""
ATTEMPTS = 3
"""Times that a task is offered to processes that die before they begin with it."""


class Processes:
    """Workers in processes of their own, which share the cores, or have a GPU each.

    A process that dies is replaced; its task raises `WorkerLost`. When none can even begin, it raises
    `EngineError`.

    Args:
        workers: how many; None: one for each GPU, or without any as many as cores and memory allow.
    """

    def __init__(self, workers: int | None = None) -> None:
        gpus, cores = _gpus(), _cores()
        self.workers = workers or gpus or max(1, min(cores, _memory() // MEMORY))
        settings = {
            # Each has as many threads as a process alone (see `Task`), so those that wait must not spin.
            "OMP_WAIT_POLICY": "passive",
            # Modules are found where this process finds them, and nowhere else (see -P).
            "PYTHONPATH": os.pathsep.join(os.path.abspath(folder) for folder in sys.path),
        }
        gpu = [{"CUDA_VISIBLE_DEVICES": str(number % gpus)} if gpus else {} for number in range(self.workers)]
        self._all = [_Process({**settings, **own}) for own in gpu]
        self._free: queue.Queue[_Process] = queue.Queue()
        for process in self._all:
            self._free.put(process)
        self._threads = ThreadPoolExecutor(self.workers, "vedit-batch")

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]":
        return self._threads.submit(self._perform, task, progress)

    def _perform(self, task: Task, progress: Callable[[int, int], None]) -> Outcome:
        process = self._free.get()
        try:
            return process.perform(task, progress)
        finally:
            self._free.put(process)

    def close(self) -> None:
        """End all processes; those at work keep what they have finished."""
        until = time.monotonic() + PATIENCE
        for process in self._all:
            process.ask_to_end()
        try:
            for process in self._all:
                process.wait(until)
        finally:  # also when somebody loses patience
            for process in self._all:
                process.kill()
        self._threads.shutdown()
        for process in self._all:
            process.close()


class _Process:
    """A process that is started when there is something to do, and again after it has died."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as this is
        self._process: subprocess.Popen[bytes] | None = None
        self._ended = False
        self._lock = threading.Lock()  # so that none is started after the end

    def perform(self, task: Task, progress: Callable[[int, int], None]) -> Outcome:
        """Have a task done.

        Raises:
            WorkerLost: the process died.
            EngineError: none can be started.
        """
        process = self._given(task)
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            while not isinstance(said := pickle.load(process.stdout), Outcome):  # noqa: S301 - our own process
                progress(*said)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise WorkerLost(self._last_words(process)) from None
        return said

    def _given(self, task: Task) -> "subprocess.Popen[bytes]":
        """A process that has begun with the task; one that died before, for want of anything to do, is not counted."""
        reason = ""
        for _ in range(ATTEMPTS):
            process = self._process
            if process is None or process.poll() is not None:
                process = self._started()
            assert process.stdin is not None  # noqa: S101 - both are pipes
            assert process.stdout is not None  # noqa: S101
            try:
                pickle.dump(task, process.stdin)
                process.stdin.flush()
                pickle.load(process.stdout)  # noqa: S301 - our own process
            except (EOFError, OSError, pickle.UnpicklingError):
                reason = self._last_words(process)
            else:
                return process
        raise EngineError(f"no worker process can work: {reason}", "Take --executor local.")

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._lock:
            if self._ended:
                raise WorkerLost("the batch was ended")
            if self._process is not None:  # it died
                _finish(self._process)
            if hasattr(signal, "pthread_sigmask"):
                # Of this thread, and so of the process from its first moment: Ctrl-C is for who started it.
                signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "vedit.batching.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._complaints,
                    env={**os.environ, **self._settings},
                )
            except OSError as error:
                raise EngineError(
                    f"a worker process cannot start: {error.strerror}", "Take --executor local."
                ) from error
            return self._process

    def _last_words(self, process: "subprocess.Popen[bytes]") -> str:
        code = _finish(process)
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        self._complaints.seek(0)
        lines = self._complaints.read().decode(errors="replace").split("\n")
        self._complaints.seek(0)
        self._complaints.truncate()  # the next one has words of its own
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f"a worker process ended with {how}" + (f": {last}" if last else "")

    def ask_to_end(self) -> None:
        """Ask the process to put things in order and end; no other is started."""
        with self._lock:
            self._ended = True
        if self._process is not None:
            self._process.terminate()

    def wait(self, until: float) -> None:
        """Wait for its end until a time of the monotonic clock."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(max(0, until - time.monotonic()))

    def kill(self) -> None:
        """Make it end."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Let go of it."""
        if self._process is not None:
            _finish(self._process)
        self._complaints.close()


def _finish(process: "subprocess.Popen[bytes]") -> int:
    """End a process, if it has only stopped talking; its exit code."""
    process.kill()
    code = process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):  # it did not hear the last words
                pipe.close()
    return code


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


def _memory() -> int:
    """Bytes of memory; where the system does not say, enough for a process."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return MEMORY
