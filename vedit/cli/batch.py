"""`vedit batch`: a recipe for a whole folder."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer import Argument, Exit, Option

import vedit
from vedit.cli import screen
from vedit.cli.editing import Interrupted, with_options
from vedit.cli.options import Screen, render_options

if TYPE_CHECKING:
    from vedit.batching.result import Happened, JobResult


def batch(
    recipe: Annotated[str, Argument(metavar="RECIPE", help="The name of a recipe, or a .toml file.")],
    films: Annotated[Path, Argument(metavar="IN", help="The folder with the films, at any depth.")],
    results: Annotated[Path, Argument(metavar="OUT", help="The folder for the results, in the same tree.")],
    settings: Annotated[
        list[str] | None,
        Option("--set", metavar="STEP.KEY=VALUE", help="Change a setting, such as restyle.strength=0.7."),
    ] = None,
    glob: Annotated[
        list[str] | None,
        Option("--glob", metavar="PATTERN", help="Only films whose name or path fits, such as 'day1/*.mov'."),
    ] = None,
    to: Annotated[
        str | None, Option("--to", metavar=".ENDING", help="One ending for all results, such as .mp4.")
    ] = None,
    executor: Annotated[
        Literal["local", "processes", "ray"],
        Option("--executor", help="Who does it: this process, several, or a Ray cluster."),
    ] = "local",
    workers: Annotated[
        int | None, Option("--workers", help="How many; else one for each GPU, or as many as fit.")
    ] = None,
    address: Annotated[
        str | None,
        Option("--address", help="Of a running Ray cluster, such as auto; else one is started here."),
    ] = None,
    retry_failed: Annotated[
        bool, Option("--retry-failed", help="Try those again that failed the last time.")
    ] = False,
) -> dict[str, Any]:
    """Edit all films of a folder; goes on where it was when it is run again, and does nothing twice."""
    return {
        "recipe": recipe,
        "src": films,
        "dst": results,
        "settings": settings or (),
        "patterns": glob or (),
        "suffix": to and f".{to.lstrip('.')}",
        "executor": executor,
        "workers": workers,
        "address": address,
        "retry_failed": retry_failed,
    }


def _run(title: str, call: dict[str, Any], options: Any, show: Screen) -> None:
    """Run it, show it, and exit with 1 if a film failed."""
    try:
        with _shown(show) as happened:
            report = vedit.batch(**call, happened=happened, **options)
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted", "Nothing that is finished is lost; run the same command to go on."
        ) from None
    if show.json_lines:
        screen.say(event="batch", **report.facts())
    else:
        if failed := report.with_status("failed"):
            screen.console(stderr=True).print(_table(failed))
        print(report.summary, flush=True)
    if report.with_status("failed"):
        raise Exit(1)


@contextmanager
def _shown(show: Screen) -> "Iterator[Callable[[Happened], None]]":
    """What shows a batch while it runs: bars on a terminal, a line for each film elsewhere, or JSON lines."""
    console = screen.console(stderr=True)
    if show.json_lines:
        yield lambda event: screen.say(**event.facts())
    elif show.quiet or not console.is_terminal:
        yield (
            lambda event: (
                None
                if show.quiet or event.event == "progress"
                else console.print(_line(event), soft_wrap=True)
            )
        )
    else:
        with Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        ) as bars:
            yield _Bars(bars).show


class _Bars:
    """A bar for the whole and one for each film at work."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._whole = bars.add_task("all films", total=1.0, left="")
        self._films: dict[str, TaskID] = {}

    def show(self, event: "Happened") -> None:
        if event.event == "progress":
            if event.name not in self._films:
                self._films[event.name] = self._bars.add_task(event.name, total=1.0, left="")
            self._bars.update(self._films[event.name], completed=event.share)
        else:
            self._bars.console.print(_line(event))
            if event.name in self._films and event.event in ("done", "failed"):
                self._bars.remove_task(self._films.pop(event.name))
        self._bars.update(
            self._whole,
            completed=event.total,
            description=f"{event.finished}/{event.films} films",
            left=_left(event),
        )


def _line(event: "Happened") -> str:
    words = {"lost": "begun again", "busy": "waits"}.get(event.event, event.event)
    left = f" · {_left(event)}" if event.left and event.event == "done" else ""
    return f"[{event.finished}/{event.films}] {event.name}: {words}, {event.told}{left}"


def _left(event: "Happened") -> str:
    if event.left is None:
        return ""
    minutes, seconds = divmod(round(event.left), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02} left" if hours else f"{minutes}:{seconds:02} left"


def _table(failed: "tuple[JobResult, ...]") -> Table:
    shown = Table(title=f"{len(failed)} failed", title_justify="left", box=None, pad_edge=False)
    shown.caption = "Once they are mended: the same command with --retry-failed."
    shown.caption_justify = "left"
    shown.add_column("film", overflow="fold", style="bold")
    shown.add_column("why", overflow="fold")
    for result in failed:
        shown.add_row(result.job.name, result.line)
    return shown


command = with_options(batch, (batch, render_options, Screen), _run)
