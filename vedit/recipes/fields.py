"""What a setting of an edit may be: read off the edit's own fields, and said in words."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from vedit import edits as known
from vedit.errors import UsageError

EDITS = {name.lower(): name for name in sorted(known.__all__)}
"""What a recipe calls an edit, and its class."""
IN_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Mapping: 'a table such as { 0 = "a" }',
}


def edit_class(edit: str) -> type[Any]:
    """The class of the edit that a recipe names; it needs torch."""
    kind: type[Any] = getattr(known, EDITS[edit])
    return kind


def check_setting(edit: str, key: str, value: object, place: str) -> None:
    """Complain about a setting that the edit does not have, or that cannot hold the value.

    Raises:
        UsageError: it says ``place``, the key, and what is possible.
    """
    hints = {field.name: field.type for field in fields(edit_class(edit))}
    if key not in hints:
        raise UsageError(f"{place}: {edit} has no setting {key!r}", choice(key, list(hints)))
    if not fits(value, hints[key]):
        raise UsageError(f"{place}: {key} is {in_toml(value)}", f"Give {in_words(hints[key])}.")


def missing(edit: str, settings: Mapping[str, object]) -> list[str]:
    """The settings that an edit cannot do without and has not been given."""
    return [
        field.name
        for field in fields(edit_class(edit))
        if field.default is MISSING and field.name not in settings
    ]


def fits(value: object, hint: Any) -> bool:
    """Whether a TOML value can be a field of this type; a table's keys are text there, whatever they stand for."""
    kinds = _kinds(hint)
    if isinstance(value, Mapping):
        tables = [get_args(kind) for kind in kinds if get_origin(kind) is Mapping]
        return any(all(fits(one, values) for one in value.values()) for _, values in tables)
    choices = [choice for kind in kinds if get_origin(kind) is Literal for choice in get_args(kind)]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return isinstance(value, bool) and bool in kinds
    if isinstance(value, str):
        return value in choices or str in kinds or Path in kinds
    return type(value) in kinds or float in kinds


def in_words(hint: Any) -> str:
    """What a field may hold, such as "a number or text"; what only Python can give is left out."""
    words: dict[str, None] = {}
    for kind in _kinds(hint):
        if get_origin(kind) is Literal:
            words |= dict.fromkeys(in_toml(one) for one in get_args(kind))
        elif word := IN_WORDS.get(get_origin(kind) or kind):
            words[word] = None
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def choice(name: str, legal: list[str]) -> str:
    """What to write in place of an unknown name: the nearest, and all of them."""
    near = get_close_matches(name, legal, n=1)
    return f"{f'Did you mean {near[0]}? ' if near else ''}Write one of {', '.join(legal)}."


def in_toml(value: object) -> str:
    """A plain value as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml_key(str(k))} = {in_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(in_toml, value)) + "]"
    if isinstance(value, str):
        return _quoted(value)
    return str(value)


def toml_key(key: str) -> str:
    """A key as TOML."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _quoted(key)


def _quoted(text: str) -> str:
    """Text as TOML; what a terminal would not show as it is, or take for an order, is escaped."""
    return '"' + "".join(_escaped(c) for c in text) + '"'


def _escaped(c: str) -> str:
    if c in '"\\':
        return f"\\{c}"
    if "\ud800" <= c <= "\udfff":  # of a file name that is no text
        return "\ufffd"
    return c if c.isprintable() else f"\\U{ord(c):08x}"


def _kinds(hint: Any) -> list[Any]:
    """The parts of a union, flattened."""
    if get_origin(hint) in (Union, UnionType):
        return [kind for part in get_args(hint) for kind in _kinds(part)]
    return [hint]
