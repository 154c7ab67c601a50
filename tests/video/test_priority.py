"""Whatever an encoder does to the threads of the process, they end as they were."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.edits import Interpolate
from vedit.planning import plan
from vedit.render import render

pytestmark = pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="no schedulers to look at")


def schedulers() -> set[int]:
    found = set()
    for thread in os.listdir("/proc/self/task"):
        try:
            found.add(os.sched_getscheduler(int(thread)))
        except ProcessLookupError:  # it is over by now
            continue
    return found


def test_no_thread_is_left_a_real_time_one(film: Callable[..., Path], tmp_path: Path) -> None:
    src, out, seen = film(shots=(12,), tracks=0), tmp_path / "out.webm", set[int]()

    def look(done: int, total: int) -> None:
        # While the encoder is being opened there are some. It is open by now: fewer frames than this wait for it.
        if done == total:
            seen.update(schedulers())

    edit = Interpolate(factor=1)
    plan(src, out, [edit], codec="libsvtav1")
    assert schedulers() == {os.SCHED_OTHER}
    render(src, out, [edit], codec="libsvtav1", progress=look)
    assert seen == {os.SCHED_OTHER} == schedulers()
