"""Pictures made side by side: the same as one by one, and nothing is left running."""

import subprocess
import sys
import threading
from fractions import Fraction

import cv2
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.device import torch_threads
from vedit.edits import Interpolate
from vedit.frame import Notes, Shot, Timing
from vedit.workers import Workers

CPU = torch.device("cpu")


def waving(frames: int) -> Tensor:
    """Something that moves back and forth, faster and faster, ``(F, 3, 96, 128)``."""
    wide = torch.rand(1, 3, 16, 40, generator=torch.Generator().manual_seed(4))
    picture = F.interpolate(wide, size=(96, 240), mode="bicubic").clamp(0, 1)[0]
    places = [56 + round(3 * i * (-1) ** (i // 3)) for i in range(frames)]
    return torch.stack([picture[..., place : place + 128] for place in places])


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_pictures_are_the_same_with_any_number_of_workers(quality: str) -> None:
    clip = Clip(waving(9), (0, 2, 3, 5, 6, 7, 9, 12, 13), Fraction(1, 30))
    edit = Interpolate(factor=3, quality=quality)  # type: ignore[arg-type]
    made = []
    for cores in (1, 4):
        with torch_threads(cores):
            made.append(edit.apply(clip).frames)
    assert torch.equal(*made)


def test_each_worker_keeps_to_its_share_of_the_cores() -> None:
    with torch_threads(4), Workers(lambda: CPU, 2) as workers:
        assert workers.count == 2
        assert {workers.submit(torch.get_num_threads).result() for _ in range(8)} == {2}
        assert torch.get_num_threads() == 4


def test_what_goes_wrong_in_a_worker_is_raised_where_the_frame_is_asked_for() -> None:
    frames = list(Clip.at_rate(waving(6), 25).stream())
    frames[3] = frames[3].edited(frames[3].pixels[:, :50])  # it came in another size
    shot = Shot(0, Timing(Fraction(1, 25), Fraction(25), 0, 6), 96, 128, "cpu", Notes())
    made = Interpolate(factor=2, quality="draft").stream(iter(frames), shot)
    assert [next(made).pts for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(cv2.error, match="sameSize"):
        list(made)
    assert not working()


def test_no_thread_outlives_a_shot_that_is_left() -> None:
    shot = Shot(0, Timing(Fraction(1, 25), Fraction(25), 0, 6), 96, 128, "cpu", Notes())
    made = Interpolate(factor=2).stream(Clip.at_rate(waving(6), 25).stream(), shot)
    next(made)
    next(made)
    assert working()
    made.close()  # type: ignore[attr-defined]
    assert not working()


def test_interrupted_while_they_start_none_waits_for_the_others_for_good() -> None:
    """Ctrl-C at any moment of the start; a thread that waits on would keep the program from ending."""
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stderr) == (0, "")
    stopped, started = (int(number) for number in ended.stdout.split())
    assert stopped == 300
    assert 0 < started < 300


INTERRUPTED = """
import os, queue, signal, threading, time, torch
from vedit.workers import Workers

delays = queue.SimpleQueue()

def interrupt():
    while (delay := delays.get()) is not None:
        time.sleep(delay)
        os.kill(os.getpid(), signal.SIGINT)

threading.Thread(target=interrupt).start()
torch.set_num_threads(4)
began = time.perf_counter()
with Workers(lambda: torch.device("cpu")) as workers:
    workers.submit(int)
takes = time.perf_counter() - began
stopped = started = 0
for i in range(300):
    try:
        with Workers(lambda: torch.device("cpu")) as workers:
            delays.put(takes * (i % 100) / 50)
            workers.submit(int)
            started += 1
            while True:
                time.sleep(0.001)  # a long sleep would not notice what comes just before it
    except KeyboardInterrupt:
        stopped += 1
assert torch.get_num_threads() == 4
delays.put(None)
print(stopped, started)
"""


def working() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("vedit-worker")]
