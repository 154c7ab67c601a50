"""One contract for whoever does a batch: the same films, in the same order, whatever becomes of one of them."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from batching.folders import CLUSTER, RECORD, hashes, lines, make_film
from PIL import Image

import vedit
from vedit.batching.executor import Executor
from vedit.batching.local import Local
from vedit.batching.result import BatchReport, Happened
from vedit.batching.task import Outcome, Task
from vedit.errors import EngineError

NAMES = ('-dash "q" \'ü.mkv', "a/broken.mp4", "a/long.mkv", "a/short.mov", "last.mp4")
PIECE = 16


@dataclass(frozen=True)
class Ran:
    report: BatchReport
    told: list[Happened]
    src: Path
    out: Path


@pytest.fixture(scope="module")
def src(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    for number, name in enumerate(NAMES):
        make_film(folder / name, (20, 16, 18) if "long" in name else (8, 7), seed=number)
    (folder / "a/broken.mp4").write_bytes((folder / "last.mp4").read_bytes()[:900])
    return folder


def run(src: Path, out: Path, recipe: Path, executor: Executor) -> Ran:
    told: list[Happened] = []
    report = vedit.batch(recipe, src, out, executor=executor, piece=PIECE, happened=told.append)
    return Ran(report, told, src, out)


@pytest.fixture(scope="module")
def alone(src: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The films, one by one, without a batch; the long one is compared with what this process makes of it."""
    out = tmp_path_factory.mktemp("alone")
    for name in ("last.mp4", NAMES[0]):
        vedit.run(recipe, src / name, out / name)
    return hashes(out)


@pytest.fixture(scope="module")
def expected(src: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    out = tmp_path_factory.mktemp("local")
    vedit.batch(recipe, src, out, piece=PIECE)
    return hashes(out)


@pytest.fixture(scope="module", params=["local", "processes", CLUSTER])
def ran(
    request: pytest.FixtureRequest, src: Path, recipe: Path, tmp_path_factory: pytest.TempPathFactory
) -> Ran:
    return run(src, tmp_path_factory.mktemp("out"), recipe, request.getfixturevalue(request.param))


def test_the_same_bytes_whoever_does_it_and_nothing_else_is_left(
    ran: Ran, expected: dict[str, str], alone: dict[str, str]
) -> None:
    made = hashes(ran.out)
    assert list(made) == [name for name in sorted(NAMES) if "broken" not in name]
    assert made == expected
    assert {name: made[name] for name in alone} == alone
    assert not list(ran.out.rglob(".*"))


def test_a_long_film_is_divided_and_a_short_one_is_not(ran: Ran) -> None:
    told = lines(ran.out)
    assert [line["job"] for line in told if line["event"] == "pieces"] == ["a/long.mkv"]
    starts = sorted(line["start"] for line in told if line["event"] == "piece")
    assert starts == [0, 20, 36]


def test_a_broken_film_stops_nothing_and_is_named_with_its_reason(ran: Ran) -> None:
    assert [result.job.name for result in ran.report.jobs] == sorted(NAMES)
    (failed,) = ran.report.with_status("failed")
    assert failed.job.name == "a/broken.mp4"
    assert "broken.mp4" in failed.problem
    assert failed.remedy
    assert failed.exit_code == 3
    assert not failed.job.output.exists()
    assert ran.report.summary.startswith("4 done · 1 failed · ")
    assert len(ran.report.with_status("done")) == 4
    facts = next(r for r in ran.report.jobs if r.job.name == "a/long.mkv").facts or {}
    assert (facts["frames_in"], facts["shots"], facts["warnings"]) == (54, 3, [])


def test_progress_rises_to_the_end(ran: Ran) -> None:
    totals = [event.total for event in ran.told]
    assert totals == sorted(totals)
    assert totals[-1] == 1
    assert ran.told[-1].finished == ran.told[-1].films == 5
    for name in NAMES:
        shares = [event.share for event in ran.told if event.name == name]
        assert shares == sorted(shares)
        assert shares[-1] == 1
    # Who asks a worker only now and then may hear of films that are over by then.
    assert {event.event for event in ran.told} - {"progress"} == {"done", "failed"}
    assert all(event.left is None or event.left >= 0 for event in ran.told)
    ends = [event.left for event in ran.told if event.event == "done"]
    assert None not in ends


def test_the_same_again_does_nothing(ran: Ran, recipe: Path) -> None:
    before, told = hashes(ran.out), lines(ran.out)
    again = run(ran.src, ran.out, recipe, Local())
    assert [result.status for result in again.report.jobs] == ["kept", "failed", "kept", "kept", "kept"]
    assert again.told[-1].total == 1
    assert hashes(ran.out) == before
    assert [line["event"] for line in lines(ran.out)[len(told) :]] == ["batch"]
    assert (ran.out / RECORD).read_bytes().endswith(b"\n")


def test_without_ray_it_says_what_to_install(
    src: Path, recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        EngineError, match=r"Ray is not installed\. Run: pip install 'vedit-diffusion\[ray\]'"
    ):
        vedit.batch(recipe, src, tmp_path, executor="ray")


class Elsewhere(Local):
    """Does the tasks in another folder, as a worker on another machine may."""

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]":
        before = Path.cwd()
        os.chdir("/")
        try:
            return super().submit(task, progress, coming)
        finally:
            os.chdir(before)


def test_files_that_settings_name_are_found_by_workers_in_other_folders(
    src: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "without.toml"
    recipe.write_text(
        'name = "without"\n[[steps]]\nedit = "inpaint"\nquality = "draft"\nmask = "auto:logo"\n'
    )
    white = np.zeros((64, 96), np.uint8)
    white[20:30, 20:30] = 255
    Image.fromarray(white).save(tmp_path / "mark.png")
    monkeypatch.chdir(tmp_path)
    (done,) = vedit.batch(
        "without.toml",
        src,
        "out",
        settings=["inpaint.mask=mark.png"],
        patterns=["last.mp4"],
        executor=Elsewhere(),
    ).jobs
    assert done.status == "done", done.line
    assert (tmp_path / "out" / "last.mp4").exists()
