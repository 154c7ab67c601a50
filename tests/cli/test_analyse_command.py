"""`vedit analyse` and `vedit summarise` on the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.cli.main import main

MakeFilm = Callable[..., Path]


def test_a_film_is_analysed(film: MakeFilm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, sheet, page = film(shots=(12, 10)), tmp_path / "sheet.png", tmp_path / "page.html"
    assert main(["analyse", str(path), "--sheet", str(sheet), "--html", str(page), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("2 shots · 22 pictures in 0.92 s")
    assert str(sheet) in out
    assert str(page) in out
    assert sheet.exists()
    assert page.exists()
    assert main(["analyse", str(path)]) == 0
    assert "0:00.500" in capsys.readouterr().out
    assert main(["analyse", str(path), "--json"]) == 0
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(shot["start"], shot["stop"]) for shot in done["shots"]] == [(0, 12), (12, 22)]
    assert main(["analyse", str(path), "--sheet", str(sheet)]) == 2
    assert "exists" in capsys.readouterr().err


def test_a_film_is_summarised(film: MakeFilm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, reel, edl = film(shots=(40, 40)), tmp_path / "reel.mp4", tmp_path / "reel.edl"
    words = ["summarise", str(path), "-o", str(reel), "--seconds", "1.5"]
    assert main([*words, "--edl", str(edl)]) == 0
    out = capsys.readouterr().out
    assert "36 of 80 frames" in out
    assert edl.read_text().startswith("TITLE: reel\nFCM: NON-DROP FRAME\n")
    assert main([*words, "--overwrite", "--json"]) == 0
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sum(piece["stop"] - piece["start"] for piece in done["pieces"]) == done["frames"] == 36
    assert done["duration"] == "3003/2000"
    assert main(words) == 2
    assert main(["summarise", str(path), "-o", str(tmp_path / "b.mp4"), "--seconds", "none"]) == 2
    assert "seconds is 'none'" in capsys.readouterr().err
