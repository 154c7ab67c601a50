"""``--set step.key=value``: one setting of a recipe, changed."""

import tomllib
from dataclasses import fields, replace

from vedit.errors import UsageError
from vedit.recipes.fields import choice, edit_class, fits
from vedit.recipes.recipe import Recipe

REMEDY = "Give step.key=value, such as restyle.strength=0.7 or 2.fps=60."


def with_setting(recipe: Recipe, setting: str) -> Recipe:
    """The recipe with one setting changed, or taken out where no value is given.

    Args:
        recipe: any.
        setting: "step.key=value", as for :func:`vedit.recipes.load_recipe`.

    Raises:
        UsageError: it has another form, or the recipe has no such step, or several.
    """
    name, equals, text = setting.partition("=")
    step_name, dot, key = name.strip().partition(".")
    if not (equals and dot and key):
        raise UsageError(f"--set {setting!r} cannot be read", REMEDY)
    index = _index(recipe, step_name, setting)
    step = recipe.steps[index]
    settings = dict(step.settings)
    if text.strip():
        settings[key] = _value(step.edit, key, text.strip())
    elif settings.pop(key, None) is None:
        raise UsageError(
            f"--set {setting!r} takes out a setting that step {index + 1} does not have",
            choice(key, list(settings)) if settings else "Give it a value.",
        )
    lines = {**step.lines, key: 0}
    steps = list(recipe.steps)
    steps[index] = replace(step, settings=settings, lines=lines)
    return replace(recipe, steps=tuple(steps))


def _index(recipe: Recipe, name: str, setting: str) -> int:
    """Which step is meant."""
    steps = [step.edit for step in recipe.steps]
    numbered = ", ".join(f"{number} ({edit})" for number, edit in enumerate(steps, 1))
    if name.isdecimal():
        if not 1 <= int(name) <= len(steps):
            raise UsageError(
                f"--set {setting!r}: {recipe.name} has no step {name}", f"Its steps: {numbered}."
            )
        return int(name) - 1
    if name not in steps:
        raise UsageError(
            f"--set {setting!r}: {recipe.name} has no step {name!r}", choice(name, sorted(set(steps)))
        )
    if steps.count(name) > 1:
        raise UsageError(
            f"--set {setting!r}: {recipe.name} has more than one step {name!r}",
            f"Say its number: {numbered}.",
        )
    return steps.index(name)


def _value(edit: str, key: str, text: str) -> object:
    """The value as TOML has it; as text where it is no TOML, or where the setting takes only text."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # also for too many digits, and for too many brackets
        return text
    hint = next((field.type for field in fields(edit_class(edit)) if field.name == key), None)
    if len(read) > 1 or (hint is not None and not fits(read["value"], hint) and fits(text, hint)):
        return text
    return read["value"]
