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
    last = [re.findall(r"\d+", path.stem)[-1:] for path in paths]
    numbers = [int(found[0]) for found in last if found]
    if len(numbers) < len(paths) or sorted(set(numbers)) != numbers:
        return list(paths)
    span = numbers[-1] - numbers[0] + 1
    if span > 1.5 * len(paths):
        return list(paths)
    frames: list[Path | None] = [None] * span
    for number, path in zip(numbers, paths, strict=True):
        frames[number - numbers[0]] = path
    return frames
