"""What was done is known again: after any end, nothing is done twice and nothing is taken for done that is not."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from batching.folders import RECIPE, RECORD, hashes, lines, make_film

import vedit
from vedit.batching.result import BatchReport, Happened
from vedit.errors import OutputError, UsageError


def statuses(report: BatchReport) -> dict[str, str]:
    return {result.job.name: result.status for result in report.jobs}


ALL_DONE = {"a/one.mp4": "done", "text.mp4": "failed", "two.mkv": "done", "very last.mov": "done"}


@pytest.fixture
def out(films: Path, recipe: Path, tmp_path: Path) -> Path:
    """The results of a first call."""
    assert statuses(vedit.batch(recipe, films, tmp_path / "out")) == ALL_DONE
    return tmp_path / "out"


def test_what_failed_is_tried_again_only_when_asked_for(films: Path, out: Path, recipe: Path) -> None:
    make_film(films / "other.mp4")
    mended, when = films / "text.mp4", (films / "text.mp4").stat()
    assert statuses(vedit.batch(recipe, films, out))["text.mp4"] == "failed"
    mended.write_bytes((films / "other.mp4").read_bytes())  # another film: known by its content
    assert statuses(vedit.batch(recipe, films, out))["text.mp4"] == "done"
    mended.write_text("not a film")
    os.utime(mended, ns=(when.st_atime_ns, when.st_mtime_ns))
    (out / "text.mp4").unlink()
    told = vedit.batch(recipe, films, out).with_status("failed")[0]
    assert "not a media file" in told.problem
    before = len(lines(out))
    assert statuses(vedit.batch(recipe, films, out, retry_failed=True))["text.mp4"] == "failed"
    assert [line["event"] for line in lines(out)[before:]] == ["batch", "retried", "begun", "failed"]


def test_another_film_or_recipe_does_not_write_over_results(films: Path, out: Path, recipe: Path) -> None:
    before = hashes(out)
    make_film(films / "two.mkv", (20,), seed=9)
    refused = vedit.batch(recipe, films, out)
    assert statuses(refused) == {
        **ALL_DONE,
        "a/one.mp4": "kept",
        "two.mkv": "failed",
        "very last.mov": "kept",
    }
    assert "two.mkv exists. Allow overwriting" in next(
        r.line for r in refused.jobs if r.job.name == "two.mkv"
    )
    assert hashes(out) == before
    done = vedit.batch(recipe, films, out, overwrite=True)  # what the remedy says is enough
    assert statuses(done)["two.mkv"] == "done"
    assert statuses(vedit.batch(recipe, films, out, overwrite=True))["two.mkv"] == "kept"
    other = recipe.parent / "other.toml"
    other.write_text(RECIPE.replace("30", "25"))
    assert set(statuses(vedit.batch(other, films, out)).values()) == {"failed"}
    assert set(statuses(vedit.batch(recipe, films, out)).values()) == {"kept", "failed"}
    assert statuses(vedit.batch(other, films, out, overwrite=True)) == ALL_DONE
    # What the recipe made is gone.
    assert set(statuses(vedit.batch(recipe, films, out)).values()) == {"failed"}
    assert set(statuses(vedit.batch(recipe, films, out, settings=["interpolate.fps=25"])).values()) == {
        "kept",
        "failed",
    }


def test_a_result_that_somebody_changed_is_left_alone_and_told(films: Path, out: Path, recipe: Path) -> None:
    made = hashes(out)["two.mkv"]
    (out / "two.mkv").write_text("mine")
    kept = {result.job.name: result for result in vedit.batch(recipe, films, out).jobs}
    assert kept["two.mkv"].status == "kept"
    assert "changed by somebody" in kept["two.mkv"].line
    assert "changed" not in kept["a/one.mp4"].line
    assert (out / "two.mkv").read_text() == "mine"
    assert statuses(vedit.batch(recipe, films, out, overwrite=True))["two.mkv"] == "done"
    assert hashes(out)["two.mkv"] == made
    assert "changed" not in next(
        r.line for r in vedit.batch(recipe, films, out).jobs if r.job.name == "two.mkv"
    )


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_with_a_films_name_fails_at_once(films: Path, recipe: Path, tmp_path: Path) -> None:
    os.mkfifo(films / "pipe.mp4")
    report = vedit.batch(recipe, films, tmp_path / "out")
    assert statuses(report) == {**ALL_DONE, "pipe.mp4": "failed"}
    assert "a device or a pipe" in next(r.line for r in report.jobs if r.job.name == "pipe.mp4")


def test_a_result_that_was_deleted_is_made_again(films: Path, out: Path, recipe: Path) -> None:
    before = hashes(out)
    (out / "two.mkv").unlink()
    shutil.rmtree(out / "a")
    again = vedit.batch(recipe, films, out)
    assert statuses(again) == {**ALL_DONE, "very last.mov": "kept"}
    assert hashes(out) == before
    assert set(statuses(vedit.batch(recipe, films, out)).values()) == {"kept", "failed"}


@pytest.mark.parametrize("cut", ["in the last line", "at its end", "with a line of somebody's own"])
def test_a_record_that_was_cut_short_is_believed_up_to_there(
    cut: str, films: Path, out: Path, recipe: Path
) -> None:
    record = out / RECORD
    whole = record.read_bytes()
    last = whole.splitlines(keepends=True)[-1]
    assert json.loads(last)["job"] == "very last.mov"
    left = {"in the last line": whole[: -len(last) // 2], "at its end": whole[:-1]}
    record.write_bytes(left.get(cut, whole + b"\n17\n[]\n{}\nmine\n\xff\n"))
    again = vedit.batch(recipe, films, out)
    # Its result is there, and only whole films have a name: it is not done again.
    assert statuses(again)["very last.mov"] == "kept"
    assert [line["job"] for line in lines(out) if line["event"] == "done"].count("a/one.mp4") == 1
    assert {line["event"] for line in lines(out)} <= {"batch", "begun", "done", "failed"}
    assert set(statuses(vedit.batch(recipe, films, out)).values()) == {"kept", "failed"}


def test_a_result_that_was_named_just_before_the_end_is_taken_and_tidied(
    films: Path, out: Path, recipe: Path
) -> None:
    record = out / RECORD
    kept = [line for line in record.read_bytes().splitlines(keepends=True) if b'"done"' not in line]
    record.write_bytes(b"".join(kept))
    leftover = out / ".two.mkv.vedit"  # as a render leaves it when it is stopped right there
    leftover.mkdir()
    (leftover / "finished").touch()
    before = hashes(out)
    again = vedit.batch(recipe, films, out)
    assert statuses(again) == {
        "a/one.mp4": "kept",
        "text.mp4": "failed",
        "two.mkv": "kept",
        "very last.mov": "kept",
    }
    assert not leftover.exists()
    del before[".two.mkv.vedit/finished"]
    assert hashes(out) == before


def test_a_file_of_the_users_own_is_never_taken_for_a_result(
    films: Path, recipe: Path, tmp_path: Path
) -> None:
    own = tmp_path / "out" / "two.mkv"
    own.parent.mkdir()
    own.write_text("mine")
    for _ in range(2):
        assert statuses(vedit.batch(recipe, films, own.parent)) in (
            {**ALL_DONE, "two.mkv": "failed"},
            {"a/one.mp4": "kept", "text.mp4": "failed", "two.mkv": "failed", "very last.mov": "kept"},
        )
    assert own.read_text() == "mine"
    (own.parent / "text.mp4").write_text("mine too")  # by the name of one that failed
    for retry in (False, True):
        report = vedit.batch(recipe, films, own.parent, retry_failed=retry)
        assert statuses(report)["text.mp4"] == "failed"
    assert (own.parent / "text.mp4").read_text() == "mine too"


def test_two_batches_into_one_folder_are_refused(films: Path, recipe: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def another(event: Happened) -> None:
        if event.event == "done" and not refused:
            with pytest.raises(UsageError, match=r"another batch writes to .*out\. Wait for it") as said:
                vedit.batch(recipe, films, tmp_path / "out")
            refused.append(str(said.value))

    assert statuses(vedit.batch(recipe, films, tmp_path / "out", happened=another)) == ALL_DONE
    assert refused


def test_pieces_that_vanished_are_made_again(recipe: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "in", tmp_path / "out"
    make_film(src / "long.mkv", (30, 30))

    def stop(event: Happened) -> None:
        if len([1 for line in lines(out) if line["event"] == "piece"]) == 1:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        vedit.batch(recipe, src, out, piece=25, happened=stop)
    shutil.rmtree(out / ".long.mkv.vedit" / "piece-0000000")
    (failed,) = vedit.batch(recipe, src, out, piece=25).jobs
    assert "frames 0 to 30 of long.mkv are not whole" in failed.problem
    (done,) = vedit.batch(recipe, src, out, piece=25, retry_failed=True).jobs
    assert done.status == "done"
    assert not list(out.rglob(".*"))


def test_who_listens_may_stop_it_and_no_film_is_blamed(films: Path, recipe: Path, tmp_path: Path) -> None:
    def stop(event: Happened) -> None:
        if event.name == "two.mkv":
            raise BrokenPipeError("nobody listens")

    with pytest.raises(BrokenPipeError, match="nobody listens"):
        vedit.batch(recipe, films, tmp_path / "out", happened=stop)
    assert {line["job"] for line in lines(tmp_path / "out") if line["event"] == "failed"} == {"text.mp4"}
    again = vedit.batch(recipe, films, tmp_path / "out")
    assert statuses(again) == {**ALL_DONE, "a/one.mp4": "kept"}


def test_a_film_that_vanishes_meanwhile_fails_alone(films: Path, recipe: Path, tmp_path: Path) -> None:
    def vanish(event: Happened) -> None:
        (films / "two.mkv").unlink(missing_ok=True)

    gone = vedit.batch(recipe, films, tmp_path / "out", happened=vanish)
    assert statuses(gone) == {**ALL_DONE, "two.mkv": "failed"}
    make_film(films / "two.mkv", seed=1)
    assert statuses(vedit.batch(recipe, films, tmp_path / "out"))["two.mkv"] == "done"


@pytest.mark.skipif(sys.platform != "linux", reason="names that are not text")
def test_a_name_that_is_no_text(recipe: Path, tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mp4")
    name = os.fsdecode(b"caf\xe9.mp4")
    (tmp_path / "in").mkdir()
    shutil.copy(film, tmp_path / "in" / name)
    make_film(tmp_path / "in" / "plain.mp4")
    report = vedit.batch(recipe, tmp_path / "in", tmp_path / "out")
    assert statuses(report)["plain.mp4"] == "done"
    assert statuses(vedit.batch(recipe, tmp_path / "in", tmp_path / "out"))["plain.mp4"] == "kept"
    assert "caf" in report.to_json()


def test_places_and_settings_that_cannot_be(films: Path, recipe: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(
        OutputError, match=r"vedit-batch\.jsonl cannot be written: .*\. Choose another folder"
    ):
        vedit.batch(recipe, films, file / "out")
    for asked, complaint in [
        ({"piece": 0}, "piece is 0"),
        ({"workers": 0}, "workers is 0"),
        ({"workers": 2}, "the executor local is one worker. Take --executor processes"),
        ({"address": "auto"}, "an address is for the executor ray"),
        ({"executor": "slurm"}, "there is no executor 'slurm'. Choose one of local, processes, ray"),
    ]:
        with pytest.raises(UsageError, match=complaint):
            vedit.batch(recipe, films, tmp_path / "out", **asked)  # type: ignore[arg-type]
    (films / "text.mp4").unlink()
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    (blocked / "a").touch()  # a file where a folder has to be
    report = vedit.batch(recipe, films, blocked)
    assert statuses(report) == {"a/one.mp4": "failed", "two.mkv": "done", "very last.mov": "done"}
    assert report.jobs[0].exit_code == 4


def test_a_full_disk_ends_the_batch_and_it_goes_on_later(films: Path, recipe: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(event: Happened) -> None:
        if event.event == "done":  # no file may grow beyond this
            size = (tmp_path / "out" / RECORD).stat().st_size
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))

    try:
        with pytest.raises(OutputError, match=r"vedit-batch\.jsonl cannot be written: .*\. Free some space"):
            vedit.batch(recipe, films, tmp_path / "out", happened=fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "out" / RECORD).read_bytes().endswith(b"\n")  # it was cut in a line
    again = vedit.batch(recipe, films, tmp_path / "out")
    assert statuses(again) == {**ALL_DONE, "a/one.mp4": "kept"}
