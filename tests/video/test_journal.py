import json
import os
from pathlib import Path

import pytest

from vedit.errors import OutputError, UsageError
from vedit.video.journal import Journal, Mark, Segment, clear_finished, folder_for, read_journal

JOB = {"the film": {"bytes": 7}, "the settings": {"seed": 0}}


def segment(journal: Journal, number: int) -> Segment:
    """A segment of 8 bytes, on disk."""
    path = journal.folder / f"{number:04}.mkv"
    path.write_bytes(b"pictures")
    mark = Mark(10 * (number + 1), 0, 0, "witness", 1, {"warnings": []})
    return Segment(path.name, 8, ((0, 40), (80, 40), (40, 40)), mark)


def begun(output: Path, segments: int = 2) -> Path:
    """The folder of a render that was stopped after a number of segments."""
    journal = Journal(output, JOB, call={"source": "a.mp4"})
    for number in range(segments):
        journal.append(segment(journal, number))
    journal.close()
    return journal.folder


def test_a_later_run_finds_what_was_finished(tmp_path: Path) -> None:
    begun(tmp_path / "out.mkv")
    journal = Journal(tmp_path / "out.mkv", JOB)
    assert journal.segments == tuple(segment(journal, n) for n in range(2))
    assert journal.afresh is None
    journal.append(segment(journal, 2))
    journal.close()
    kept = read_journal(journal.folder)
    assert kept is not None
    assert [s.file for s in kept.segments] == ["0000.mkv", "0001.mkv", "0002.mkv"]
    assert kept.call == {"source": "a.mp4"}


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_line_cut_short_is_not_believed(tmp_path: Path, cut: int) -> None:
    folder = begun(tmp_path / "out.mkv")
    path = folder / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    journal = Journal(tmp_path / "out.mkv", JOB)
    assert len(journal.segments) == 1
    assert {p.name for p in folder.iterdir()} == {"journal.jsonl", "0000.mkv"}
    journal.append(segment(journal, 1))
    journal.close()
    kept = read_journal(folder)
    assert kept is not None
    assert len(kept.segments) == 2


def test_a_segment_that_is_not_whole_ends_what_is_kept(tmp_path: Path) -> None:
    folder = begun(tmp_path / "out.mkv", 3)
    (folder / "0001.mkv").write_bytes(b"pict")
    journal = Journal(tmp_path / "out.mkv", JOB)
    assert [s.file for s in journal.segments] == ["0000.mkv"]
    journal.close()


@pytest.mark.parametrize("words", ["", "{", "[]", "null", "text", '{"job": 1}'])
def test_a_damaged_journal_is_no_journal(tmp_path: Path, words: str) -> None:
    folder = begun(tmp_path / "out.mkv")
    (folder / "journal.jsonl").write_text(words)
    assert read_journal(folder) is None
    journal = Journal(tmp_path / "out.mkv", JOB)
    assert journal.segments == ()
    journal.close()
    assert not folder.exists()


def test_a_segment_outside_the_folder_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "else.mkv").write_bytes(b"pictures")
    folder = begun(tmp_path / "out.mkv", 1)
    path = folder / "journal.jsonl"
    path.write_text(path.read_text().replace("0000.mkv", "../else.mkv"))
    assert read_journal(folder) is None


def test_another_job_starts_afresh_and_says_why(tmp_path: Path) -> None:
    begun(tmp_path / "out.mkv")
    journal = Journal(tmp_path / "out.mkv", {**JOB, "the settings": {"seed": 1}})
    assert journal.segments == ()
    assert journal.afresh == "the settings changed"
    journal.append(segment(journal, 0))
    journal.close()
    kept = read_journal(journal.folder)
    assert kept is not None
    assert json.loads(json.dumps(kept.job))["the settings"] == {"seed": 1}


def test_on_request_it_starts_afresh(tmp_path: Path) -> None:
    begun(tmp_path / "out.mkv")
    journal = Journal(tmp_path / "out.mkv", JOB, resume=False)
    assert journal.segments == ()
    assert journal.afresh
    journal.close()
    assert not journal.folder.exists()


def test_two_at_once_are_refused(tmp_path: Path) -> None:
    first = Journal(tmp_path / "out.mkv", JOB)
    first.append(segment(first, 0))
    with pytest.raises(UsageError, match="another process"):
        Journal(tmp_path / "out.mkv", JOB)
    assert (first.folder / "0000.mkv").exists()
    first.close()
    Journal(tmp_path / "out.mkv", JOB).close()


def test_nobody_else_may_look_in_or_put_it_there(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "out.mkv", JOB)
    assert journal.folder.stat().st_mode & 0o077 == 0
    journal.close()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", journal.folder)
    with pytest.raises(OutputError, match="not a folder of yours"):
        Journal(tmp_path / "out.mkv", JOB)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_names_as_long_as_they_may_be(tmp_path: Path) -> None:
    folders = {folder_for(tmp_path / (letter * 251 + ".mkv")).name for letter in "ab"}
    assert len(folders) == 2
    assert all(len(os.fsencode(name)) < 255 for name in folders)


def test_what_a_finished_render_could_not_tidy_is_cleared(tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"
    folder = begun(output)
    (folder / "film.mkv").write_bytes(b"whole")
    (folder / "finished").touch()
    output.write_bytes(b"an older film")
    clear_finished(output)
    assert folder.exists(), "the film has not got its name yet"
    (folder / "film.mkv").replace(output)
    clear_finished(output)
    assert [p.name for p in tmp_path.iterdir()] == ["out.mkv"]
