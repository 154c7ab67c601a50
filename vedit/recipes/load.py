"""Recipes from TOML files: those that come with vedit, by name, and anyone's own, by path."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vedit.edits.named_files import with_files
from vedit.errors import InputError, UsageError
from vedit.recipes.fields import EDITS, choice, in_toml
from vedit.recipes.recipe import Recipe, Step
from vedit.recipes.setting import with_setting

KEYS = ("name", "description", "when", "steps")


def load_recipe(recipe: str | Path | Recipe, settings: Sequence[str] = ()) -> Recipe:
    """A recipe by its name, or from a file, checked.

    Args:
        recipe: the name of one that comes with vedit, such as "ink"; or a TOML file, as a path or a name that ends in
            ``.toml``; or a recipe. What a file's settings call by a relative path is beside the file.
        settings: "step.key=value" changes a setting: the step is an edit's name, or its number from 1; the value is
            TOML, or else text; none at all takes the setting out.

    Raises:
        UsageError: there is no such recipe, or it cannot be as it is written; says the line and what is possible.
        InputError: the file cannot be read.
    """
    if isinstance(recipe, Recipe):
        made = recipe
    elif isinstance(recipe, str) and not recipe.lower().endswith(".toml"):
        made = read_recipe(find_recipe(recipe))
    else:
        made = read_recipe(Path(recipe))
    for setting in settings:
        made = with_setting(made, setting)
    for number in range(1, len(made.steps) + 1):
        made.check(number)
    return made


def available() -> list[Recipe]:
    """The recipes that come with vedit, by name."""
    return [read_recipe(path) for path in sorted(_shelf().glob("*.toml"), key=lambda path: path.stem)]


def _shelf() -> Path:
    """The folder of the recipes that come with vedit: in the package, or beside it where it runs from its source."""
    package = Path(__file__).parent.parent
    inside = package / "pipelines"
    return inside if inside.is_dir() else package.parent / "pipelines"


def find_recipe(name: str) -> Path:
    """The file of a recipe that comes with vedit.

    Raises:
        UsageError: none has this name.
    """
    names = sorted(path.stem for path in _shelf().glob("*.toml"))
    if name not in names:
        raise UsageError(
            f"there is no recipe called {name!r}",
            f"{choice(name, names)} A file of your own ends in .toml; `vedit recipes` says what each is for.",
        )
    return _shelf() / f"{name}.toml"


def read_recipe(path: Path) -> Recipe:
    """The recipe in a file; its settings are not compared with what the edits take, which needs torch.

    Raises:
        UsageError, InputError: as :func:`load_recipe`.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise InputError(f"recipe {path} does not exist", "Check the path.") from error
    except OSError as error:
        raise InputError(f"recipe {path} cannot be read: {error.strerror}", "Check the path.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"recipe {path} is not UTF-8 text", "Save it as UTF-8.") from error
    made = parse_recipe(text, str(path), path.stem)
    folder = path.absolute().parent
    steps = [
        replace(
            step,
            settings=with_files(
                step.settings, lambda name: str(folder / name), lambda name: (folder / name).exists()
            ),
        )
        for step in made.steps
    ]
    return replace(made, steps=tuple(steps), path=path)


def parse_recipe(text: str, origin: str, name: str) -> Recipe:
    """The recipe that a text says; no file that it names is looked at.

    Args:
        text: TOML.
        origin: what errors call it.
        name: of a recipe that does not say its own.

    Raises:
        UsageError: it is no recipe; says the line and what is possible.
    """
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also for too many digits, and for too many brackets
        problem, _, line = str(error).partition(" (at line ")
        place = f"{origin}, line {line.partition(',')[0]}" if line else origin
        raise UsageError(f"{place}: {problem[:1].lower()}{problem[1:]}", "Write it as TOML.") from error
    top, inside = _lines(text)
    for key, value in found.items():
        place = f"{origin}, line {top.get(key, 1)}"
        if key not in KEYS:
            raise UsageError(f"{place}: a recipe has no {key!r}", choice(key, list(KEYS)))
        if key != "steps" and (not isinstance(value, str) or "\n" in value):
            raise UsageError(f"{place}: {key} is {in_toml(value)}", "Give text, in one line.")
    steps = found.get("steps")
    if not isinstance(steps, list) or not steps:
        raise UsageError(
            f"{origin}, line {top.get('steps', 1)}: there are no steps",
            'Write at least one: [[steps]], edit = "restyle", look = "ink", each on a line of its own.',
        )
    inside += [{"": top.get("steps", 1)}] * (len(steps) - len(inside))
    said = {key: found[key] for key in ("description", "when") if key in found}
    made = [_step(step, lines, origin) for step, lines in zip(steps, inside, strict=False)]
    return Recipe(name=found.get("name", name), steps=tuple(made), **{"description": "", **said})


def _step(step: object, lines: Mapping[str, int], origin: str) -> Step:
    place = f"{origin}, line {lines['']}"
    if not isinstance(step, dict) or "edit" not in step:
        raise UsageError(f"{place}: a step does not say its edit", f"Add edit = one of {', '.join(EDITS)}.")
    edit = step.pop("edit")
    if edit not in list(EDITS):  # it may be anything that TOML knows
        place = f"{origin}, line {lines.get('edit', lines[''])}"
        raise UsageError(f"{place}: there is no edit called {in_toml(edit)}", choice(str(edit), list(EDITS)))
    return Step(edit, step, lines)


def _lines(text: str) -> tuple[dict[str, int], list[dict[str, int]]]:
    """On which line each key of the recipe stands, and each key of every step ("" is the step itself)."""
    top: dict[str, int] = {}
    steps: list[dict[str, int]] = []
    now = top
    for number, line in _statements(text):
        if re.fullmatch(r"\[\[\s*[\"']?steps[\"']?\s*\]\].*", line):
            top.setdefault("steps", number)
            now = {"": number}
            steps.append(now)
        elif steps and (table := re.match(r"\[\s*steps\s*\.\s*[\"']?([\w-]+)[\"']?\s*\]", line)):
            steps[-1][table[1]] = number
            now = {}
        elif table := re.match(r"\[+\s*[\"']?([\w-]+)", line):
            top.setdefault(table[1], number)
            now = {}
        elif key := re.match(r"[\"']?([^\"'=.\s]+)[\"']?\s*[=.]", line):
            now.setdefault(key[1], number)
    return top, steps


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """The lines of a TOML text that begin something, with their numbers; those within long strings do not."""
    inside = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not inside:
            yield number, line.strip()
        for quotes in re.findall(r'"""|\'\'\'', line):
            inside = "" if inside == quotes else inside or quotes
