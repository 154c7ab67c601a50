"""What a running command shows: progress on stderr, warnings, and the proof line on stdout; or JSON lines."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypedDict

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


class Shown(TypedDict):
    """What a render calls while it runs, as keywords for it."""

    progress: Tick
    warn: Callable[[str], None]
    phase: Callable[[str, float], None]


def console(*, stderr: bool = False) -> Console:
    """Where tables and lines are shown, letter for letter: a film may be called ``[b].mp4``."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


@contextmanager
def running(title: str, *, quiet: bool = False, as_json: bool = False) -> Iterator[Shown]:
    """Show how far a render is, in source frames, and its warnings as they come.

    A bar with the time left on a terminal, a line per tenth of the film elsewhere, a JSON object per
    hundredth with ``as_json``, only warnings with ``quiet``.
    """
    there = console(stderr=True)
    if as_json:
        yield {
            "progress": _every(
                100, lambda done, total: say(event="progress", edit=title, done=done, total=total)
            ),
            "warn": lambda message: say(event="warning", message=message),
            "phase": _phases(10, lambda name, done: say(event="phase", name=name, done=done)),
        }
    elif quiet:
        yield {"progress": lambda done, total: None, "warn": _warn, "phase": lambda name, done: None}
    elif there.is_terminal:
        with _bar(there) as bar:
            task = bar.add_task(title, total=None)
            yield {
                "progress": lambda done, total: bar.update(task, completed=done, total=total),
                "warn": lambda message: bar.console.print(f"warning: {message}"),
                "phase": lambda name, done: bar.update(
                    task, description=title if done >= 1 else f"{title}: {name} {done:.0%}"
                ),
            }
    else:
        yield {
            "progress": _every(
                10, lambda done, total: print(f"{title} {done}/{total} frames", file=sys.stderr, flush=True)
            ),
            "warn": _warn,
            "phase": _phases(
                2, lambda name, done: print(f"{title}: {name} {done:.0%}", file=sys.stderr, flush=True)
            ),
        }


def _warn(message: str) -> None:
    print(f"warning: {message}", file=sys.stderr, flush=True)


def finish(report: "Report", *, as_json: bool = False) -> None:
    """Print what proves a finished render."""
    if as_json:
        say(event="done", **report.facts())
    else:
        for line in report.repairs:
            print(line)
        print(report.proof, flush=True)


def say(**fact: object) -> None:
    """One JSON object as one line on stdout."""
    print(json.dumps(fact), flush=True)


def _bar(there: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("frames"))
    return Progress(*columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=there)


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


def _phases(parts: int, show: Callable[[str, float], None]) -> Callable[[str, float], None]:
    """Call ``show`` when something else is going on, and when another of ``parts`` equal parts of it is done."""
    shown: tuple[str, int] = ("", -1)

    def tell(name: str, done: float) -> None:
        nonlocal shown
        part = int(parts * done)
        if (name, part) != shown:
            shown = (name, part)
            show(name, round(part / parts, 3))

    return tell
