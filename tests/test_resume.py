"""Renders that are killed, stopped, starved or begun twice: nothing is lost but the segment at hand."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path

import av
import pytest
from corpus import FILM_RATE, Sound, drawing, write

VEDIT = (sys.executable, "-m", "vedit")
SHOTS, SIZE = (45,) * 6, (64, 48)
SLOW = ("--fps", "60", "--quality", "draft", "--codec", "ffv1")
"""An edit that takes seconds, into a codec that is the same from run to run."""
PATIENCE = 120


@dataclass(frozen=True)
class Content:
    """What a film shows and plays: the time and md5 of every picture and of every packet of sound; its bytes."""

    pictures: tuple[tuple[int | None, str], ...]
    sound: tuple[tuple[int | None, str], ...]
    size: int = field(compare=False)


def checksum(data: bytes) -> str:
    return md5(data, usedforsecurity=False).hexdigest()


def content(path: Path) -> Content:
    with av.open(path) as film:
        pictures = [(p.pts, checksum(p.to_ndarray().tobytes())) for p in film.decode(video=0)]
    with av.open(path) as film:
        sound = [(p.pts, checksum(bytes(p))) for p in film.demux(audio=0) if p.size]
    return Content(tuple(pictures), tuple(sound), path.stat().st_size)


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "shots.mp4"
    count = sum(SHOTS)
    sounds = [Sound(seconds=float(count / FILM_RATE))]
    return write(path, range(count), tick=1 / FILM_RATE, draw=drawing(SIZE, SHOTS), sounds=sounds)


@pytest.fixture(scope="module")
def uninterrupted(shots: Path, tmp_path_factory: pytest.TempPathFactory) -> Content:
    out = tmp_path_factory.mktemp("uninterrupted") / "out.mkv"
    done = vedit("interpolate", shots, "-o", out, *SLOW)
    assert done.returncode == 0, done.stderr
    assert sorted(out.parent.iterdir()) == [out]
    return content(out)


def vedit(*words: object) -> "subprocess.CompletedProcess[str]":
    command = [*VEDIT, *map(str, words), "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)


@contextmanager
def running(*words: object) -> "Iterator[subprocess.Popen[str]]":
    command = [*VEDIT, *map(str, words), "--quiet"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def folder_of(out: Path) -> Path:
    return out.with_name(f".{out.name}.vedit")


def segments(out: Path) -> int:
    """How many segments the journal beside an output tells of."""
    journal = folder_of(out) / "journal.jsonl"
    return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0


def wait_for(count: int, out: Path, process: "subprocess.Popen[str]") -> None:
    """Until so many segments are finished."""
    end = time.monotonic() + PATIENCE
    while segments(out) < count:
        assert time.monotonic() < end
        if process.poll() is not None:
            pytest.fail(f"ended before it was to be stopped: {process.communicate()}")
        time.sleep(0.01)


def interrupt(
    out: Path, words: Sequence[object], after: int, how: int = signal.SIGKILL, wait: float = 0
) -> str:
    """Begin a render and stop it ``wait`` seconds after a number of segments; returns what it said to that."""
    with running(*words) as process:
        wait_for(after, out, process)
        time.sleep(wait)
        process.send_signal(how)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == (-how if how == signal.SIGKILL else 130)
    assert not out.exists()
    return said


def report(done: "subprocess.CompletedProcess[str]") -> dict[str, object]:
    """The last line of ``--json``."""
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_killed_at_random_points_it_ends_the_same(
    shots: Path, uninterrupted: Content, tmp_path: Path
) -> None:
    out, dice = tmp_path / "out.mkv", random.Random(20)  # noqa: S311 - no secrets here
    words = ("interpolate", shots, "-o", out, *SLOW)
    for finished in (0, 1, 2):
        interrupt(out, words, finished, wait=dice.uniform(0, 0.3))
    said = report(vedit("resume", out, "--json"))  # which needs no settings
    assert content(out) == uninterrupted
    assert said["frames_out"] == len(uninterrupted.pictures)
    assert 0 < int(str(said["frames_kept"])) < len(uninterrupted.pictures)
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_ctrl_c_keeps_what_is_finished_and_other_settings_start_afresh(shots: Path, tmp_path: Path) -> None:
    out = tmp_path / "out with space.mkv"
    said = interrupt(out, ("interpolate", shots, "-o", out, *SLOW), after=1, how=signal.SIGINT)
    assert len(said.splitlines()) == 1
    assert f"vedit resume '{out}'" in said
    assert segments(out) >= 1
    assert [p.name for p in tmp_path.iterdir()] == [folder_of(out).name]
    assert folder_of(out).stat().st_mode & 0o777 == 0o700

    done = vedit("interpolate", shots, "-o", out, "--factor", 1, "--json")
    assert "afresh" in done.stdout + done.stderr
    assert report(done)["frames_kept"] == 0
    assert [p.name for p in tmp_path.iterdir()] == [out.name]


def test_one_render_at_a_time_and_another_film_starts_afresh(shots: Path, tmp_path: Path) -> None:
    out, film = tmp_path / "out.mkv", tmp_path / "film.mp4"
    shutil.copy(shots, film)
    words = ("interpolate", film, "-o", out, *SLOW)
    with running(*words) as first:
        wait_for(1, out, first)
        first.send_signal(signal.SIGSTOP)  # else it might be done before the second begins
        second = vedit(*words)
    assert (second.returncode, len(second.stderr.splitlines())) == (2, 1)
    assert segments(out) >= 1
    assert not out.exists()

    write(film, range(40), tick=1 / FILM_RATE, sounds=[Sound()])
    done = vedit(*words, "--json")
    assert "afresh" in done.stdout + done.stderr
    assert (report(done)["frames_in"], report(done)["frames_kept"]) == (40, 0)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "out.mkv"]


def own_mounts() -> bool:
    """Whether this user may mount a small disk of its own."""
    trial = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
    return shutil.which("unshare") is not None and subprocess.run(trial, capture_output=True).returncode == 0


@pytest.mark.skipif(not own_mounts(), reason="needs a small disk of its own to fill")
def test_a_full_disk_costs_nothing_that_was_finished(
    shots: Path, uninterrupted: Content, tmp_path: Path
) -> None:
    disk, out = tmp_path / "disk", tmp_path / "out.mkv"
    disk.mkdir()
    size = 4 * uninterrupted.size
    script = f"""
        mount -t tmpfs -o size={size} tmpfs {disk}
        head -c {size - uninterrupted.size * 2 // 3} /dev/zero > {disk}/ballast
        "$@" || echo "exit $?"
        ls -A {disk}
        rm {disk}/ballast
        "$@" --json | tail -n 1
        ls -A {disk}
        cp {disk}/out.mkv {out}
    """
    command = [*VEDIT, "interpolate", str(shots), "-o", str(disk / "out.mkv"), *SLOW, "--quiet"]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", *map(str, command)],  # noqa: S607
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    error, *_ = complaints = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert len(complaints) == 1
    assert "full" in error
    assert "vedit resume" in error
    *before, said, after = done.stdout.splitlines()
    assert before == ["exit 4", ".out.mkv.vedit", "ballast"]
    assert int(json.loads(said)["frames_kept"]) > 0
    assert after == "out.mkv"
    assert content(out) == uninterrupted


def test_a_file_that_may_not_grow_is_an_output_error(
    shots: Path, uninterrupted: Content, tmp_path: Path
) -> None:
    """The limit lets every segment through but not the film: putting it together fails, and can be done again."""
    out = tmp_path / "out.mkv"
    command = [*VEDIT, "interpolate", str(shots), "-o", str(out), *SLOW, "--quiet"]
    limit = uninterrupted.size * 2 // 3
    limited = f"import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))"
    limited += "; os.execv(sys.argv[1], sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", limited, *command], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not out.exists()
    assert segments(out) > 1
    said = report(subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=PATIENCE))
    assert said["frames_kept"] == said["frames_out"]
    assert content(out) == uninterrupted


def test_memory_does_not_grow_with_the_film(tmp_path: Path) -> None:
    peaks = []
    for seconds in (6, 60):
        film = write(tmp_path / f"{seconds}.mp4", range(25 * seconds), sounds=[Sound(seconds=seconds)])
        command = [*VEDIT, "interpolate", film, "-o", film.with_suffix(".mkv"), "--factor", 1, "--json"]
        # Through a shell: on Linux a program inherits the peak of the one that starts it, and this one is large.
        shell = ["sh", "-c", '"$@"; exit $?', "sh", *map(str, command)]
        done = subprocess.run(shell, capture_output=True, text=True, timeout=PATIENCE)
        peaks.append(int(str(report(done)["peak_memory"])))
    assert peaks[1] < 1.1 * peaks[0], peaks
