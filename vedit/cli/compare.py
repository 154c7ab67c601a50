"""`vedit compare`: two films side by side, as a table and as a page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Argument, Option

import vedit
from vedit.cli import screen
from vedit.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from vedit.report.comparison import Comparison


def compare(
    reference: Annotated[
        Path, Argument(metavar="A", help="The film it was made from, or the one to hold B against.")
    ],
    result: Annotated[Path, Argument(metavar="B", help="The edited film, or any other.")],
    html: Annotated[
        Path | None,
        Option("--html", metavar="PAGE", help="Write a page to look at: one file that needs nothing else."),
    ] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace PAGE if it exists.")] = False,
    vmaf: Annotated[
        bool,
        Option("--vmaf/--no-vmaf", help="Measure VMAF where it means something; it takes a second pass."),
    ] = True,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Measure how B differs from A, picture by picture, and what of A is kept bit for bit."""
    with screen.running("compare", quiet=quiet, as_json=json_lines) as shown:
        found = vedit.compare(
            reference,
            result,
            html=html,
            overwrite=overwrite,
            vmaf=vmaf,
            progress=shown["progress"],
            warn=shown["warn"],
        )
    if json_lines:
        screen.say(event="done", **found.facts())
        return
    if not quiet:
        screen.console().print(_table(found))
    print(found.proof)
    if found.html is not None:
        print(f"The page is {found.html}")


def _table(found: "Comparison") -> Table:
    from vedit.report.words import table, verdict

    shown = Table(box=None, pad_edge=False, title=verdict(found), title_justify="left", title_style="")
    shown.add_column("", style="bold")
    for title in ("reference", "result", "worst"):
        shown.add_column(title, justify="right", no_wrap=True)
    shown.add_column("", overflow="fold", style="dim")
    for row in table(found):
        shown.add_row(row.title, row.reference, row.result, row.worst, row.meaning)
    return shown
