"""Films with wrong bytes: an error that says so or a whole film, never a traceback, a hang or something left over."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree

import pytest
from corpus import BT709, FILMS, write
from hypothesis import given, settings
from hypothesis import strategies as st

SEEDS = (
    "late_sound.mp4",
    "mirrored_90.mp4",
    "everything.mkv",
    "cut_off.mkv",
    "alpha.webm",
    "transport.ts",
    "full_range.avi",
    "alpha.mov",
    "animated.gif",
)
PATIENCE = 30
"""Seconds for one film of a second, on a busy machine."""

WORKER = """
import faulthandler, json, sys, traceback
import vedit
faulthandler.enable()
for line in sys.stdin:
    film, out = json.loads(line)
    try:
        vedit.probe(film)
        said = {"frames": vedit.interpolate(film, out, factor=1).frames_out}
    except vedit.VeditError as error:
        said = {"error": str(error)}
    except BaseException:
        said = {"escaped": traceback.format_exc()}
    print(json.dumps(said), flush=True)
"""


class Worker:
    """Another process that does the work, so that a hang or a crash is a failure of one film, not of the tests."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._process: subprocess.Popen[str] | None = None

    def identity(self, film: Path, out: Path) -> dict[str, object]:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        print(json.dumps([str(film), str(out)]), file=process.stdin, flush=True)
        alarm = threading.Timer(PATIENCE, process.send_signal, [signal.SIGABRT])  # dumps all threads
        alarm.start()
        answer = process.stdout.readline()
        alarm.cancel()
        if not answer:
            code = process.wait()
            self._process = None
            pytest.fail(f"hung or crashed (exit {code}):\n{self.log.read_text()[-6000:]}")
        return dict(json.loads(answer))

    def _start(self) -> "subprocess.Popen[str]":
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", WORKER],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        return self._process

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    worker = Worker(tmp_path_factory.mktemp("log") / "worker")
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    return {name: FILMS[name](folder / name).read_bytes() for name in SEEDS}


Change = Callable[[bytes], bytes]
"""What is done to the bytes of a film."""


def at(place: int, data: bytes) -> int:
    return place % max(1, len(data))


def flip(places: list[tuple[int, int]]) -> Change:
    def change(data: bytes) -> bytes:
        new = bytearray(data)
        for place, mask in places:
            if new:
                new[at(place, data)] ^= mask
        return bytes(new)

    return change


def cut(place: int) -> Change:
    return lambda data: data[: at(place, data)]


def drop(place: int, length: int) -> Change:
    return lambda data: data[: at(place, data)] + data[at(place, data) + length :]


def repeat(place: int, length: int) -> Change:
    return lambda data: data[: at(place, data) + length] + data[at(place, data) :]


def fill(place: int, length: int, value: int) -> Change:
    return lambda data: data[: at(place, data)] + bytes([value]) * length + data[at(place, data) + length :]


places = st.integers(0, 600) | st.integers(0, 10**6)  # headers are small and matter most
lengths = st.integers(1, 3000)
flips = st.tuples(places, st.integers(1, 255))
changes = st.one_of(
    st.lists(flips, min_size=1, max_size=2).map(flip),
    st.lists(flips, min_size=2, max_size=24).map(flip),
    st.builds(cut, places),
    st.builds(drop, places, lengths),
    st.builds(repeat, places, lengths),
    st.builds(fill, places, lengths, st.sampled_from([0, 255])),
)


@settings(max_examples=80, derandomize=True, database=None, deadline=None)
@given(name=st.sampled_from(SEEDS), change=st.lists(changes, min_size=1, max_size=3))
def test_wrong_bytes(
    name: str,
    change: list[Change],
    worker: Worker,
    seeds: dict[str, bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    data = seeds[name]
    for step in change:
        data = step(data)
    folder = tmp_path_factory.mktemp("wrong")
    path, out = folder / name, folder / "out.mkv"
    path.write_bytes(data)
    said = worker.identity(path, out)
    assert "escaped" not in said, said["escaped"]
    assert out.exists() == ("frames" in said)
    left = {p.name for p in folder.iterdir()} - {path.name, out.name}
    assert left <= (set() if out.exists() else {".out.mkv.vedit"})
    rmtree(folder)  # of a failure it stays, to be looked at


@pytest.mark.parametrize("name", SEEDS)
def test_right_bytes(name: str, worker: Worker, seeds: dict[str, bytes], tmp_path: Path) -> None:
    """The films that are mutated do work when they are whole, so that `wrong` is not just `refused`."""
    path, out = tmp_path / name, tmp_path / "out.mkv"
    path.write_bytes(seeds[name])
    assert "frames" in worker.identity(path, out)
    assert {p.name for p in tmp_path.iterdir()} == {path.name, out.name}


# ---- what the hunt has found ----


@pytest.mark.parametrize("matrix", [8, 10, 14], ids=["YCgCo", "constant luminance", "ICtCp"])
def test_a_matrix_that_cannot_be_converted(matrix: int, worker: Worker, tmp_path: Path) -> None:
    path, out = tmp_path / "film.mkv", tmp_path / "out.mkv"
    write(path, range(4), colour=(matrix, *BT709[1:]))
    assert "escaped" not in worker.identity(path, out)


def test_one_wrong_packet_of_sound_does_not_cost_the_film(worker: Worker, tmp_path: Path) -> None:
    path, out = FILMS["transport.ts"](tmp_path / "film.ts"), tmp_path / "out.mkv"
    data = bytearray(path.read_bytes())
    data[data.index(b"\xff\xf1", len(data) // 3) + 1] = 0  # no longer the start of an ADTS packet
    path.write_bytes(data)
    assert worker.identity(path, out) == {"frames": 24}
