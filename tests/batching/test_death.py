"""Workers die, machines vanish: that costs the piece at hand, and never another film."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from batching.folders import CLUSTER, RAY, hashes, lines, make_film

import vedit
from vedit.batching.executor import Executor, WorkerLost
from vedit.batching.result import Happened
from vedit.batching.task import Outcome, Task, perform

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/cmdline").exists(), reason="processes are found in /proc"
)


SLOW = ["interpolate.quality=normal"]
"""So that there is time to be killed in."""


def workers(kind: str) -> list[int]:
    """The processes that belong to this one: of `processes` its children, of a cluster its actors."""
    parents, commands = {}, {}
    for folder in Path("/proc").iterdir():
        try:
            commands[int(folder.name)] = (folder / "cmdline").read_bytes()
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue

    def is_ours(process: int) -> bool:
        """Others may test a cluster of theirs meanwhile."""
        while process in parents and process != os.getpid():
            process = parents[process]
        return process == os.getpid()

    name = {"processes": b"vedit.batching.worker", "cluster": b"ray::_Actor"}[kind]
    return [process for process, command in commands.items() if name in command and is_ours(process)]


def is_dead(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


class Deadly:
    """Two workers in this process; they die over some films, or pieces, as often as is said."""

    workers = 2

    def __init__(self, deaths: dict[str, int]) -> None:
        self.left = Counter(deaths)
        self.done: list[str] = []

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]":
        future: Future[Outcome] = Future()
        what = f"{task.name} {task.title}"
        if self.left[what] > 0:
            self.left[what] -= 1
            future.set_exception(WorkerLost("the power failed"))
        else:
            self.done.append(what)
            future.set_result(perform(task, progress))
        return future

    def close(self) -> None:
        pass


@pytest.mark.parametrize("kind", ["processes", CLUSTER])
def test_a_worker_killed_in_a_piece_costs_that_piece(
    kind: str, recipe: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    executor: Executor = request.getfixturevalue(kind)
    src, out = tmp_path / "in", tmp_path / "out"
    make_film(src / "long.mkv", (24, 20, 24))
    make_film(src / "short.mp4")
    vedit.batch(recipe, src, tmp_path / "local", settings=SLOW, piece=16)
    killed: list[int] = []

    def kill(event: Happened) -> None:
        if event.event == "progress" and event.name == "long.mkv" and not killed:  # both are at work
            killed.append(workers(kind)[0])
            os.kill(killed[0], signal.SIGKILL)

    report = vedit.batch(recipe, src, out, settings=SLOW, piece=16, executor=executor, happened=kill)
    assert killed
    assert len(report.with_status("done")) == 2
    told = Counter(line["event"] for line in lines(out))
    assert (told["lost"], told["piece"], told["done"], told["failed"]) == (1, 3, 2, 0)
    assert hashes(out) == hashes(tmp_path / "local")


@pytest.mark.parametrize("kind", ["processes", CLUSTER])
def test_a_worker_that_died_with_nothing_to_do_costs_nothing(
    kind: str, films: Path, recipe: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    executor: Executor = request.getfixturevalue(kind)
    vedit.batch(recipe, films, tmp_path / "before", patterns=["two.mkv"], executor=executor)
    there = workers(kind)
    assert there
    for worker in there:
        os.kill(worker, signal.SIGKILL)
    while not all(is_dead(worker) for worker in there):
        time.sleep(0.01)
    vedit.batch(recipe, films, tmp_path / "out", executor=executor)
    told = Counter(line["event"] for line in lines(tmp_path / "out"))
    assert (told["lost"], told["done"], told["failed"]) == (0, 3, 1)


def test_a_film_that_kills_every_worker_is_left_alone_and_the_others_are_done(
    films: Path, recipe: Path, tmp_path: Path
) -> None:
    out, told = tmp_path / "out", list[Happened]()
    killer = Deadly({"two.mkv film": 99})
    report = vedit.batch(recipe, films, out, executor=killer, happened=told.append)
    assert killer.left["two.mkv film"] == 96
    failed = {result.job.name: result.line for result in report.with_status("failed")}
    assert list(failed) == ["text.mp4", "two.mkv"]
    assert failed["two.mkv"].startswith("3 workers died over it, the last because the power failed. ")
    assert "--retry-failed" in failed["two.mkv"]
    assert len(report.with_status("done")) == 2
    assert [event.event for event in told if event.name == "two.mkv"] == ["lost", "lost", "failed"]

    vedit.batch(recipe, films, out, executor=killer)
    assert killer.left["two.mkv film"] == 96  # still left alone
    vedit.batch(recipe, films, out, executor=killer, retry_failed=True)
    assert killer.left["two.mkv film"] == 93  # three more times
    vedit.batch(recipe, films, out, executor=Deadly({}), retry_failed=True)
    assert (out / "two.mkv").exists()


def test_a_machine_that_takes_many_pieces_of_a_film_with_it_does_not_end_the_film(
    recipe: Path, tmp_path: Path
) -> None:
    make_film(tmp_path / "in" / "long.mkv", (20, 20, 20, 20))
    starts = (0, 20, 40, 60)
    crew = Deadly({f"long.mkv piece {start}": 2 for start in starts} | {"long.mkv join": 2})
    (done,) = vedit.batch(recipe, tmp_path / "in", tmp_path / "out", executor=crew, piece=20).jobs
    assert done.status == "done"
    tasks = ["film", *(f"piece {start}" for start in starts), "join"]
    assert sorted(crew.done) == sorted(f"long.mkv {task}" for task in tasks)


def test_a_batch_that_stops_between_pieces_goes_on_with_the_others(recipe: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "in", tmp_path / "out"
    make_film(src / "long.mkv", (20, 20, 20))
    vedit.batch(recipe, src, tmp_path / "local", piece=20)

    def stop(event: Happened) -> None:
        if sum(line["event"] == "piece" for line in lines(out)) == 2:
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        vedit.batch(recipe, src, out, piece=20, happened=stop)
    crew = Deadly({})
    vedit.batch(recipe, src, out, piece=20, executor=crew)
    assert crew.done == ["long.mkv piece 40", "long.mkv join"]
    assert hashes(out) == hashes(tmp_path / "local")


TWO_NODES = """
import sys
from pathlib import Path
from ray.cluster_utils import Cluster
import vedit

def main(recipe, src, out):
    cluster = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "include_dashboard": False, "object_store_memory": 100 * 2**20},
    )
    second = [cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)]

    def remove(event):
        record = (Path(out) / "vedit-batch.jsonl").read_text()
        if event.event == "progress" and '"piece"' in record and second:
            cluster.remove_node(second.pop(), allow_graceful=False)

    report = vedit.batch(
        recipe, src, out, executor="ray", address=cluster.address, workers=2, piece=45, happened=remove
    )
    assert not second
    print(report.summary, file=sys.stderr)
    cluster.shutdown()

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@RAY
def test_a_node_that_is_lost_costs_a_piece(recipe: Path, tmp_path: Path) -> None:
    src, out = tmp_path / "in", tmp_path / "out"
    make_film(src / "long.mkv", (60, 50, 60))
    make_film(src / "short.mp4")
    vedit.batch(recipe, src, tmp_path / "local", piece=45)
    script = tmp_path / "two.py"
    script.write_text(TWO_NODES)
    ran = subprocess.run(
        [sys.executable, script, recipe, src, out], capture_output=True, text=True, timeout=200, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "2 done" in [line[:6] for line in ran.stderr.splitlines()]  # Ray may say something first
    told = Counter(line["event"] for line in lines(out))
    assert told["lost"] <= 1  # none when it had nothing to do just then
    assert (told["piece"], told["done"], told["failed"]) == (3, 2, 0)
    assert hashes(out) == hashes(tmp_path / "local")
