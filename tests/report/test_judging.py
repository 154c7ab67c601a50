"""The page that judges get, and what is counted of what they save."""

import json
import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from corpus import write

import vedit
from vedit.report.judging_films import find_clips, preview_of
from vedit.report.judging_page import unscrambled

Solid = Callable[[int], np.ndarray[Any, np.dtype[np.uint8]]]

NAMES = ("velvet.mp4", "hammer.mp4", "tulip.mp4")


def solid(*rgb: int) -> Solid:
    return lambda number: np.full((64, 96, 3), rgb, np.uint8)


@pytest.fixture
def films(tmp_path: Path) -> list[Path]:
    """A grey source, and a red, a green and a blue version of it."""
    colours = (("source.mp4", (128,) * 3), *zip(NAMES, ((200, 0, 0), (0, 200, 0), (0, 0, 200)), strict=True))
    return [
        write(tmp_path / name, range(5), tick=Fraction(1, 10), draw=solid(*colour))
        for name, colour in colours
    ]


def data_of(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())
    assert found is not None
    return dict(json.loads(found[1]))


def saved(
    page: Path,
    to: Path,
    judge: str,
    answers: Sequence[tuple[str, str, str | int]],
    /,
    *,
    name: str | None = None,
    **other: object,
) -> Path:
    """What a judge saves: of each answer the films shown on the left and on the right ("" for none), and the answer."""
    data = data_of(page)
    ids = {
        name: one for one, name in json.loads(unscrambled(data["key"], data["page"]))["candidates"].items()
    }
    trials = [
        {
            "clip": 0,
            "shown": [ids[one] for one in shown if one],
            "question": 0,
            "answer": answer,
            "seconds": 1.5,
        }
        for *shown, answer in answers
    ]
    kept = {key: data[key] for key in ("page", "mode", "questions", "candidates", "key")}
    facts = {"kind": "vedit judgement", "version": 1, **kept, "judge": judge, "name": name, "trials": trials}
    to.write_text(json.dumps({**facts, **other}))
    return to


A, B, C = NAMES
JUDGES = ("00000000000000aa", "00000000000000bb", "00000000000000cc")


def test_names_are_not_in_the_page_and_the_same_call_gives_the_same(
    films: list[Path], tmp_path: Path
) -> None:
    page, again, other = (
        vedit.judge(films[0], films[1:], html=tmp_path / name, seed=seed)
        for name, seed in (("p.html", 0), ("q.html", 0), ("r.html", 1))
    )
    text = page.read_text()
    assert not [name for name in ("source.mp4", "velvet", "hammer", "tulip") if name in text]
    assert text == again.read_text()
    assert data_of(page)["page"] != data_of(other)["page"]
    assert data_of(page)["questions"] == ["Which do you prefer?"]


def test_rows_are_where_the_page_says(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:], html=tmp_path / "p.html", seed=3)
    data = data_of(page)
    names = json.loads(unscrambled(data["key"], data["page"]))["candidates"]
    clip = data["clips"][0]
    assert (clip["width"], clip["height"], len(clip["frames"])) == (96, 64, 5)
    assert clip["passages"] == [[0, 0, 0.5]]
    # The order of the rows is another one than that of the command, or the mapping were there to read.
    order = [names[one] for one, _ in sorted(clip["rows"].items(), key=lambda row: row[1])]
    found = find_clips(films[0], films[1:], lambda message: None)[0]
    preview = preview_of(found, [NAMES.index(name) for name in order], lambda done: None)
    (tmp_path / "preview.mp4").write_bytes(preview.data)
    with av.open(tmp_path / "preview.mp4") as film:
        rgb = next(film.decode(video=0)).to_ndarray(format="rgb24")
    for one, row in clip["rows"].items():
        middle = rgb[64 * row + 32, 48]
        assert int(middle.argmax()) == NAMES.index(names[one])


def test_films_of_other_rates_are_shown_at_the_same_time(tmp_path: Path) -> None:
    """A version of twice the rate adds a picture between two of the source's, and shows its own there."""
    grey = write(tmp_path / "a.mp4", range(5), tick=Fraction(1, 10), draw=solid(99, 99, 99))
    fast = write(
        tmp_path / "b.mp4",
        range(10),
        tick=Fraction(1, 20),
        draw=lambda number: np.full((64, 96, 3), 20 * number, np.uint8),
    )
    clip = find_clips(grey, [grey, fast], lambda message: None)[0]
    preview = preview_of(clip, (0, 1), lambda done: None)
    (tmp_path / "preview.mp4").write_bytes(preview.data)
    assert preview.frames == pytest.approx([number / 20 for number in range(10)])
    with av.open(tmp_path / "preview.mp4") as film:
        shown = [frame.to_ndarray(format="rgb24")[64 * 2 + 32, 48].mean() for frame in film.decode(video=0)]
    assert shown == pytest.approx([20 * number for number in range(10)], abs=4)


def test_folders_and_what_does_not_match(films: list[Path], tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("in", "x", "y")]
    for folder, film in zip(folders, films, strict=False):
        folder.mkdir()
        for name in ("one.mp4", "two.mp4"):
            (folder / name).write_bytes(film.read_bytes())
    (folders[1] / "three.mp4").write_bytes(films[0].read_bytes())
    warned: list[str] = []
    page = vedit.judge(folders[0], folders[1:], html=tmp_path / "p.html", warn=warned.append)
    assert len(data_of(page)["clips"]) == 2
    assert warned == [f"{folders[1] / 'three.mp4'} is not shown: {folders[0]} has no film of that name"]
    (folders[2] / "two.mp4").unlink()
    with pytest.raises(vedit.UsageError, match=r"has no two\.mp4"):
        vedit.judge(folders[0], folders[1:], html=tmp_path / "q.html")
    with pytest.raises(vedit.UsageError, match="is no folder"):
        vedit.judge(folders[0], [folders[1], films[1]], html=tmp_path / "q.html")
    assert not (tmp_path / "q.html").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"candidates": 1}, "1 candidates"),
        ({"candidates": 0, "mode": "rating"}, "0 candidates"),
        ({"questions": ["x", " x "]}, "asked twice"),
        ({"questions": [" "]}, "is empty"),
        ({"rounds": 0}, "rounds is 0"),
        ({"mode": "duel"}, "mode is 'duel'"),
        ({"twice": True}, "given twice"),
    ],
)
def test_what_cannot_be_judged(films: list[Path], tmp_path: Path, change: dict[str, Any], words: str) -> None:
    given = films[1 : 1 + change.pop("candidates", 3)]
    if change.pop("twice", False):
        given = [films[1], films[1]]
    with pytest.raises(vedit.UsageError, match=words):
        vedit.judge(films[0], given, html=tmp_path / "p.html", **change)
    assert not (tmp_path / "p.html").exists()


def test_wins_are_counted_whatever_the_side(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:3], html=tmp_path / "p.html")
    ours = [(A, B, "left")] * 3 + [(B, A, "right")] * 2 + [(B, A, "left")]
    theirs = [(A, B, "left")] * 2 + [(B, A, "right"), (B, A, "same"), (A, B, "same")]
    files = [
        saved(page, tmp_path / "1.json", JUDGES[0], ours),
        saved(page, tmp_path / "2.json", JUDGES[1], theirs),
    ]
    found = vedit.tally(files)
    assert (found.judges, found.answers, found.candidates, found.source) == (2, 11, (B, A), "source.mp4")
    pair = found.questions[0].pairs[0]
    assert (pair.a, pair.b, pair.wins, pair.ties, pair.losses) == (B, A, 1, 2, 8)
    # 2 of 11, by hand.
    assert (pair.rate.value, pair.rate.low, pair.rate.high) == pytest.approx(
        (0.1818, 0.0514, 0.4770), abs=1e-4
    )
    assert found.questions[0].scores == ()
    assert found.left is not None
    assert found.left.value == pytest.approx(6 / 9)
    assert (found.suspects, found.remarks) == ((), ())


def test_three_candidates_have_scores_from_the_best_down(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:], html=tmp_path / "p.html")
    answers = [
        (A, B, "left"),
        (B, A, "right"),
        (B, C, "left"),
        (C, B, "right"),
        (A, C, "left"),
        (C, A, "left"),
    ]
    found = vedit.tally([saved(page, tmp_path / "1.json", JUDGES[0], answers)])
    scores = found.questions[0].scores
    assert [one.name for one in scores] == [A, B, C]
    assert [one.answers for one in scores] == [4, 4, 4]
    # 5/6, 1/2 and 1/6 of 6 each, ties added: by symmetry B is in the middle, and A as far above as C is below.
    assert scores[1].score.value == pytest.approx(0, abs=1e-9)
    assert scores[0].score.value == pytest.approx(-scores[2].score.value)
    assert json.loads(json.dumps(found.facts()))["questions"][0]["scores"][0]["name"] == A


def test_ratings_are_averaged_per_judge(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:3], html=tmp_path / "p.html", mode="rating")
    files = [
        saved(page, tmp_path / "1.json", JUDGES[0], [(A, "", 5), (A, "", 3), (B, "", 1)]),
        saved(page, tmp_path / "2.json", JUDGES[1], [(A, "", 3), (B, "", 2)]),
    ]
    best, other = vedit.tally(files).questions[0].scores
    assert (best.name, best.answers, best.score.value) == (A, 3, 3.5)
    assert (other.name, other.answers, other.score.value) == (B, 2, 1.5)
    assert (best.score.low, best.score.high) == (1, 5)


def test_a_judge_counts_once(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:3], html=tmp_path / "p.html")
    whole = saved(page, tmp_path / "1.json", JUDGES[0], [(A, B, "left"), (B, A, "right")], name="Ann")
    part = saved(page, tmp_path / "2.json", JUDGES[0], [(A, B, "left")], name="Ann")
    other = saved(page, tmp_path / "3.json", JUDGES[1], [(A, B, "left")], name="ann")
    warned: list[str] = []
    found = vedit.tally([part, whole, whole, other], warn=warned.append)
    assert (found.judges, found.answers) == (2, 3)
    assert warned == list(found.remarks)
    assert "of the same judge, who counts once" in warned[0]
    assert warned[-1] == "2 judges are called 'ann'; each is counted"


def test_who_always_presses_the_same_side_is_named(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:3], html=tmp_path / "p.html")
    lazy = [(A, B, "left"), (B, A, "left")] * 6
    files = [
        saved(page, tmp_path / "1.json", JUDGES[0], lazy, name="Bo"),
        saved(page, tmp_path / "2.json", JUDGES[1], lazy[:5]),
    ]
    found = vedit.tally(files)
    assert found.suspects == ("judge Bo (000000) always answered left, 12 times",)
    assert found.remarks[-1] == "the left side was preferred, whatever it showed"


def test_results_of_another_page_are_refused(films: list[Path], tmp_path: Path) -> None:
    pages = [vedit.judge(films[0], films[1:3], html=tmp_path / f"{seed}.html", seed=seed) for seed in (0, 1)]
    files = [
        saved(page, tmp_path / f"{judge}.json", judge, [(A, B, "left")])
        for page, judge in zip(pages, JUDGES, strict=False)
    ]
    with pytest.raises(vedit.UsageError, match=r"aa\.json and .*bb\.json are answers to different pages"):
        vedit.tally(files)
    with pytest.raises(vedit.UsageError, match="no results"):
        vedit.tally([])


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "something else"},
        {"judge": "../../etc"},
        {"name": "\x1b[2J"},
        {"key": "AAAA"},
        {"candidates": ["00000000", "11111111"], "trials": []},
        {
            "trials": [
                {"clip": 0, "shown": ["00000000", "11111111"], "question": 0, "answer": "left", "seconds": 1}
            ]
        },
        {"trials": "left"},
    ],
)
def test_what_no_page_saved_is_refused(films: list[Path], tmp_path: Path, change: dict[str, Any]) -> None:
    page = vedit.judge(films[0], films[1:3], html=tmp_path / "p.html")
    with pytest.raises(vedit.InputError):
        vedit.tally([saved(page, tmp_path / "1.json", JUDGES[0], [(A, B, "left")], **change)])


def test_answers_that_do_not_fit_are_refused(films: list[Path], tmp_path: Path) -> None:
    page = vedit.judge(films[0], films[1:3], html=tmp_path / "p.html")
    for number, answers in enumerate(([(A, B, 3)], [(A, "", "left")], [(A, A, "left")], [(A, B, "neither")])):
        with pytest.raises(vedit.InputError, match=r"\.json is no result of judging"):
            vedit.tally([saved(page, tmp_path / f"{number}.json", JUDGES[0], answers)])  # type: ignore[arg-type]
    (tmp_path / "x.json").write_text('{"kind": ')
    for path in (tmp_path / "x.json", tmp_path / "missing.json", tmp_path):
        with pytest.raises(vedit.InputError):
            vedit.tally([path])


def test_of_a_long_film_passages_all_over_are_shown(tmp_path: Path) -> None:
    film = write(tmp_path / "a.mp4", range(60), tick=Fraction(1, 2), draw=solid(9, 9, 9))
    clip = find_clips(film, [film], lambda message: None)[0]
    preview = preview_of(clip, (0,), lambda done: None)
    assert [(one.film, one.length) for one in preview.passages] == [(0, 7), (9, 3), (14, 3), (19, 3), (24, 3)]
