"""Folders of small films, and everybody who can do a batch, started once."""

import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest
from batching.folders import RECIPE, make_film

from vedit.batching.executor import Executor
from vedit.batching.local import Local
from vedit.batching.processes import Processes
from vedit.batching.task import Outcome, Task


@pytest.fixture(scope="session", autouse=True)
def as_busy_as_others() -> Iterator[None]:
    """Ray's workers give way to all other programs, so that beside other tests they hardly get on: here not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        yield


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "thirty.toml"
    path.write_text(RECIPE)
    return path


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Three of them, the first in a folder of its own, and one that is none."""
    folder = tmp_path / "in"
    for number, name in enumerate(("a/one.mp4", "two.mkv", "very last.mov")):
        make_film(folder / name, seed=number)
    (folder / "text.mp4").write_text("not a film")
    return folder


class Kept:
    """An executor for several batches, which each of them would close."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    @property
    def workers(self) -> int:
        return self._executor.workers

    def submit(
        self, task: Task, progress: Callable[[int, int], None], coming: Task | None = None
    ) -> "Future[Outcome]":
        return self._executor.submit(task, progress, coming)

    def close(self) -> None:
        pass


@pytest.fixture(scope="session")
def processes() -> Iterator[Executor]:
    executor = Processes(2)
    yield Kept(executor)
    executor.close()


@pytest.fixture(scope="session")
def cluster() -> Iterator[Executor]:
    pytest.importorskip("ray")
    import ray

    from vedit.batching.ray_actors import RayActors

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own
        ray.init(
            "local",  # whatever cluster a killed process has left word of
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=100 * 2**20,
            log_to_driver=False,
        )
        executor = RayActors(2)
    yield Kept(executor)
    executor.close()
    ray.shutdown()


@pytest.fixture(scope="session")
def local() -> Executor:
    return Local()
