"""A recipe for a whole folder: every film gets its turn, whatever becomes of the others."""

import os
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import closing
from dataclasses import astuple, replace
from pathlib import Path
from typing import Unpack

from vedit.batching.executor import Executor, WorkerLost, executor_of
from vedit.batching.jobs import Job, find_jobs
from vedit.batching.record import Record
from vedit.batching.result import BatchReport, Clock, Happened, JobResult, ListenerFailed
from vedit.batching.task import Outcome, Task, exists
from vedit.device import common_threads
from vedit.edits.named_files import with_files
from vedit.errors import UsageError
from vedit.job import describe_edit
from vedit.pieces import PIECE
from vedit.recipes import Recipe, load_recipe
from vedit.render import Options
from vedit.trail import Piece
from vedit.video.journal import clear_finished

DEATHS = 3
"""Workers that may die over a film, or over one piece of it, before it is left alone."""
CHANGED = "changed by somebody since it was made, and left as it is; --overwrite makes it anew"
"""The proof of a result that is not what was made: there is none."""
BUSY, PATIENCE = 2.0, 30
"""Seconds until a film that another process renders is asked for again, and how often it is: what that process was
started by may just have died."""


def batch(
    recipe: str | Path | Recipe,
    src: str | Path,
    dst: str | Path,
    *,
    settings: Sequence[str] = (),
    executor: str | Executor = "local",
    workers: int | None = None,
    address: str | None = None,
    patterns: Sequence[str] = (),
    suffix: str | None = None,
    retry_failed: bool = False,
    piece: int = PIECE,
    happened: Callable[[Happened], None] | None = None,
    **options: Unpack[Options],
) -> BatchReport:
    """Edit every film below a folder into the same place below another one. One bad film never stops the others.

    What was done is kept in ``vedit-batch.jsonl`` beside the results: the same call goes on after any interruption and
    does nothing twice. Films are done in the order of their names; long ones are divided at cuts, so that several
    workers can share one, and the results are the same whoever does them, if they are machines of a kind. Every worker
    computes with the same number of threads, four at most: with another number sums are rounded otherwise.

    Args:
        recipe: a shipped recipe's name, a recipe file, or a recipe.
        src: the folder with the films, at any depth.
        dst: the folder for the results; it is made.
        settings: changes to the recipe, ``"step.key=value"`` each.
        executor: ``local`` does them in this process, ``processes`` in several, ``ray`` on a cluster; or one of your
            own.
        workers: how many there are; None lets the executor decide.
        address: of a running Ray cluster, such as ``auto``; None starts one on this machine.
        patterns: see :func:`vedit.batching.jobs.find_jobs`.
        suffix: likewise.
        retry_failed: try those again that failed in an earlier call.
        piece: frames in a piece of a film, at least; a film shorter than two is not divided.
        happened: called with everything that happens, from several threads, one at a time. What it raises ends the
            batch and is raised here.
        options: ``device``, ``overwrite``, ``audio``, ``codec``, ``crf``, ``on_corrupt``, ``hdr``, ``resume``: as for
            :func:`vedit.render.render`, for every film.

    Raises:
        UsageError: no such folder, recipe or setting; no films; two films with one result; another batch is at work.
        OutputError: ``dst`` cannot be written to.
        EngineError: the executor cannot be had.
    """
    if not isinstance(recipe, Recipe):
        recipe = load_recipe(recipe, settings)
    elif settings:
        raise UsageError("settings are for a recipe's name or file", "Change the recipe itself.")
    if piece < 1:
        raise UsageError(f"piece is {piece}", "Give frames, 1 or more.")
    recipe = _with_absolute_paths(recipe)
    edits = [describe_edit(edit) for edit in recipe.edits()]
    jobs = find_jobs(src, dst, patterns=patterns, suffix=suffix)
    plain = {key: value for key, value in options.items() if key not in ("progress", "warn", "phase")}
    matter = {key: value for key, value in plain.items() if key not in ("overwrite", "resume")}
    with (
        closing(
            Record(Path(os.path.abspath(dst)), {"edits": edits, "options": matter, "piece": piece})
        ) as record,
        closing(executor_of(executor, workers, address)) as workforce,
    ):
        threads = common_threads()
        tasks = {
            job.name: Task("film", job.name, job.source, job.output, recipe, piece, plain, threads=threads)
            for job in jobs
        }
        try:
            return _Batch(jobs, tasks, record, workforce, happened).run(retry_failed)
        except ListenerFailed as failure:
            raise failure.error from None


def _with_absolute_paths(recipe: Recipe) -> Recipe:
    """Files that settings name: a worker may be in another folder."""

    def absolute(name: str) -> str:
        return os.path.abspath(name) if os.path.exists(name) else name

    steps = [replace(step, settings=with_files(step.settings, absolute)) for step in recipe.steps]
    return replace(recipe, steps=tuple(steps))


class _Batch:
    """One run over a folder."""

    def __init__(
        self,
        jobs: Sequence[Job],
        tasks: Mapping[str, Task],
        record: Record,
        executor: Executor,
        happened: Callable[[Happened], None] | None,
    ) -> None:
        self.jobs = {job.name: job for job in jobs}
        self.tasks = tasks
        self.record = record
        self.executor = executor
        self.clock = Clock(jobs, happened)
        self.waiting: deque[Task] = deque()
        self.later: list[tuple[float, Task]] = []  # tasks that were busy, and when to ask again
        self.asked: Counter[str] = Counter()
        self.shares: dict[tuple[str, int], int] = {}  # frames done of a piece
        self.results: dict[str, JobResult] = {}

    def run(self, retry_failed: bool) -> BatchReport:
        """Do all that is to be done."""
        for job in self.jobs.values():
            self._line_up(job, retry_failed)
        running: dict[Future[Outcome], Task] = {}
        while self.waiting or self.later or running:
            now = time.monotonic()
            self.waiting.extendleft(task for at, task in self.later if at <= now)
            self.later = [(at, task) for at, task in self.later if at > now]
            while self.waiting and len(running) < self.executor.workers:
                task = self.waiting.popleft()
                if task.name not in self.results:  # its film may have failed meanwhile
                    coming = self.waiting[0] if self.waiting else None
                    running[self.executor.submit(task, self._progress_of(task), coming)] = task
            if not running:
                time.sleep(BUSY / 10)
            for future in wait(running, BUSY, FIRST_COMPLETED).done:
                self._ended(running.pop(future), future)
        return BatchReport(tuple(self.results[name] for name in self.jobs), self.clock.seconds)

    def _line_up(self, job: Job, retry_failed: bool) -> None:
        """Put a film's tasks in the queue, unless an earlier call has come to an end with it."""
        state, task = self.record.state(job), self.tasks[job.name]
        overwrite = task.options.get("overwrite", False)
        if state.facts is None and state.begun and not state.error and not overwrite and job.output.exists():
            # Stopped between naming the film and writing that down: only whole films get their name.
            self.record.note("done", job, facts={"output": str(job.output), "proof": "found whole"})
            clear_finished(job.output)
        changed = state.facts is not None and self.record.was_changed(job)
        if state.facts is not None and not (changed and overwrite):
            facts = {**state.facts, "proof": CHANGED} if changed else state.facts
            self._end(JobResult(job, "kept", facts), before=True)
        elif state.error is not None and not retry_failed:
            self._end(JobResult(job, "failed", None, *state.error), before=True)
        elif job.output.exists() and not overwrite:  # not written down: it is no fault of the film
            self._end(JobResult(job, "failed", None, *exists(job.output)), before=True)
        else:
            if state.error is not None:
                self.record.note("retried", job)
            if not state.begun and not job.output.exists():
                self.record.note("begun", job)
            self.waiting.extend(self._pieces(task, state.pieces) if state.pieces else [task])

    def _pieces(self, task: Task, pieces: tuple[Piece, ...]) -> list[Task]:
        """What is left to do of a film in pieces."""
        whole = self.record.state(self.jobs[task.name]).whole
        left = [piece for piece in pieces if piece.start not in whole]
        self.shares |= {(task.name, p.start): p.stop - p.start for p in pieces if p not in left}
        return [replace(task, kind="piece", pieces=(p,)) for p in left] or [
            replace(task, kind="join", pieces=pieces, seconds=sum(whole.values()))
        ]

    def _progress_of(self, task: Task) -> Callable[[int, int], None]:
        def tell(done: int, total: int) -> None:
            if task.kind == "film":
                self.clock.at(task.name, done / max(total, 1))
            elif task.kind == "piece":
                self.shares[task.name, task.pieces[0].start] = done
                frames = self.record.state(self.jobs[task.name]).pieces[-1].stop
                # The dictionary may grow meanwhile, in another thread.
                whole = sum(n for (name, _), n in list(self.shares.items()) if name == task.name)
                self.clock.at(task.name, whole / frames)

        return tell

    def _ended(self, task: Task, future: "Future[Outcome]") -> None:
        """Write down what came of a task, and put what follows from it in the queue."""
        job = self.jobs[task.name]
        try:
            outcome = future.result()
        except WorkerLost as lost:
            self._lost(task, str(lost))
            return
        if outcome.busy and self.asked[task.name] < PATIENCE:
            self.asked[task.name] += 1
            self.later.append((time.monotonic() + BUSY, task))
            self.clock.note("busy", task.name, "another process renders it")
        elif outcome.error is not None:
            self._fail(job, outcome.error)
        elif outcome.facts is not None:
            self.record.note("done", job, facts=outcome.facts)
            self._end(JobResult(job, "done", outcome.facts))
        elif outcome.pieces:
            self.record.note("pieces", job, pieces=[astuple(piece) for piece in outcome.pieces])
            self.waiting.extendleft(reversed(self._pieces(task, outcome.pieces)))
        else:
            self.record.note("piece", job, start=task.pieces[0].start, seconds=outcome.seconds)
            state = self.record.state(job)
            if len(state.whole) == len(state.pieces):
                self.waiting.extendleft(self._pieces(task, state.pieces))

    def _lost(self, task: Task, reason: str) -> None:
        job = self.jobs[task.name]
        self.record.note("lost", job, task=task.title, reason=reason)
        if self.record.state(job).lost[task.title] >= DEATHS:
            problem = f"{DEATHS} workers died over it, the last because {reason}"
            self._fail(job, (problem, "It is left alone now; --retry-failed tries it again.", 1))
        else:
            self.clock.note("lost", task.name, reason)
            self.waiting.appendleft(task)

    def _fail(self, job: Job, error: tuple[str, str, int]) -> None:
        if job.name not in self.results:
            problem, remedy, exit_code = error
            self.record.note("failed", job, problem=problem, remedy=remedy, exit_code=exit_code)
            self._end(JobResult(job, "failed", None, *error))

    def _end(self, result: JobResult, *, before: bool = False) -> None:
        self.results[result.job.name] = result
        self.clock.end(result, before=before)
