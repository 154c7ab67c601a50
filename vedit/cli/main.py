"""The `vedit` command: run it, and turn whatever goes wrong into one line and an exit code."""

import json
import signal
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise, takewhile

import typer

from vedit.cli.commands import app
from vedit.errors import VeditError

INTERRUPTED = 130


def run() -> None:
    """The console script."""
    # A stopped job (SIGTERM) cleans up like Ctrl-C; a name the terminal cannot show is escaped, not a crash.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(main(sys.argv[1:]))


def main(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises but for a closed pipe.

    0 ok, 1 a fault in vedit, 2 usage, 3 input, 4 output, 5 model or device, 130 interrupted.
    """
    # Read here as well as by typer, because they also say how to report a line that typer refuses.
    flags = set(takewhile(lambda word: word != "--", argv))
    debug, as_json = "--debug" in flags, "--json" in flags
    try:
        code = app(list(argv) or ["--help"], prog_name="vedit", standalone_mode=False) or 0
    except VeditError as error:
        return _complain(error.problem, error.remedy, error.exit_code, debug, as_json)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "vedit"
        problem = _wrong_value(argv, error) or error.format_message()
        return _complain(problem, f"See `{command} --help`.", error.exit_code, debug, as_json)
    except Exception as error:
        problem = f"a fault in vedit: {type(error).__name__}: {error}"
        remedy = (
            "Run it again with --debug and report the traceback, the command and the film's `vedit probe`."
        )
        return _complain(problem, remedy, 1, debug, as_json)
    if code == INTERRUPTED:
        remedy = "No unfinished file is left; run the same command again."
        return _complain("interrupted", remedy, code, False, as_json)
    return int(code)


def _wrong_value(argv: Sequence[str], error: typer.TyperException) -> str | None:
    """What a line that typer refuses gives an option, and why that will not do; typer itself keeps the value back."""
    names = getattr(getattr(error, "param", None), "opts", ())
    for word, after in pairwise([*argv, ""]):
        name, equals, value = word.partition("=")
        value = repr(value if equals else after)
        why = getattr(error, "message", "").removeprefix("Value error, ")
        if name in names and name.startswith("-") and why:
            return f"{name}: {why}" if value in why else f"{name} is {value}: {why}"
    return None


def _complain(problem: str, remedy: str, exit_code: int, debug: bool, as_json: bool) -> int:
    if debug:
        traceback.print_exc()
    problem, remedy = (" ".join(text.split()) for text in (problem, remedy))
    print(f"error: {problem.rstrip('.')}. {remedy}", file=sys.stderr)
    if as_json:
        print(
            json.dumps({"event": "error", "problem": problem, "remedy": remedy, "exit_code": exit_code}),
            flush=True,
        )
    return exit_code
