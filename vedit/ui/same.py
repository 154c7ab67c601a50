"""How to make the same elsewhere: a recipe or a storyboard to keep, and the command line."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from vedit.edits.named_files import with_files
from vedit.errors import UsageError
from vedit.recipes import Recipe, load_recipe
from vedit.recipes.fields import in_toml
from vedit.ui.mask import mask_file
from vedit.ui.wish import Wish, number
from vedit.video.source import Source


@dataclass(frozen=True)
class Same:
    """A command line, the file that it takes if there is one, and the mask that this one names if it was drawn."""

    command: str
    toml: str = ""
    mask: Path | None = None


def editing(recipe: Recipe, source: Source, output: Path) -> Same:
    """Edits."""
    mask = next((file for step in recipe.steps if (file := mask_file(step.settings.get("mask")))), None)
    return Same(command(recipe, source, output.name), as_toml(recipe), mask)


def as_toml(recipe: Recipe) -> str:
    """The recipe as a file to keep; what it names is meant to lie beside it."""
    steps = [replace(step, settings=_beside(step.settings)) for step in recipe.steps]
    return replace(recipe, steps=tuple(steps)).to_toml()


def command(recipe: Recipe, source: Source, output: str) -> str:
    """The command line that does the same."""
    words = ["vedit"]
    if recipe.path is not None:
        words += ["run", recipe.name]
        plain = load_recipe(recipe.name)
        for number, (step, before) in enumerate(zip(recipe.steps, plain.steps, strict=True), 1):
            for key, value in _beside(step.settings).items():
                if key not in before.settings:
                    text = value if isinstance(value, str) else in_toml(value)
                    words += ["--set", f"{recipe.step_name(number)}.{key}={text}"]
    else:
        words.append(recipe.steps[0].edit)
        for key, value in _beside(recipe.steps[0].settings).items():
            flag = key.replace("_", "-")
            if isinstance(value, bool):
                words.append(f"--{flag}" if value else f"--no-{flag}")
            else:
                words += [f"--{flag}", str(value)]
    hdr = _tonemapped(source)
    audio = ["--audio", "auto"] if Path(output).suffix != source.path.suffix else []
    return _line([*words, "-o", output, *hdr, *audio], source)


def analysing(wish: Wish, source: Source, page: Path, sheet: Path) -> Same:
    """An analysis."""
    anomalies = ["--anomalies"] if wish.anomalies else []
    words = ["vedit", "analyse", *anomalies, "--html", page.name, "--sheet", sheet.name]
    return Same(_line(words, source))


def summarising(wish: Wish, source: Source, output: Path) -> Same:
    """A highlight reel."""
    words = ["vedit", "summarise", "--seconds", wish.reel, "-o", output.name, *_tonemapped(source)]
    return Same(_line(words, source))


def generating(wish: Wish, output: Path) -> Same:
    """A film from a storyboard."""
    engine = ["--engine", wish.engine] if wish.pretrained else []
    words = ["vedit", "generate", *engine, "-o", output.name, "storyboard.toml"]
    return Same(shlex.join(words), storyboard(wish, lambda path: Path(path).name))


def storyboard(wish: Wish, name: Callable[[str], str] = str) -> str:
    """A storyboard file: of every picture a shot, and what is said for a pretrained engine.

    A line of words goes with the picture of its number, and is a shot of its own where there is none.

    Args:
        wish: what was asked for.
        name: gives what files are called in it.

    Raises:
        UsageError: there is neither a picture nor a word.
    """
    pictures = [{"picture": name(path)} for path in wish.pictures or []]
    words = [{"prompt": line.strip()} for line in wish.prompt.splitlines() if line.strip()]
    nothing: dict[str, str] = {}
    both = zip_longest(pictures, words if wish.pretrained else [], fillvalue=nothing)
    shots = [picture | said for picture, said in both]
    if not shots:
        raise UsageError(
            "there is nothing to make a film of", "Drop some pictures, in the order they are to come."
        )
    top: dict[str, object] = {"seconds": number(wish.scene), "transition": wish.transition}
    top |= {"sound": name(wish.sound)} if wish.sound else {}
    tables: list[Mapping[str, object]] = [top, *shots]
    texts = ["".join(f"{key} = {in_toml(value)}\n" for key, value in table.items()) for table in tables]
    return "\n[[shots]]\n".join(texts)


def _line(words: Sequence[str], source: Source) -> str:
    film = source.path.name
    return shlex.join([*words, *(["--"] if film.startswith("-") else []), film])


def _tonemapped(source: Source) -> list[str]:
    hdr = source.original is not None and source.original.colour.is_hdr
    return ["--hdr", "tonemap"] if hdr else []


def _beside(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings with files by their names alone; an engine stays where it is."""
    engine = {"engine": settings["engine"]} if "engine" in settings else {}
    return {**with_files(settings, lambda name: Path(name).name), **engine}
