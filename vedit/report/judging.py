"""A page on which people judge films without knowing which is which."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from vedit.errors import UsageError
from vedit.pages.page import write_page
from vedit.pages.whole import check_page
from vedit.report.judging_films import find_clips, preview_of
from vedit.report.judging_page import Shown, judging_page

Mode = Literal["preference", "rating"]

QUESTIONS = {"preference": "Which do you prefer?", "rating": "How good is it?"}
"""What is asked where nothing else is."""
ROUNDS = {"preference": 2, "rating": 1}
"""How often each is judged: a pair once each way round."""
MOST = 8
"""Candidates; they make 28 pairs."""
LARGEST = 300_000_000
"""Bytes of film on a page, above which browsers no longer open it well."""


def judge(
    source: str | Path,
    candidates: Sequence[str | Path],
    *,
    html: str | Path,
    questions: Sequence[str] = (),
    rounds: int | None = None,
    mode: Mode = "preference",
    seed: int = 0,
    overwrite: bool = False,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Path:
    """Write a page on which people judge films blind: one file that works offline and sends nothing anywhere.

    It shows the source and two candidates side by side (one, to be rated), in step, in an order and on sides that
    chance gives each judge anew, every pair equally often and on either side equally often. Names are not shown, and
    are in the page only scrambled: enough for an honest judge, not against one who takes the page apart. Each judge
    saves a JSON file at the end; :func:`vedit.tally` counts these.

    Args:
        source: the film that the candidates were made from, or a folder of films.
        candidates: what became of it, no more than 8 films; or folders with films of the same names.
        html: the page.
        questions: what is asked of every pair, such as "Which is steadier?". None given: which is preferred.
        rounds: how often each pair (candidate) of each clip is judged by everybody. None: a pair twice, once each way
            round; a candidate once.
        mode: "preference": left, right or the same; "rating": each candidate alone, from 1 (bad) to 5 (excellent).
        seed: another seed, another order.
        overwrite: replace ``html`` if it exists.
        progress: called with (pictures done, pictures of all sources).
        warn: called with remarks, such as that the films are not equally long.

    Returns:
        The page's path.

    Raises:
        UsageError: too few or too many candidates, the same one twice, a question that is empty or asked twice,
            folders that do not match, ``html`` exists, or the page would be larger than 300 MB.
        InputError: a film cannot be read.
        OutputError: the page cannot be written.
    """
    given = [candidates] if isinstance(candidates, str | Path) else list(candidates)
    paths = [Path(path) for path in given]
    page, source = Path(html), Path(source)
    asked = _asked(questions, mode)
    times = ROUNDS[mode] if rounds is None else rounds
    if times < 1:
        raise UsageError(f"rounds is {times}", "Give 1 or more.")
    _check_candidates(paths, mode)
    clips = find_clips(source, paths, warn or (lambda message: None))
    films = [film.path for clip in clips for film in clip.films]
    check_page(page, films, example="judge.html", overwrite=overwrite)

    total, done, size = sum(clip.source.frames for clip in clips), 0, 0
    shown: list[Shown] = []
    for number, clip in enumerate(clips):
        order = [int(i) for i in np.random.default_rng([abs(seed), number]).permutation(len(paths))]

        def tell(frames: int, before: int = done) -> None:
            if progress:
                progress(before + frames, total)

        shown.append(Shown(preview_of(clip, order, tell), tuple(order)))
        tell(clip.source.frames)
        done += clip.source.frames
        size += len(shown[-1].preview.data)
        if size > LARGEST:
            raise UsageError(
                f"the films on the page would be larger than {LARGEST // 10**6} MB",
                "Give fewer or shorter films.",
            )
    names = {"source": source.name, "candidates": labels(paths), "clips": [clip.name for clip in clips]}
    write_page(judging_page(shown, names, asked, times, mode, seed), page, overwrite=overwrite)
    return page.absolute()


def _asked(questions: Sequence[str], mode: str) -> list[str]:
    if mode not in get_args(Mode):
        raise UsageError(f"mode is {mode!r}", "Give 'preference' or 'rating'.")
    given = [questions] if isinstance(questions, str) else list(questions)
    asked = [" ".join(question.split()) for question in given] or [QUESTIONS[mode]]
    if "" in asked:
        raise UsageError("a question is empty", "Write it out, such as 'Which is steadier?'.")
    twice = next((question for question in asked if asked.count(question) > 1), None)
    if twice:
        raise UsageError(f"{twice!r} is asked twice", "Ask each question once.")
    return asked


def _check_candidates(paths: Sequence[Path], mode: str) -> None:
    least = 2 if mode == "preference" else 1
    if not least <= len(paths) <= MOST:
        remedy = f"Give {least} to {MOST}" + (", or have one rated (--rating)." if len(paths) == 1 else ".")
        raise UsageError(f"{len(paths)} candidates cannot be judged", remedy)
    places = [path.resolve() for path in paths]
    for path, place in zip(paths, places, strict=True):
        if places.count(place) > 1:
            raise UsageError(f"{path} is given twice", "Give each candidate once.")


def labels(paths: Sequence[Path]) -> list[str]:
    """What to call the films once they are judged: their names, with as much of the path as tells them apart."""
    for parts in (1, 2):
        names = ["/".join(path.absolute().parts[-parts:]) for path in paths]
        if len(set(names)) == len(names):
            return names
    return [str(path.absolute()) for path in paths]
