"""`vedit judge`: the page, and the answers counted as tables for people and facts for programs."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.cli.main import main


def answered(page: Path, to: Path, answer: str | int) -> Path:
    """A judge who gave all films, in the order of their ids, the same answer ten times."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text())
    assert found is not None
    data = json.loads(found[1])
    shown = data["candidates"][:1] if data["mode"] == "rating" else data["candidates"][:2]
    trial = {"clip": 0, "shown": shown, "question": 0, "answer": answer, "seconds": 2}
    kept = {key: data[key] for key in ("page", "mode", "questions", "candidates", "key")}
    facts = {"kind": "vedit judgement", "version": 1, **kept, "judge": "0123456789abcdef", "name": None}
    to.write_text(json.dumps({**facts, "trials": [trial] * 10}))
    return to


def test_pairs_are_judged_and_counted(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, *others = (str(film(name)) for name in ("source.mp4", "a.mp4", "b.mp4"))
    page = tmp_path / "page.html"
    assert (
        main(["judge", source, *others, "-o", str(page), "--question", "Which is steadier?", "--quiet"]) == 0
    )
    assert capsys.readouterr().out == f"The page is {page}\n"
    result = answered(page, tmp_path / "r.json", "same")
    assert main(["judge", "--tally", str(result)]) == 0
    shown = capsys.readouterr()
    title, _, row, *_, last = shown.out.splitlines()
    assert title.strip() == "Which is steadier?"
    assert row.split() == [
        "a.mp4",
        "before",
        "b.mp4",
        "50%",
        "0",
        ":",
        "0,",
        "10",
        "the",
        "same",
        "24%",
        "to",
        "76%",
    ]
    assert last == "1 judge · 10 answers"
    assert "always answered same, 10 times" in shown.err
    assert main(["judge", "--tally", str(result), "--json"]) == 0
    warning, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert (warning["event"], done["event"], done["questions"][0]["pairs"][0]["ties"]) == (
        "warning",
        "done",
        10,
    )


def test_ratings_are_counted(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, other, page = str(film("source.mp4")), str(film("a.mp4")), tmp_path / "page.html"
    assert main(["judge", source, other, "-o", str(page), "--rating", "--json"]) == 0
    *_, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert done == {"event": "done", "page": str(page)}
    assert main(["judge", "--tally", str(answered(page, tmp_path / "r.json", 4)), "--quiet"]) == 0
    _, _, row, *_, last = capsys.readouterr().out.splitlines()
    assert row.split() == ["a.mp4", "4.00", "10", "–"]
    assert last == "1 judge · 10 answers"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["a.mp4", "b.mp4"], "no place for the page"),
        (["--tally", "r.json", "-o", "page.html"], "--tally only counts"),
        (["--tally", "r.json", "--rating"], "--tally only counts"),
        (["a.mp4", "b.mp4", "-o", "page.html"], "1 candidates"),
        (["--tally", "missing.json"], "cannot be read"),
    ],
)
def test_what_does_not_go_together(
    words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", *words]) in (2, 3)
    assert complaint in capsys.readouterr().err
