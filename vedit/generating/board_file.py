"""Storyboards from lists, from text files with a picture or prompt per line, and from TOML files."""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from vedit.errors import InputError, UsageError
from vedit.generating.storyboard import (
    CAMERAS,
    RATE,
    SECONDS,
    TRANSITIONS,
    Panel,
    Storyboard,
    read_number,
    read_rate,
    read_size,
)
from vedit.recipes.fields import choice, in_toml

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif")
"""Endings that make a line the name of a picture even where there is no such file."""
OF_SHOTS = (
    "picture",
    "prompt",
    "seconds",
    "seed",
    "look",
    "strength",
    "negative_prompt",
    "camera",
    "transition",
    "transition_seconds",
    "continues",
    "caption",
)
OF_FILM = ("size", "rate", "sound", "shots")
SHARED = tuple(key for key in OF_SHOTS if key not in ("picture", "prompt", "continues", "caption"))
"""Keys of shots that may stand at the top too, for all shots that do not say otherwise."""


def read_storyboard(given: str | Path | Sequence[str | Path], seconds: Fraction = SECONDS) -> Storyboard:
    """A storyboard from a file, or from a list of pictures and prompts.

    Args:
        given: a TOML file (``.toml``); a text file with one picture or prompt per line, where empty lines and those
            that begin with ``#`` say nothing; or a list of such lines. Relative names in a file are beside the file.
        seconds: how long shots are that do not say.

    Raises:
        UsageError: it is no storyboard; says the file, the line and what is possible.
        InputError: the file, or a picture, cannot be read.
    """
    if not isinstance(given, str | Path):
        lines = [(f"shot {i}", str(line)) for i, line in enumerate(given, 1)]
        return Storyboard("the storyboard", _of_lines("the storyboard", lines, Path(), seconds))
    path = Path(given)
    text = _text(path)
    folder = path.parent
    if path.suffix.lower() == ".toml":
        return _of_toml(text, path, seconds)
    lines = [
        (f"{path}, line {number}", line.strip())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.strip().startswith("#")
    ]
    return Storyboard(path.name, _of_lines(str(path), lines, folder, seconds), path=path)


def is_shot(name: str) -> bool:
    """Whether one name is a picture, or words, rather than a file that lists them."""
    return name.lower().endswith(PICTURES) or (
        " " in name and not Path(name).suffix and not _is_file(Path(name))
    )


def _text(path: Path) -> str:
    if str(path).lower().endswith(PICTURES):
        raise UsageError(
            f"storyboard {path} is one picture", "Give a list of them, or a file that names one per line."
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"storyboard {path} does not exist", "Check the path.") from error
    except OSError as error:
        raise InputError(
            f"storyboard {path} cannot be read: {error.strerror}", "Give a .toml or a text file."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"storyboard {path} is not UTF-8 text", "Give a .toml or a text file, saved as UTF-8."
        ) from error


def _of_lines(
    origin: str, lines: Sequence[tuple[str, str]], folder: Path, seconds: Fraction
) -> tuple[Panel, ...]:
    if not lines:
        raise UsageError(f"{origin} is empty", "Give at least one picture or prompt.")
    return tuple(replace(_panel(place, line, folder), seconds=seconds) for place, line in lines)


def _panel(place: str, line: str, folder: Path) -> Panel:
    if not line.strip():
        raise UsageError(f"{place} is empty", "Give a picture's path, or words.")
    if line.lower().endswith(PICTURES) or _is_file(folder / line):
        return Panel(place, picture=_found(f"{place}: picture", folder / line))
    return Panel(place, prompt=line)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # words that are no file name
        return False


def _found(place: str, path: Path) -> Path:
    if not _is_file(path):
        problem = "is a folder" if os.path.isdir(path) else "does not exist"
        raise InputError(f"{place} {path} {problem}", "Check the path.")
    return path


def _of_toml(text: str, path: Path, seconds: Fraction) -> Storyboard:
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        problem, _, line = str(error).partition(" (at line ")
        place = f"{path}, line {line.partition(',')[0]}" if line else str(path)
        raise UsageError(f"{place}: {problem[:1].lower()}{problem[1:]}", "Write it as TOML.") from error
    top, inside = _lines(text)
    for key in found:
        if key not in OF_FILM and key not in SHARED:
            raise UsageError(
                f"{path}, line {top.get(key, 1)}: a storyboard has no {key!r}",
                choice(key, [*OF_FILM, *SHARED]),
            )
    shots = found.get("shots")
    if not isinstance(shots, list) or not shots or not all(isinstance(shot, dict) for shot in shots):
        raise UsageError(
            f"{path}, line {top.get('shots', 1)}: there are no shots",
            'Write at least one: [[shots]], then picture = "a.png" on a line of its own.',
        )
    inside += [{"": top.get("shots", 1)}] * (len(shots) - len(inside))

    def at(key: str) -> str:
        return f"{path}, line {top.get(key, 1)}: {key}"

    shared = {"seconds": seconds} | _values(
        {key: found[key] for key in SHARED if key in found}, at, path.parent
    )
    panels = tuple(
        _of_table(shot, lines, number, path, shared)
        for number, (shot, lines) in enumerate(zip(shots, inside, strict=False), 1)
    )
    sound = found.get("sound")
    if sound is not None and not (isinstance(sound, str) and sound.strip()):
        raise UsageError(f"{at('sound')} is {in_toml(sound)}", "Give a file's name, or leave it out.")
    return Storyboard(
        path.name,
        panels,
        read_size(found["size"], at("size")) if _sized(found, at) else None,
        read_rate(found["rate"], at("rate")) if "rate" in found else RATE,
        None if sound is None else path.parent / sound,
        path,
    )


def _sized(found: Mapping[str, Any], at: Any) -> bool:
    if "size" in found and not isinstance(found["size"], str | list):
        raise UsageError(f"{at('size')} is {in_toml(found['size'])}", 'Give width and height: "1280x720".')
    return "size" in found


def _of_table(
    shot: dict[str, Any], lines: Mapping[str, int], number: int, path: Path, shared: Mapping[str, Any]
) -> Panel:
    place = f"{path}, line {lines['']} (shot {number})"

    def at(key: str) -> str:
        return f"{path}, line {lines.get(key, lines[''])} (shot {number}): {key}"

    for key in shot:
        if key not in OF_SHOTS:
            raise UsageError(f"{at(key)} is nothing that a shot has", choice(key, list(OF_SHOTS)))
    values = {**shared, **_values(shot, at, path.parent)}
    if values.get("picture") is None and values.get("prompt") is None:
        raise UsageError(
            f"{place}: it has no picture and no prompt", 'Add picture = "a.png", or prompt = "…".'
        )
    if values.get("continues"):
        if shot.get("transition", "cut") != "cut":
            raise UsageError(
                f"{at('transition')} does not go with continues",
                "Leave it out: the shot goes on without a seam.",
            )
        values["transition"] = "cut"
    if "transition_seconds" in shot and values.get("transition") == "cut":
        raise UsageError(f"{at('transition_seconds')} does not go with a cut", "Leave it out.")
    return Panel(place, **values)


def _values(given: Mapping[str, Any], at: Any, folder: Path) -> dict[str, Any]:
    """Checked values of a shot's keys, files beside the storyboard."""
    made: dict[str, Any] = {}
    for key, value in given.items():
        if key in ("seconds", "transition_seconds"):
            made[key] = read_number(value, at(key))
        elif key in ("camera", "transition"):
            legal = CAMERAS if key == "camera" else TRANSITIONS
            if value not in legal:
                raise UsageError(f"{at(key)} is {in_toml(value)}", choice(str(value), list(legal)))
            made[key] = value
        elif key == "seed":
            made[key] = _typed(value, int, at(key), "Give a whole number.")
        elif key == "strength":
            made[key] = float(_typed(value, (int, float), at(key), "Give a number from 0 to 1."))
            if not 0 <= made[key] <= 1:
                raise UsageError(f"{at(key)} is {value}", "Give a number from 0 to 1.")
        elif key == "continues":
            made[key] = _typed(value, bool, at(key), "Write true or false.")
        else:
            text = _typed(value, str, at(key), "Give text.")
            if not text.strip():
                raise UsageError(f"{at(key)} is empty", "Give text, or leave it out.")
            if key == "picture":
                made[key] = _found(at(key), folder / text)
            elif key == "look" and text.endswith(".safetensors"):
                made[key] = str(_found(at(key), folder / text))
            else:
                made[key] = text
    return made


def _typed(value: Any, kind: Any, place: str, remedy: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UsageError(f"{place} is {in_toml(value)}", remedy)
    return value


def _lines(text: str) -> tuple[dict[str, int], list[dict[str, int]]]:
    """On which line each key stands: of the film, and of every shot ("" is the shot itself)."""
    top: dict[str, int] = {}
    shots: list[dict[str, int]] = []
    now = top
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"\s*\[\[\s*[\"']?shots[\"']?\s*\]\]", line):
            top.setdefault("shots", number)
            now = {"": number}
            shots.append(now)
        elif key := re.match(r"\s*[\"']?([^\"'=.\s#]+)[\"']?\s*[=.]", line):
            now.setdefault(key[1], number)
    return top, shots
