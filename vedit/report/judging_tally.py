"""The answers of all judges, counted."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from statistics import mean

import numpy as np

from vedit.report.judging_results import Answer, Judgement, load_judgements, names_of
from vedit.report.judging_statistics import Estimate, bradley_terry, mean_estimate, wilson

SUSPECT = 6
"""Answers from which a judge who always gives the same one is named: by chance that happens once in 32 times."""


@dataclass(frozen=True)
class Pair:
    """How ``a`` did against ``b``; ``rate`` is a's share of the answers, a tie counted as half."""

    a: str
    b: str
    wins: int
    ties: int
    losses: int
    rate: Estimate


@dataclass(frozen=True)
class Score:
    """A candidate's Bradley-Terry score or mean rating, of so many answers."""

    name: str
    answers: int
    score: Estimate


@dataclass(frozen=True)
class Question:
    """What was answered to a question; ``scores`` from the best down, none where only two were compared."""

    question: str
    pairs: tuple[Pair, ...]
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Tally:
    """What the judges said.

    ``left`` is how often the left one was preferred where one was, whatever it showed; None where none was.
    ``suspects`` are judges who always gave the same answer; they are counted nevertheless.
    """

    page: str
    mode: str
    source: str
    candidates: tuple[str, ...]
    judges: int
    answers: int
    questions: tuple[Question, ...]
    left: Estimate | None
    suspects: tuple[str, ...]
    remarks: tuple[str, ...]

    def facts(self) -> dict[str, object]:
        """All of it, for JSON."""
        return asdict(self)


def tally(results: Sequence[str | Path], *, warn: Callable[[str], None] | None = None) -> Tally:
    """Count what judges of a page of :func:`vedit.judge` saved.

    Win rates have Wilson's 95 % intervals over all answers: with several answers from each judge these are somewhat too
    narrow. Three or more candidates also have Bradley-Terry scores: a difference of 1.1 means that one is preferred
    three times out of four. Ratings are averaged per judge, and the interval is Student's over judges.

    Args:
        results: the JSON files, of one page. A judge who is in several counts once.
        warn: called with every remark; all are in the tally as well.

    Raises:
        UsageError: no files, or they are of different pages.
        InputError: a file cannot be read, or is not what a page saved.
    """
    remarks: list[str] = []

    def remark(message: str) -> None:
        remarks.append(message)
        if warn:
            warn(message)

    judgements = load_judgements([Path(path) for path in results], remark)
    first = judgements[0]
    names = names_of(first)
    ids = sorted(first.candidates, key=lambda one: names.candidates[one])
    suspects = tuple(words for words in map(_suspect, judgements) if words)
    for words in suspects:
        remark(words)
    left = _left(judgements)
    if left and left.low is not None and left.high is not None and not left.low <= 0.5 <= left.high:
        remark(f"the {'left' if left.value > 0.5 else 'right'} side was preferred, whatever it showed")
    return Tally(
        page=first.page,
        mode=first.mode,
        source=names.source,
        candidates=tuple(names.candidates[one] for one in ids),
        judges=len(judgements),
        answers=sum(len(one.trials) for one in judgements),
        questions=tuple(
            _rated(judgements, number, text, ids, names.candidates)
            if first.mode == "rating"
            else _preferred(judgements, number, text, ids, names.candidates)
            for number, text in enumerate(first.questions)
        ),
        left=left,
        suspects=suspects,
        remarks=tuple(remarks),
    )


def _preferred(
    judgements: Sequence[Judgement], number: int, text: str, ids: Sequence[str], names: dict[str, str]
) -> Question:
    # How often the first was preferred to the second; ties beside it.
    won: Counter[tuple[str, str]] = Counter()
    tied: Counter[frozenset[str]] = Counter()
    for answer in _answers(judgements, number):
        left, right = answer.shown
        if answer.answer == "same":
            tied[frozenset(answer.shown)] += 1
        else:
            won[(left, right) if answer.answer == "left" else (right, left)] += 1
    pairs = []
    wins = np.zeros((len(ids), len(ids)))
    for (i, a), (j, b) in combinations(enumerate(ids), 2):
        ties = tied[frozenset((a, b))]
        wins[i, j], wins[j, i] = won[a, b] + ties / 2, won[b, a] + ties / 2
        answers = won[a, b] + won[b, a] + ties
        rate = wilson(wins[i, j], answers) if answers else Estimate(0.5, None, None)
        pairs.append(Pair(names[a], names[b], won[a, b], ties, won[b, a], rate))
    if len(ids) < 3:
        return Question(text, tuple(pairs), ())
    scores = [
        Score(names[one], int(wins[i].sum() + wins[:, i].sum()), estimate)
        for i, (one, estimate) in enumerate(zip(ids, bradley_terry(wins), strict=True))
    ]
    return Question(text, tuple(pairs), _best_first(scores))


def _rated(
    judgements: Sequence[Judgement], number: int, text: str, ids: Sequence[str], names: dict[str, str]
) -> Question:
    scores = []
    for one in ids:
        given = [
            [float(answer.answer) for answer in _answers([judgement], number) if answer.shown == [one]]
            for judgement in judgements
        ]
        means = [mean(values) for values in given if values]
        if means:
            scores.append(Score(names[one], sum(map(len, given)), mean_estimate(means, 1, 5)))
    return Question(text, (), _best_first(scores))


def _answers(judgements: Sequence[Judgement], number: int) -> list[Answer]:
    return [answer for one in judgements for answer in one.trials if answer.question == number]


def _best_first(scores: Sequence[Score]) -> tuple[Score, ...]:
    return tuple(sorted(scores, key=lambda one: -one.score.value))


def _left(judgements: Sequence[Judgement]) -> Estimate | None:
    sides = Counter(answer.answer for one in judgements for answer in one.trials)
    return wilson(sides["left"], sides["left"] + sides["right"]) if sides["left"] + sides["right"] else None


def _suspect(judgement: Judgement) -> str | None:
    given = {answer.answer for answer in judgement.trials}
    if len(judgement.trials) < SUSPECT or len(given) > 1:
        return None
    who = f"{judgement.name} ({judgement.judge[:6]})" if judgement.name else judgement.judge[:6]
    return f"judge {who} always answered {given.pop()}, {len(judgement.trials)} times"
