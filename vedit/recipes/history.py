"""The recipe that a film carries: all edits since it was first a film that carried none, the newest last."""

from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from vedit.edits.named_files import with_files
from vedit.errors import UsageError
from vedit.recipes.load import parse_recipe
from vedit.recipes.recipe import Recipe, recipe_of

if TYPE_CHECKING:
    from vedit.edits.edit import Edit

MOST = 2**16
"""Characters of a recipe that a film carries; a longer one is left out."""


def lengthened(before: str | None, edits: "Sequence[Edit]") -> tuple[str | None, str | None]:
    """What a film that carries ``before`` is to carry after these edits, and what of it could not be kept, in words.

    Files are named without their folders. A film of which not all edits can be written down carries none: a part of
    them would not make it again.
    """
    made = recipe_of(edits)
    if made is None:
        if before is None:
            return None, None
        return None, "the recipe of the film's earlier edits is not kept: this edit cannot be written down"
    # Where files lie on this machine is nobody else's matter.
    steps = [
        replace(step, settings=with_files(step.settings, lambda name: Path(name).name)) for step in made.steps
    ]
    lost = None
    if before is not None:
        try:
            if len(before) > MOST:
                raise UsageError("it is too long", "Run this on the film as it was.")
            steps = [*parse_recipe(before, "in the film", "").steps, *steps]
        except UsageError as error:
            lost = f"the recipe of the film's earlier edits is not kept: {error.problem}"
    names = ", ".join(step.edit for step in steps)
    text = f"# vedit {version('vedit-diffusion')}\n{Recipe(names, '', tuple(steps)).to_toml()}"
    if len(text) > MOST:
        return None, "the film does not carry the recipe of its edits: it is too long"
    return text, lost
