"""What a batch tells while it runs, and what it has to show in the end."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import RLock
from typing import Any, Literal

from vedit.batching.jobs import Job

Status = Literal["done", "kept", "failed"]


@dataclass(frozen=True)
class JobResult:
    """What became of a film: ``done`` now, ``kept`` from an earlier call, or ``failed``, now or then."""

    job: Job
    status: Status
    facts: Mapping[str, Any] | None = None
    """Of its report (see `vedit.Report`), unless it failed."""
    problem: str = ""
    remedy: str = ""
    exit_code: int = 0

    @property
    def line(self) -> str:
        """What became of it in words: the proof, or the reason."""
        if self.status == "failed":
            return f"{self.problem.rstrip('.')}. {self.remedy}"
        facts = self.facts or {}
        warnings = len(facts.get("warnings", ()))
        told = f" · {warnings} warning{'s' * (warnings != 1)}" if warnings else ""
        return f"{facts.get('proof', 'whole')}{told}"


@dataclass(frozen=True)
class BatchReport:
    """A batch that has come to its end."""

    jobs: tuple[JobResult, ...]
    """In the order of their names."""
    seconds: float
    """Wall time of this call."""

    def with_status(self, status: Status) -> tuple[JobResult, ...]:
        """The films that this became of."""
        return tuple(result for result in self.jobs if result.status == status)

    @property
    def summary(self) -> str:
        """One line: ``27 done · 3 failed · 83.1 s``."""
        counts = [(status, len(self.with_status(status))) for status in ("done", "kept", "failed")]
        return " · ".join([*(f"{n} {status}" for status, n in counts if n), f"{self.seconds:.1f} s"])

    def facts(self) -> dict[str, object]:
        """Everything as plain values for JSON."""
        return {
            "jobs": [
                {
                    "name": result.job.name,
                    "source": str(result.job.source),
                    "output": str(result.job.output),
                    "status": result.status,
                    "facts": result.facts,
                    "problem": result.problem or None,
                    "remedy": result.remedy or None,
                    "exit_code": result.exit_code,
                }
                for result in self.jobs
            ],
            "seconds": self.seconds,
            "summary": self.summary,
        }

    def to_json(self) -> str:
        """The facts as one line of JSON."""
        return json.dumps(self.facts())


@dataclass(frozen=True)
class Happened:
    """Something that happened to a film.

    ``share`` is the part of it that is done, ``total`` the part of the whole batch, both in [0, 1]; films weigh as many
    as their bytes. ``left`` are the seconds until the end at the present pace, None while nobody can say. ``finished``
    of ``films`` have come to their end. ``told`` is the proof, the reason, or why it is done again.
    """

    event: Literal["progress", "done", "kept", "failed", "lost", "busy"]
    name: str
    share: float
    total: float
    left: float | None
    finished: int
    films: int
    told: str = ""

    def facts(self) -> dict[str, object]:
        """As plain values for JSON."""
        return asdict(self)


class ListenerFailed(BaseException):
    """Whoever is told what happens raised ``error``: the batch ends, and no film is blamed for it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Clock:
    """How far a batch is, and how long it will take; told to whoever wants to know. May be used from any thread.

    Every method that tells raises `ListenerFailed`.
    """

    def __init__(self, jobs: Sequence[Job], tell: Callable[[Happened], None] | None) -> None:
        self._weights = {job.name: _size(job.source) for job in jobs}
        self._shares = dict.fromkeys(self._weights, 0.0)
        self._ended: set[str] = set()
        self._free = 0.0  # what cost nothing: it was done before
        self._tell = tell
        self._lock = RLock()
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since it was made."""
        return time.monotonic() - self._began

    def at(self, name: str, share: float) -> None:
        """A film is done so far."""
        with self._lock:
            self._shares[name] = max(self._shares[name], min(share, 1.0))
            self._say("progress", name)

    def end(self, result: JobResult, *, before: bool = False) -> None:
        """A film has come to its end, in an earlier call or now."""
        with self._lock:
            self._shares[result.job.name] = 1.0
            self._ended.add(result.job.name)
            self._free += self._weights[result.job.name] if before else 0
            self._say(result.status, result.job.name, result.line)

    def note(self, event: Literal["lost", "busy"], name: str, told: str) -> None:
        """Something is done again."""
        with self._lock:
            self._say(event, name, told)

    def _say(self, event: Any, name: str, told: str = "") -> None:
        if self._tell is None:
            return
        whole = sum(self._weights.values())
        done = sum(weight * self._shares[film] for film, weight in self._weights.items())
        paid = done - self._free
        left = self.seconds * (whole - done) / paid if paid > 0 else None
        share, ended, films = self._shares[name], len(self._ended), len(self._weights)
        try:
            self._tell(Happened(event, name, share, done / whole, left, ended, films, told))
        except Exception as error:
            raise ListenerFailed(error) from error


def _size(path: Path) -> int:
    try:
        return max(1, path.stat().st_size)
    except OSError:  # it will be said when its turn comes
        return 1
