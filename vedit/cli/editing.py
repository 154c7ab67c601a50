"""What all commands that edit a film have in common: a film, an output, shared options, and a plan of it all."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

from typer import Option, Typer
from typer.models import ArgumentInfo

from vedit.cli import screen
from vedit.cli.options import Files, Screen, render_options
from vedit.errors import EngineError, InputError, OutputError, VeditError

if TYPE_CHECKING:
    from vedit.edits.edit import Edit

    Edits = Edit | list[Edit]

T = TypeVar("T")

plans = Typer(help="Say what a command would do, without doing it: put `plan` before it.")


class Interrupted(VeditError):
    """Ctrl-C, or a polite kill, while something is kept to go on with."""

    exit_code = 130


def edit_command(app: Typer) -> "Callable[[Callable[..., Edits]], Callable[..., Edits]]":
    """Make a function from settings to edits two commands, ``vedit NAME`` and ``vedit plan NAME``.

    Its parameters are the command's own options, its arguments come first; a film, an output and the options of every
    render are added.
    """

    def add(make: "Callable[..., Edits]") -> "Callable[..., Edits]":
        app.command()(with_options(make, (Files, make, render_options, Screen), _render))
        plans.command()(with_options(make, (Files, make, render_options, _count_shots, Screen), _plan))
        return make

    return add


def with_options(
    make: Callable[..., Any], parts: tuple[Callable[..., Any], ...], run: Callable[..., None]
) -> Callable[..., None]:
    """A command that takes the parameters of all ``parts`` and hands what they return to ``run``."""

    def command(**given: Any) -> None:
        made = [part(**{name: given[name] for name in inspect.signature(part).parameters}) for part in parts]
        run(make.__name__, *made)

    leading = [p for p in inspect.signature(make).parameters.values() if _is_argument(p)]
    others = [p for part in parts for p in inspect.signature(part).parameters.values() if p not in leading]
    command.__name__, command.__doc__ = make.__name__, make.__doc__
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined] # typer reads it
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in leading + others]
    )
    return command


def _is_argument(parameter: inspect.Parameter) -> bool:
    return any(isinstance(part, ArgumentInfo) for part in get_args(parameter.annotation))


def _count_shots(
    shots: Annotated[
        bool, Option("--shots", help="Count the shots too, which reads the whole film.")
    ] = False,
) -> bool:
    return shots


def _render(title: str, files: Files, edits: "Edits", options: Any, show: Screen) -> None:
    from vedit.render import render

    with (
        resumable(files.output),
        screen.running(title, quiet=show.quiet, as_json=show.json_lines) as shown,
    ):
        report = render(files.film, files.output, _listed(edits), **options, **shown)
    screen.finish(report, as_json=show.json_lines)


def _plan(title: str, files: Files, edits: "Edits", options: Any, shots: bool, show: Screen) -> None:
    from vedit.cli.forecast import table
    from vedit.planning import plan

    found = plan(files.film, files.output, _listed(edits), shots=shots, **options)
    if show.json_lines:
        print(found.to_json())
    else:
        screen.console().print(table(found, title))


def _listed(edits: "Edits") -> "list[Edit]":
    return edits if isinstance(edits, list) else [edits]


@contextmanager
def resumable(output: Path) -> Iterator[None]:
    """Whatever stops a render says how to go on with it, when something of it is kept.

    Raises:
        Interrupted: in place of KeyboardInterrupt.
    """
    from vedit.render import resume_hint

    try:
        yield
    except KeyboardInterrupt:
        if hint := resume_hint(output):
            raise Interrupted("interrupted", hint) from None
        raise
    except (InputError, OutputError, EngineError) as error:
        if hint := resume_hint(output):
            raise type(error)(error.problem, f"{error.remedy} {hint}") from error
        raise
