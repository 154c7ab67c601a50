"""A folder of mask pictures: which of them belongs to which frame."""

import re
from pathlib import Path


def pictures(folder: Path, suffixes: set[str]) -> list[Path]:
    """Its pictures, in the order of the numbers in their names."""

    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", path.name)]

    return sorted((p for p in folder.iterdir() if p.suffix.lower() in suffixes), key=natural)


def by_frame(paths: list[Path]) -> list[Path | None]:
    """The picture of each frame; None where a number is left out.

    The last number of each name counts frames, from whatever the first one is, if no number stands twice and fewer
    are missing than half of what is there. Otherwise (dates, every tenth picture) only their order counts.
    """
    numbers = [number for path in paths if (number := _number(path)) is not None]
    if len(numbers) < len(paths) or sorted(set(numbers)) != numbers:
        return list(paths)
    span = numbers[-1] - numbers[0] + 1
    if span > 1.5 * len(paths):
        return list(paths)
    frames: list[Path | None] = [None] * span
    for number, path in zip(numbers, paths, strict=True):
        frames[number - numbers[0]] = path
    return frames


def same_number(paths: list[Path]) -> tuple[Path, Path] | None:
    """Two pictures whose names end in the same number, as ``mask_3`` and ``mask_0003`` do; None if there are none."""
    known: dict[int, Path] = {}
    for path in paths:
        number = _number(path)
        if number is not None and known.setdefault(number, path) != path:
            return known[number], path
    return None


def _number(path: Path) -> int | None:
    """The last number in a picture's name."""
    found = re.findall(r"\d+", path.stem)
    return int(found[-1]) if found else None
