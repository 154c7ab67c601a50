"""The files that an edit's settings name, wherever in a setting they stand."""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from vedit.pretrained.spec import with_engine_files

NAMING = ("look", "style", "mask", "keyframes", "engine", "kind")
"""The settings that may name files."""
SPEC = re.compile(r"(box|poly|point|auto):")
"""What masks that name no file begin with."""
TRACKED = re.compile(r"(track:\d+=|sam2:\d+=)(.*)", re.DOTALL)
SEGMENTED = re.compile(r"sam2@(.+?)(:\d+=)(.*)", re.DOTALL)


def with_files(
    settings: Mapping[str, object],
    rename: Callable[[str], str],
    exists: Callable[[str], bool] = os.path.exists,
) -> dict[str, object]:
    """An edit's settings with every name of a file replaced.

    Args:
        settings: by the names of the edit's fields; those that are no text, or tables of it, stay as they are.
        rename: gives what a name becomes.
        exists: whether a file has this name. A mask that has one is that file, whatever its name looks like.
    """
    return {
        key: _renamed(key, value, rename, exists) if key in NAMING else value
        for key, value in settings.items()
    }


def _renamed(key: str, value: object, rename: Callable[[str], str], exists: Callable[[str], bool]) -> object:
    if isinstance(value, Mapping):
        return {index: _renamed(key, one, rename, exists) for index, one in value.items()}
    if not isinstance(value, str | Path) or not str(value):
        return value
    value = str(value)
    if key == "engine":
        return with_engine_files(value, rename, exists)
    if key in ("look", "kind"):  # a name, or the file of a trained one
        return rename(value) if value.endswith(".safetensors") else value
    if key == "mask" and not exists(value):
        return "".join(_term(part, rename, exists) for part in re.split(r"( [+-] )", value))
    return rename(value)


def _term(term: str, rename: Callable[[str], str], exists: Callable[[str], bool]) -> str:
    if tracked := TRACKED.fullmatch(term):
        return tracked[1] + _term(tracked[2], rename, exists)
    if segmented := SEGMENTED.fullmatch(term):
        folder = rename(segmented[1]) if exists(segmented[1]) else segmented[1]  # or a name, or a hub id
        return f"sam2@{folder}{segmented[2]}{_term(segmented[3], rename, exists)}"
    return term if SPEC.match(term) or term in (" + ", " - ") else rename(term.strip())
