"""A process that does tasks: ``python -m vedit.batching.worker``, started by ``vedit.batching.processes``.

Tasks come pickled on stdin; on stdout go, pickled, for each of them: True when it is begun, how far it is as (done,
total), and its outcome. A process started like this, unlike one of `multiprocessing`, does not run the user's script
again. It ends when stdin does: when whoever started it dies, so does it.
"""

import os
import pickle
import queue
import signal
import sys
import threading
import time
from typing import IO, Any

from vedit.batching.task import Task, perform

OFTEN = 0.5
"""Seconds between two times that it tells how far it is."""


def main() -> None:
    """Do tasks until there are no more."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints must not get between
    # A terminal sends this to all; the one who started this process decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that renders put things in order
    tasks: queue.Queue[Task] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, tasks), daemon=True).start()
    told = 0.0

    def say(what: Any) -> None:
        pickle.dump(what, out)
        out.flush()

    def progress(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told >= OFTEN:
            told = time.monotonic()
            say((done, total))

    while True:
        task = tasks.get()
        say(True)
        say(perform(task, progress))


def _listen(stdin: IO[bytes], tasks: "queue.Queue[Task]") -> None:
    while True:
        try:
            tasks.put(pickle.load(stdin))  # noqa: S301 - from the process that started this one
        except EOFError:
            os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(1)
