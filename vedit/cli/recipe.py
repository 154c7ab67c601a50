"""The commands about recipes: run one, list those that come with vedit, print the one that a film carries."""

import json
from typing import TYPE_CHECKING, Annotated

from rich.console import Console
from rich.table import Table
from typer import Argument, Option

from vedit.cli.options import Debug, Json
from vedit.errors import InputError
from vedit.recipes import available, find_recipe, load_recipe, parse_recipe

if TYPE_CHECKING:
    from vedit.edits.edit import Edit
    from vedit.video.source import Source

Only = Annotated[
    bool, Option("--recipe", help="Print only the recipe that the film carries, as TOML for `vedit run`.")
]


def run(
    recipe: Annotated[
        str, Argument(metavar="RECIPE", help="The name of a recipe (see `vedit recipes`), or a .toml file.")
    ],
    settings: Annotated[
        list[str] | None,
        Option(
            "--set",
            metavar="STEP.KEY=VALUE",
            help="Change a setting, such as restyle.strength=0.7 or 2.fps=60; without a value it is taken out.",
        ),
    ] = None,
) -> "list[Edit]":
    """Run a film through the edits of a recipe: one that comes with vedit, or your own."""
    return load_recipe(recipe, settings or ()).edits()


def recipes(
    name: Annotated[
        str | None, Argument(metavar="NAME", help="Print this one as TOML, to copy and change.")
    ] = None,
    json_lines: Json = False,
    debug: Debug = False,
) -> None:
    """List the recipes that come with vedit, and when to use each; or print one."""
    if name is not None:
        print(find_recipe(name).read_text(encoding="utf-8"), end="")
        return
    if json_lines:
        for one in available():
            print(json.dumps({"name": one.name, "description": one.description, "when": one.when}))
        return
    rows = Table(show_header=False, box=None, padding=(0, 2, 1, 0))
    rows.add_column(style="bold", no_wrap=True)
    rows.add_column(overflow="fold")
    for one in available():
        rows.add_row(one.name, f"{one.description}\n[dim]{one.when}[/dim]")
    Console().print(rows)


def carried(source: "Source") -> str:
    """The recipe in a film, as TOML that the `run` command takes.

    Raises:
        InputError: it carries none, or none that makes sense.
    """
    if source.recipe is None:
        raise InputError(
            f"{source.path.name} carries no recipe", "Films do that vedit wrote, in all of its containers."
        )
    return parse_recipe(source.recipe, f"the recipe in {source.path.name}", source.path.stem).to_toml()
