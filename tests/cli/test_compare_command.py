"""`vedit compare`: a table for people, facts for programs, a page for both."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.cli.main import main


def test_the_table_and_the_page(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, page = str(film()), tmp_path / "page.html"
    assert main(["compare", path, path, "--html", str(page)]) == 0
    *table, proof, where = capsys.readouterr().out.splitlines()
    assert "The pictures of both films are the same" in table[0]
    assert any(line.split()[:2] == ["PSNR", "50.00"] for line in table)
    assert any(line.startswith("VMAF") for line in table)
    assert proof == "10/10 pictures · times identical · audio 1/1 bit-exact"
    assert where == f"The page is {page}"
    assert page.read_text().startswith("<!doctype html>")


def test_facts_as_json(film: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = str(film())
    assert main(["compare", path, path, "--json", "--no-vmaf"]) == 0
    *progress, done = map(json.loads, capsys.readouterr().out.splitlines())
    assert {line["event"] for line in progress} == {"progress"}
    assert (done["event"], done["identical"], done["vmaf"]) == ("done", 10, None)


def test_quiet_leaves_the_proof(film: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    path = str(film())
    assert main(["compare", path, path, "--quiet", "--no-vmaf"]) == 0
    assert capsys.readouterr() == ("10/10 pictures · times identical · audio 1/1 bit-exact\n", "")


def test_errors_say_what_to_do(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(film())
    assert main(["compare", path, str(tmp_path / "missing.mp4")]) == 3
    assert main(["compare", path, path, "--html", str(tmp_path)]) == 2
    assert main(["compare", path, path, "--html", path]) == 2
    missing, folder, same = capsys.readouterr().err.splitlines()
    assert missing.endswith("missing.mp4 does not exist. Check the path.")
    assert folder.endswith("is a folder. Give a file name, such as report.html.")
    assert same.endswith("is one of the films. Write to another file.")
