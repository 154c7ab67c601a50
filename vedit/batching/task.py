"""What one worker is given to do: paths and numbers of frames, never pixels. It may be done twice without harm."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from vedit.device import torch_threads
from vedit.edits.edit import Edit
from vedit.errors import OutputError, UsageError, VeditError
from vedit.pieces import find_pieces, join_pieces, render_piece
from vedit.recipes import Recipe
from vedit.render import Options, render
from vedit.trail import Piece
from vedit.video.journal import BusyError
from vedit.video.probe import probe
from vedit.video.source import Source


@dataclass(frozen=True)
class Task:
    """A film, a piece of one, or the joining of its pieces.

    ``film`` renders a film that is short enough, and otherwise only finds its pieces; ``piece`` renders one of them;
    ``join`` makes them a film. ``pieces`` are those that it is about, which took ``seconds`` in all, ``least`` is the
    frames in a piece. ``threads`` are those that torch computes with, the same whoever does the task.
    """

    kind: Literal["film", "piece", "join"]
    name: str
    source: Path
    output: Path
    recipe: Recipe
    least: int
    options: Mapping[str, Any] = field(default_factory=dict)
    pieces: tuple[Piece, ...] = ()
    seconds: float = 0
    threads: int = 1

    @property
    def title(self) -> str:
        """What it is called among those of its film."""
        return f"piece {self.pieces[0].start}" if self.kind == "piece" else self.kind


@dataclass(frozen=True)
class Outcome:
    """What came of a task: the facts of a finished film; the ``seconds`` a piece took; or the pieces that were found.

    ``error`` is (problem, remedy, exit code) of a `VeditError`; ``busy``: another process is at work on that film.
    """

    facts: Mapping[str, Any] | None = None
    seconds: float = 0
    pieces: tuple[Piece, ...] = ()
    error: tuple[str, str, int] | None = None
    busy: bool = False


def perform(task: Task, progress: Callable[[int, int], None], source: Source | None = None) -> Outcome:
    """Do a task in this process; a fault of the film or the settings is an outcome, not an exception.

    ``progress`` is called with source frames finished of those that the task is about. ``source`` are the film's facts,
    where they are known already.
    """
    options: Options = {**task.options, "progress": progress}  # type: ignore[typeddict-item] # made by batch()
    try:
        with torch_threads(task.threads):
            return _done(task, task.recipe.edits(), options, source)
    except BusyError as error:
        return Outcome(error=(error.problem, error.remedy, error.exit_code), busy=True)
    except VeditError as error:
        return Outcome(error=(error.problem, error.remedy, error.exit_code))
    except Exception as error:  # a fault in vedit on one film must not stop the others
        return Outcome(
            error=(f"a fault in vedit: {type(error).__name__}: {error}", "Report it with the film.", 1)
        )


def _done(task: Task, edits: Sequence[Edit], options: Options, source: Source | None) -> Outcome:
    if task.kind == "piece":
        began = time.monotonic()
        render_piece(task.source, task.output, edits, task.pieces[0], **options)
        return Outcome(seconds=time.monotonic() - began)
    if task.kind == "join":
        report = join_pieces(task.source, task.output, edits, task.pieces, seconds=task.seconds, **options)
        return Outcome(report.facts())
    if task.output.exists() and not task.options.get("overwrite"):
        return Outcome(error=exists(task.output))
    _make_folder(task.output.parent)
    source = source or probe(task.source)
    pieces = find_pieces(source, least=task.least)
    if len(pieces) > 1:
        return Outcome(pieces=pieces)
    return Outcome(render(source, task.output, edits, **options).facts())


def exists(output: Path) -> tuple[str, str, int]:
    """The error of a film whose result would take the place of another file."""
    return f"{output} exists", "Allow overwriting (--overwrite), or move it away.", UsageError.exit_code


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made: {error.strerror}", "Check its permissions.") from error
