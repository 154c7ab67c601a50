"""What a running command shows: progress on stderr, warnings, and the proof line on stdout; or JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from vedit.proof import Report

Tick = Callable[[int, int], None]


@contextmanager
def progress(title: str, *, quiet: bool = False, as_json: bool = False) -> Iterator[Tick]:
    """A callback ``(done, total)`` in source frames that shows how far a render is.

    A bar with the time left on a terminal, a line per tenth of the film elsewhere, a JSON object per
    hundredth with ``as_json``, nothing with ``quiet``.
    """
    console = Console(stderr=True)
    if as_json:
        yield _every(100, lambda done, total: say(event="progress", edit=title, done=done, total=total))
    elif quiet:
        yield lambda done, total: None
    elif console.is_terminal:
        with _bar(console) as bar:
            task = bar.add_task(title, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)
    else:
        yield _every(
            10, lambda done, total: print(f"{title} {done}/{total} frames", file=sys.stderr, flush=True)
        )


def finish(report: "Report", *, as_json: bool = False) -> None:
    """Print a finished render's warnings and its proof line."""
    if as_json:
        for warning in report.warnings:
            say(event="warning", message=warning)
        say(event="done", **report.facts())
        return
    for warning in report.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(report.proof, flush=True)


def say(**fact: object) -> None:
    """One JSON object as one line on stdout."""
    print(json.dumps(fact), flush=True)


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"))
    return Progress(*columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=console)


def _every(parts: int, show: Tick) -> Tick:
    """Call ``show`` only when another of ``parts`` equal parts of the film is done."""
    shown = -1

    def tick(done: int, total: int) -> None:
        nonlocal shown
        part = parts * done // max(total, 1)
        if part > shown:
            shown = part
            show(done, total)

    return tick
