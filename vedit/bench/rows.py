"""What a bench finds out: rows of numbers, and their means."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from statistics import fmean
from typing import TypeVar


@dataclass(frozen=True)
class Row:
    """What one method made of one clip: ``frames`` of them; the numbers that were measured follow in each bench."""

    clip: str
    method: str
    frames: int


SomeRow = TypeVar("SomeRow", bound=Row)


def means(rows: Sequence[SomeRow]) -> list[SomeRow]:
    """The mean of every method over the clips, in the order the methods come; values that are None do not count."""
    return [
        _mean([row for row in rows if row.method == method]) for method in {row.method: 0 for row in rows}
    ]


def _mean(rows: Sequence[SomeRow]) -> SomeRow:
    numbers: dict[str, float | None] = {}
    for field in fields(rows[0])[len(fields(Row)) :]:
        known = [value for row in rows if (value := getattr(row, field.name)) is not None]
        numbers[field.name] = fmean(known) if known else None
    frames = sum(row.frames for row in rows)
    return replace(rows[0], clip="mean", frames=frames, **numbers)  # type: ignore[arg-type]
