"""The files that judges save, read with care: they come from other people."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vedit.errors import InputError, UsageError
from vedit.report.judging_page import unscrambled

LARGEST = 20_000_000
"""Bytes of a file of answers; more is none."""

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{8,16}$")]


class Answer(BaseModel):
    """What a judge said: ``shown`` are the candidates from left to right, ``clip`` and ``question`` are numbers."""

    model_config = ConfigDict(strict=True)

    clip: Annotated[int, Field(ge=0)]
    shown: Annotated[list[Id], Field(min_length=1, max_length=2)]
    question: Annotated[int, Field(ge=0)]
    answer: Literal["left", "same", "right"] | Annotated[int, Field(ge=1, le=5)]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Judgement(BaseModel):
    """What one judge saved."""

    model_config = ConfigDict(strict=True)

    kind: Literal["vedit judgement"]
    version: Literal[1]
    page: Id
    mode: Literal["preference", "rating"]
    questions: Annotated[list[str], Field(min_length=1)]
    candidates: Annotated[list[Id], Field(min_length=1)]
    key: str
    judge: Id
    name: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")] | None
    trials: list[Answer]

    @model_validator(mode="after")
    def _fits(self) -> "Judgement":
        wanted = 1 if self.mode == "rating" else 2
        for one in self.trials:
            if one.question >= len(self.questions) or not set(one.shown) <= set(self.candidates):
                raise ValueError("an answer is about something that was not asked")
            if len(set(one.shown)) != wanted or isinstance(one.answer, int) != (wanted == 1):
                raise ValueError(f"an answer is not a {self.mode}")
        return self


def load_judgements(paths: Sequence[Path], warn: Callable[[str], None]) -> list[Judgement]:
    """What judges of one page saved, each judge once: of files of the same judge the one with most answers counts.

    Raises:
        UsageError: no files, or they are of different pages.
        InputError: one cannot be read, or is not what a page saved.
    """
    if not paths:
        raise UsageError("there are no results to count", "Give the JSON files that judges saved.")
    found: dict[str, tuple[Path, Judgement]] = {}
    first: tuple[Path, Judgement] | None = None
    for path in paths:
        one = _load(path)
        first = first or (path, one)
        ours, theirs = (made.model_dump(include=SHARED) for made in (first[1], one))
        if ours != theirs:
            raise UsageError(
                f"{first[0]} and {path} are answers to different pages",
                "Count the results of one page at a time.",
            )
        before = found.get(one.judge)
        if before:
            warn(f"{before[0]} and {path} are of the same judge, who counts once")
        if not before or len(one.trials) > len(before[1].trials):
            found[one.judge] = (path, one)
    judgements = [one for _, one in found.values()]
    names = [one.name.casefold() for one in judgements if one.name]
    for name in sorted({name for name in names if names.count(name) > 1}):
        warn(f"{names.count(name)} judges are called {name!r}; each is counted")
    return judgements


SHARED = {"page", "mode", "questions", "candidates", "key"}
"""What all judges of a page have in common."""


def _load(path: Path) -> Judgement:
    remedy = "Give the JSON file that the page saved, as it is."
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} is larger than any judge's answers", remedy)
        return Judgement.model_validate_json(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check its name.") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(map(str, fault["loc"]))
        raise InputError(f"{path} is no result of judging: {where} {fault['msg']}".strip(), remedy) from error


class Names(BaseModel):
    """What the films are called: ``candidates`` by id."""

    model_config = ConfigDict(strict=True)

    source: str
    clips: list[str]
    candidates: dict[str, str]


def names_of(judgement: Judgement) -> Names:
    """The films' names, which the page carried out of sight.

    Raises:
        InputError: they cannot be read.
    """
    try:
        names = Names.model_validate(json.loads(unscrambled(judgement.key, judgement.page)))
    except ValueError as error:
        raise InputError(
            "the names in the results cannot be read", "Give the files as they were saved."
        ) from error
    if set(names.candidates) != set(judgement.candidates):
        raise InputError("the names in the results are of other films", "Give the files as they were saved.")
    return names
