"""`vedit batch`: what it prints, how it exits, and that it may be stopped in any way at any time."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from batching.folders import RECORD, hashes, lines, make_film

import vedit
from vedit.cli.main import main

Capture = pytest.CaptureFixture[str]
VEDIT = [sys.executable, "-m", "vedit", "batch"]
ENDED = {"done", "failed"}


def ended(out: Path) -> int:
    """How many films the record says have come to an end."""
    return sum(line["event"] in ENDED for line in lines(out)) if (out / RECORD).exists() else 0


def begin(recipe: Path, src: Path, out: Path, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*VEDIT, recipe, src, out, *more], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def wait_for(running: "subprocess.Popen[str]", reached: Callable[[], bool]) -> None:
    while not reached():
        assert running.poll() is None, "it ended before it could be stopped"
        time.sleep(0.01)


def begun(out: Path, number: int) -> bool:
    return (out / RECORD).exists() and sum(line["event"] == "begun" for line in lines(out)) >= number


def test_killed_twice_and_started_again_it_ends_whole_and_does_nothing_twice(
    recipe: Path, tmp_path: Path
) -> None:
    src, out = tmp_path / "in", tmp_path / "out"
    for number in range(6):
        make_film(src / f"{number}.mp4", (24,), seed=number)
    (src / "3.mp4").write_text("not a film")
    for already in (1, 3):
        with begin(recipe, src, out) as running:
            wait_for(running, lambda least=already: ended(out) > least)  # type: ignore[misc]
            running.kill()
    before = {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}
    with begin(recipe, src, out) as running:
        said, complaints = running.communicate()
    assert running.returncode == 1
    assert re.fullmatch(r"\d done · \d kept · 1 failed · [\d.]+ s\n", said)
    assert "3.mp4 is not a media file" in " ".join(complaints.split())
    assert Counter(line["job"] for line in lines(out) if line["event"] in ENDED) == Counter(
        f"{number}.mp4" for number in range(6)
    )
    assert before.items() <= {path.name: path.stat().st_mtime_ns for path in out.glob("*.mp4")}.items()
    vedit.batch(recipe, src, tmp_path / "whole")
    assert hashes(out) == hashes(tmp_path / "whole")


@pytest.mark.parametrize(
    ("executor", "stop"), [("local", signal.SIGINT), ("local", signal.SIGTERM), ("processes", signal.SIGINT)]
)
def test_interrupted_it_says_how_to_go_on(executor: str, stop: int, recipe: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "in", tmp_path / "out"
    make_film(src / "0.mp4")
    make_film(src / "1.mp4", (150, 150))
    with begin(recipe, src, out, "--executor", executor, "--json") as running:
        assert running.stdout is not None
        at_work = (line for line in running.stdout if json.loads(line)["name"] == "1.mp4")
        assert json.loads(next(at_work))["event"] == "progress"
        running.send_signal(stop)
        _, complaints = running.communicate()
    assert running.returncode == 130
    assert complaints == (
        "error: interrupted. Nothing that is finished is lost; run the same command to go on.\n"
    )
    assert "failed" not in {line["event"] for line in lines(out)}
    assert not (out / "1.mp4").exists()


def test_a_closed_pipe_is_no_fault_of_a_film(recipe: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "in", tmp_path / "out"
    make_film(src / "0.mp4")
    make_film(src / "1.mp4", (60,))
    with begin(recipe, src, out, "--json") as running:
        assert running.stdout is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.wait() not in (0, None)
    assert not {"failed", "lost"} & {line["event"] for line in lines(out)}


def test_some_failed(films: Path, recipe: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["batch", str(recipe), str(films), str(out)]) == 1
    said = capsys.readouterr()
    assert re.fullmatch(r"3 done · 1 failed · [\d.]+ s\n", said.out)
    first = said.err.splitlines()[0]
    assert re.match(r"\[1/4\] a/one\.mp4: done, 13 frames from 10 · 30 fps · .*", first)
    assert "1 failed" in said.err
    assert "--retry-failed" in said.err
    (films / "text.mp4").unlink()
    assert main(["batch", str(recipe), str(films), str(out)]) == 0
    assert re.fullmatch(r"3 kept · [\d.]+ s\n", capsys.readouterr().out)


def test_json_and_quiet(films: Path, recipe: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out"
    assert main(["batch", str(recipe), str(films), str(out), "--json"]) == 1
    said = capsys.readouterr()
    assert said.err == ""
    events = [json.loads(line) for line in said.out.splitlines()]
    assert {event["event"] for event in events} == {"progress", "done", "failed", "batch"}
    assert events[-1]["event"] == "batch"
    assert [job["status"] for job in events[-1]["jobs"]] == ["done", "failed", "done", "done"]
    assert events[-1]["jobs"][0]["facts"]["frames_in"] == 10
    (films / "text.mp4").unlink()
    assert main(["batch", str(recipe), str(films), str(out), "--quiet", "--glob", "*.mkv"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert re.fullmatch(r"1 kept · [\d.]+ s\n", said.out)


def test_options_reach_the_batch(films: Path, recipe: Path, tmp_path: Path, capsys: Capture) -> None:
    argv = [
        "batch",
        str(recipe),
        str(films),
        str(tmp_path / "out"),
        "--glob",
        "a/*",
        "--to",
        "mkv",
        "--quiet",
    ]
    assert main([*argv, "--set", "interpolate.fps=48", "--codec", "ffv1"]) == 0
    source = vedit.probe(tmp_path / "out" / "a" / "one.mkv")
    assert source.rate == 48
    assert source.video.codec == "ffv1"
    for more, complaint in [
        (["--to", "avi"], "'.avi' is not a film ending"),
        (["--address", "auto"], "an address is for the executor ray"),
        (["--set", "interpolate.fsp=3"], "fsp"),
    ]:
        capsys.readouterr()
        assert main([*argv, *more]) == 2
        assert complaint in capsys.readouterr().err
    assert os.listdir(tmp_path / "out" / "a") == ["one.mkv"]
