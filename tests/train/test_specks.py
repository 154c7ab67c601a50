"""The way the net that tells dust was made: dirt painted into films, drawn films, and a small film to learn from."""

from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vedit.cli.main import main
from vedit.edits.repair.speck_net import WEIGHTS, SpeckNet
from vedit.edits.repair.specks import SURE
from vedit.errors import InputError
from vedit.train.dirt import dirtied, drawn, worn
from vedit.train.specks import examples_of, odds, runs, train_specks
from vedit.weight_files import read_weights

NOISE = np.random.default_rng(3).integers(0, 256, (12, 40, 3), np.uint8)
SCENE = np.asarray(cv2.resize(NOISE, (480, 120), interpolation=cv2.INTER_CUBIC), np.uint8)


def pan(length: int) -> NDArray[np.uint8]:
    return np.stack([SCENE[:, 3 * k : 3 * k + 200] for k in range(length)])


def film(path: Path) -> None:
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = 120, 200, "yuv420p"
        for picture in pan(45):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture))))
        out.mux(stream.encode())


def test_dirt_is_where_it_is_said_to_be() -> None:
    run = pan(12)
    painted, marks = dirtied(run, 3.0, np.random.default_rng(0))
    change = np.abs(painted.astype(int) - run).max(-1)
    assert change[marks].min() >= 5
    assert change[~marks].max() <= 6
    count = sum(cv2.connectedComponents(mark.astype(np.uint8))[0] - 1 for mark in marks)
    assert 12 < count < 60
    clean, none = dirtied(run, 0.0, np.random.default_rng(0))
    assert np.array_equal(clean, run)
    assert not none.any()


def test_what_is_worn_keeps_what_it_shows() -> None:
    run, dice = pan(3), np.random.default_rng(0)
    errors = [float(np.abs(worn(run, dice).astype(int) - run).mean()) for _ in range(40)]
    assert 10 < sum(error > 0 for error in errors) < 30
    assert max(errors) < 12


def test_drawn_things_move_and_stay_themselves() -> None:
    photo = np.full((200, 300, 3), 128, np.uint8)
    run = drawn([photo], 6, np.random.default_rng(1))
    assert len(run) == 6
    shown = (run.astype(int) != np.median(run)).any(-1)
    areas = shown.sum((1, 2))
    assert areas.min() > 0
    assert all((a != b).any() for a, b in pairwise(shown))
    assert np.abs(np.diff(areas)).max() < 0.5 * areas.max()


def test_specks_are_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footage, out = tmp_path / "footage", tmp_path / "it.safetensors"
    footage.mkdir()
    film(footage / "pan.mp4")
    assert main(["train", "specks", str(footage), "-o", str(out), "--minutes", "0.04"]) == 0
    assert "not clearly clean" in capsys.readouterr().out
    net = SpeckNet()
    net.load_state_dict(read_weights(out))
    assert float(net.deviation.min()) > 0  # of what the candidates of this film measured
    assert main(["train", "specks", str(footage), "-o", str(out), "--no-resume"]) != 0


def test_the_net_that_ships_tells_dirt_from_the_rest(tmp_path: Path) -> None:
    film(tmp_path / "pan.mp4")
    dice = np.random.default_rng(1)
    examples = examples_of(runs(tmp_path, dice), dice, lambda _: None)
    net = SpeckNet()
    net.load_state_dict(read_weights(WEIGHTS))
    likely = odds(net.float(), examples)
    dirt, clean = likely[examples.dirt > 0], likely[examples.dirt == 0]
    assert float((dirt[:, None] > clean).float().mean()) > 0.95
    assert float((clean > SURE).float().mean()) < 0.02


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="dirt could be learned"):
        train_specks(tmp_path, tmp_path / "it.safetensors", minutes=1, log=lambda _: None)
