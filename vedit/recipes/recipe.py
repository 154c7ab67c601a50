"""A recipe: a named chain of edits with literal settings; to and from the edits themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from vedit.errors import UsageError, VeditError
from vedit.job import settings_of
from vedit.recipes.fields import check_setting, edit_class, in_toml, missing, toml_key

if TYPE_CHECKING:
    from vedit.edits.edit import Edit


@dataclass(frozen=True)
class Step:
    """One edit of a recipe and the settings that are not to be its own defaults.

    Args:
        edit: "restyle", "interpolate", "inpaint", "repair" or "extend".
        settings: fields of that edit (see `vedit.edits`) as TOML has them: numbers, text, true, false, tables.
        lines: where a file says so, counted from 1: of each setting, and of the step itself under ""; 0 is not a line
            but a ``--set``.
    """

    edit: str
    settings: Mapping[str, object]
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Recipe:
    """A chain of edits, in the order they run.

    Args:
        name: what it is called.
        description: what it does, in one line.
        steps: at least one.
        path: the file it is from, if it is from one.
        when: when to use it, in one line.
    """

    name: str
    description: str
    steps: tuple[Step, ...]
    path: Path | None = None
    when: str = ""

    def edits(self) -> "list[Edit]":
        """The edits, with files that their settings name looked for.

        Raises:
            UsageError: a setting is unknown, missing or cannot be; it says where.
            VeditError: as the edits raise, with the place in front.
        """
        made = []
        for number, step in enumerate(self.steps, 1):
            self.check(number)
            if lacking := missing(step.edit, step.settings):
                raise UsageError(
                    f"{self.place(number)}: {step.edit} needs {lacking[0]}",
                    f"Write it into the recipe, or give --set {self.step_name(number)}.{lacking[0]}=VALUE.",
                )
            try:
                made.append(edit_class(step.edit)(**step.settings))
            except VeditError as error:
                # Most complaints begin with the setting that they are about.
                about = next((key for key in step.settings if error.problem.startswith(f"{key} ")), "")
                raise type(error)(
                    f"{self.place(number, about)}: {error.problem}",
                    f"{error.remedy} A setting is changed in the recipe, or with --set "
                    f"{self.step_name(number)}.{about or 'KEY'}=VALUE.",
                ) from error
        return made

    def check(self, number: int) -> None:
        """Complain about settings of a step (counted from 1) that its edit does not have, or of another type.

        Raises:
            UsageError: it says where, and what is possible.
        """
        step = self.steps[number - 1]
        for key, value in step.settings.items():
            check_setting(step.edit, key, value, self.place(number, key))

    def place(self, number: int, key: str = "") -> str:
        """Where a step, or one of its settings, is written, in words."""
        step = self.steps[number - 1]
        line = step.lines.get(key, step.lines.get("", 0))
        if key in step.lines and not line:
            return f"--set {self.step_name(number)}.{key}"
        where = f"{self.path}, line {line}" if self.path and line else f"recipe {self.name!r}"
        return where if key and key in step.lines else f"{where}, step {number} ({step.edit})"

    def step_name(self, number: int) -> str:
        """What ``--set`` calls a step: its edit's name, or its number where that edit stands more than once."""
        edit = self.steps[number - 1].edit
        return edit if [step.edit for step in self.steps].count(edit) == 1 else str(number)

    def to_toml(self) -> str:
        """The recipe as a file that :func:`load_recipe` reads."""
        said = {"name": self.name, "description": self.description, "when": self.when}
        parts = ["".join(f"{key} = {in_toml(text)}\n" for key, text in said.items() if text)]
        for step in self.steps:
            lines = [f"{toml_key(key)} = {in_toml(value)}\n" for key, value in step.settings.items()]
            parts.append(f'[[steps]]\nedit = "{step.edit}"\n' + "".join(lines))
        return "\n".join(parts)


def recipe_of(edits: "Sequence[Edit]", name: str = "", description: str = "") -> Recipe | None:
    """The recipe that makes these edits again, with all of their settings; its :meth:`Recipe.edits` equal them.

    Args:
        edits: in the order they run.
        name: what to call it; "" takes the names of the edits.
        description: in one line.

    Returns:
        None when a setting lives only in Python (a tensor, an edit of one's own).
    """
    steps = []
    for edit in edits:
        settings = settings_of(edit)
        if settings is None:
            return None
        given = {key: value for key, value in settings.items() if value is not None}
        steps.append(Step(type(edit).__name__.lower(), given))
    return Recipe(name or ", ".join(step.edit for step in steps), description, tuple(steps))
