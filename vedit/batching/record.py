"""What a batch has done, written down beside its results: JSON lines for people and tools, and to go on from."""

import contextlib
import hashlib
import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vedit.batching.jobs import RECORD, Job
from vedit.errors import InputError, OutputError, UsageError
from vedit.job import file_content, file_state
from vedit.trail import Piece

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]


@dataclass
class State:
    """What the record says of one job, as long as film and settings are the same."""

    facts: Mapping[str, Any] | None = None
    """Of the finished film."""
    made: Mapping[str, Any] | None = None
    """What the content of the finished film is known by."""
    error: tuple[str, str, int] | None = None
    """Why it failed: problem, remedy, exit code."""
    pieces: tuple[Piece, ...] = ()
    whole: dict[int, float] = field(default_factory=dict)
    """The starts of the pieces that are done, and the seconds that each took."""
    result: tuple[str, str] | None = None
    """Names of the film and of the file that it becomes: a batch with other settings may make the same."""
    begun: bool = False
    """It was, and there was no result of that name before."""
    lost: Counter[str] = field(default_factory=Counter)
    """How many workers died over each of its tasks."""


class Record:
    """The record of a folder, locked while it is open. Every line is on disk when ``write`` returns.

    Args:
        folder: where the results go; it is made.
        settings: what makes one batch another: recipe and options, as plain JSON values.

    Raises:
        UsageError: another batch writes to this folder.
        OutputError: the folder cannot be made or written to.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self.path = folder / RECORD
        self._settings = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        self._states: dict[str, State] = {}
        self._keys: dict[Job, str] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a+b")
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written: {error.strerror}", "Choose another folder."
            ) from error
        if fcntl is not None:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._file.close()
                raise UsageError(
                    f"another batch writes to {folder}", "Wait for it, or choose another folder."
                ) from None
            except OSError:  # a share that knows no locks
                pass
        self._read()
        self.write("batch", settings=settings)

    def _read(self) -> None:
        self._file.seek(0)
        for line in self._file.read().splitlines(keepends=True):
            with contextlib.suppress(ValueError, KeyError, TypeError):  # a line cut short, or somebody's own
                fact = json.loads(line)
                if line.endswith(b"\n") and "job" in fact:
                    self._take(fact)
        if self._file.tell() and not self._ends_whole():
            self._file.write(b"\n")

    def _ends_whole(self) -> bool:
        self._file.seek(-1, os.SEEK_END)
        return self._file.read(1) == b"\n"

    def _take(self, fact: Mapping[str, Any]) -> None:
        key, event = fact["key"], fact["event"]
        state = self._states.setdefault(key, State())
        state.result = (fact["job"], fact.get("output", key))
        if event == "done":
            for other in self._states.values():  # what they made was replaced
                if other is not state and other.result == state.result:
                    other.facts, other.begun = None, False
            state.facts, state.made, state.error = fact["facts"], fact.get("made"), None
        elif event == "begun":
            state.begun = True
        elif event == "failed":
            state.error = (fact["problem"], fact["remedy"], fact["exit_code"])
        elif event == "retried":
            state.error = None
            state.lost.clear()
            state.whole.clear()  # those that are do not take long, and one that is missing is made
        elif event == "pieces":
            state.pieces = tuple(Piece(*piece) for piece in fact["pieces"])
        elif event == "piece":
            state.whole[fact["start"]] = fact["seconds"]
        elif event == "lost":
            state.lost[fact["task"]] += 1

    def state(self, job: Job) -> State:
        """What is known of a job: nothing when its film or the settings have changed, or its result is gone."""
        state = self._states.setdefault(self._key(job), State())
        if state.facts is not None and not job.output.exists():
            state = self._states[self._key(job)] = State()
        return state

    def was_changed(self, job: Job) -> bool:
        """Whether the result of a finished job is not what was made any more."""
        made = self.state(job).made
        return made is not None and made != _content(job.output)

    def _key(self, job: Job) -> str:
        """A film as it was when first asked for, edited with these settings, to this name."""
        if job in self._keys:
            return self._keys[job]
        try:
            film = json.dumps(file_state(job.source), sort_keys=True)
        except InputError:
            film = ""
        told = f"{self._settings} {job.output.name} {job.name} {film}"
        return self._keys.setdefault(job, hashlib.sha256(os.fsencode(told)).hexdigest()[:16])

    def note(self, event: str, job: Job, **facts: Any) -> None:
        """Write down what became of a job, and know it from now on."""
        fact = {
            "event": event,
            "job": job.name,
            "output": job.output.name,
            "key": self._key(job),
            **facts,
        }
        if event == "done":
            fact["made"] = _content(job.output)
        self._take(json.loads(json.dumps(fact)))
        self.write(**fact)

    def write(self, event: str, **facts: Any) -> None:
        """Add a line.

        Raises:
            OutputError: it cannot be written.
        """
        line = {"event": event, "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), **facts}
        try:
            self._file.write(json.dumps(line).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written: {error.strerror}", "Free some space."
            ) from error

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def _content(path: Path) -> dict[str, Any] | None:
    try:
        return file_content(path)
    except (InputError, OSError):
        return None
