"""Which films a folder holds and what they become: nothing is left out silently, nothing is written over."""

import os
import sys
from pathlib import Path

import pytest

import vedit
from vedit.batching.jobs import find_jobs
from vedit.errors import InputError, OutputError, UsageError


def tree(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def outputs(src: Path, dst: Path, **asked: object) -> dict[str, str]:
    return {job.name: os.path.relpath(job.output, dst) for job in find_jobs(src, dst, **asked)}  # type: ignore[arg-type]


def test_the_tree_and_the_order_of_names_are_kept(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "b.mp4", "a/2.mkv", "a/10.MOV", "ü -x/'q\".webm", "-dash.mp4", "notes.txt")
    found = outputs(src, tmp_path / "out")
    assert list(found.items()) == [
        ("-dash.mp4", "-dash.mp4"),
        ("a/10.MOV", "a/10.MOV"),
        ("a/2.mkv", "a/2.mkv"),
        ("b.mp4", "b.mp4"),
        ("ü -x/'q\".webm", "ü -x/'q\".webm"),
    ]


def test_hidden_files_and_results_are_no_films(tmp_path: Path) -> None:
    src = tree(
        tmp_path,
        "a.mp4",
        ".hidden.mp4",
        ".a.mp4.vedit/0000.mp4",
        "out/a.mp4",
        "old/vedit-batch.jsonl",
        "old/a.mp4",
    )
    assert list(outputs(src, src / "out")) == ["a.mp4"]
    assert list(outputs(src, src / "old/../out")) == ["a.mp4"]
    assert list(outputs(src / "old", src / "new")) == ["a.mp4"]  # results, asked for themselves


def test_a_film_that_is_read_only_by_kind_becomes_matroska(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "a.ts", "b.MPG", "c.mp4", "d.avi")
    found = {"a.ts": "a.mkv", "b.MPG": "b.mkv", "c.mp4": "c.mp4", "d.avi": "d.mkv"}
    assert outputs(src, tmp_path / "out") == found


def test_patterns_choose_by_name_or_path(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "a.mp4", "day1/b.mov", "day1/c.mp4", "day2/d.mov", "raw.dat")
    assert list(outputs(src, tmp_path / "o", patterns=["day1/*"])) == ["day1/b.mov", "day1/c.mp4"]
    assert list(outputs(src, tmp_path / "o", patterns=["*.mov", "a.*"])) == [
        "a.mp4",
        "day1/b.mov",
        "day2/d.mov",
    ]
    assert outputs(src, tmp_path / "o", patterns=["*.dat"]) == {"raw.dat": "raw.mkv"}


def test_one_ending_for_all(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "a.mp4", "day.1/b.c.mov")
    assert outputs(src, tmp_path / "o", suffix=".mkv") == {"a.mp4": "a.mkv", "day.1/b.c.mov": "day.1/b.c.mkv"}
    with pytest.raises(UsageError, match=r"'\.avi' is not a film ending .* Use one of \.mp4"):
        find_jobs(src, tmp_path / "o", suffix=".avi")


@pytest.mark.parametrize(
    ("names", "suffix"),
    [(("a.mp4", "a.mov"), ".mkv"), (("s/A.mp4", "s/a.mp4"), None), (("b.ts", "b.mkv"), None)],
)
def test_two_films_with_one_result_are_found_before_anything_is_written(
    names: tuple[str, ...], suffix: str | None, tmp_path: Path
) -> None:
    src, dst = tree(tmp_path / "in", *names), tmp_path / "out"
    if len(list(src.rglob("*.*"))) < 2:
        pytest.skip("a disk on which case makes no difference")
    with pytest.raises(UsageError, match=r"would both become .*\. Rename one"):
        vedit.batch("smooth-60", src, dst, suffix=suffix)
    assert not dst.exists()


def test_a_result_does_not_take_the_place_of_another_film(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "a.mp4", "in/a.mp4")
    with pytest.raises(
        UsageError, match=r"the result of in/a\.mp4 would take the place of the film a\.mp4\."
    ):
        find_jobs(src, tmp_path)
    assert outputs(tree(tmp_path / "other", "a.mp4"), tmp_path) == {"a.mp4": "a.mp4"}


def test_folders_that_cannot_be(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "notes.txt")
    with pytest.raises(
        UsageError, match=r"holds no film\. Looked for .*\.mp4, .*; --glob looks for other names"
    ):
        find_jobs(src, tmp_path / "out")
    with pytest.raises(UsageError, match=r"holds no film\. Looked for \*\.mxf;"):
        find_jobs(src, tmp_path / "out", patterns=["*.mxf"])
    with pytest.raises(UsageError, match=r"nowhere is not a folder\. Give the folder"):
        find_jobs(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(UsageError, match=r"where the films are\. Give another"):
        find_jobs(src, src / ".." / "in")
    with pytest.raises(OutputError, match=r"notes\.txt is a file\. Give a folder"):
        find_jobs(tree(src, "a.mp4"), src / "notes.txt")


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="this user may read everything")
def test_a_folder_that_cannot_be_read_is_not_left_out_silently(tmp_path: Path) -> None:
    src = tree(tmp_path / "in", "a.mp4", "locked/b.mp4")
    (src / "locked").chmod(0)
    try:
        with pytest.raises(InputError, match=r"locked cannot be read"):
            find_jobs(src, tmp_path / "out")
    finally:
        (src / "locked").chmod(0o700)
