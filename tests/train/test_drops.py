"""The way the net that finds missing frames was made, on a small film."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.torch import load_file

from vedit.cli.main import main
from vedit.errors import InputError
from vedit.train.drops import train_drops

NOISE = np.random.default_rng(3).integers(0, 256, (8, 60, 3), np.uint8)
SCENE = np.asarray(cv2.resize(NOISE, (720, 96), interpolation=cv2.INTER_CUBIC), np.uint8)


def film(path: Path, places: NDArray[np.float64]) -> None:
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = 96, 160, "yuv420p"
        for place in places:
            picture = cv2.warpAffine(SCENE, np.array([[1, 0, -place], [0, 1, 0.0]]), (160, 96))
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(picture, np.uint8))))
        out.mux(stream.encode())


def test_drops_are_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    footage, out = tmp_path / "footage", tmp_path / "it.safetensors"
    footage.mkdir()
    dice = np.random.default_rng(1)
    for name in "ab":
        film(footage / f"{name}.mp4", 200 + np.cumsum(2.5 + dice.normal(0, 1.2, 46)))
    assert main(["train", "drops", str(footage), "-o", str(out)]) == 0
    assert "lost" in capsys.readouterr().out
    net = load_file(out)
    assert net["hidden.weight"].shape[1] == len(net["mean"]) == len(net["deviation"]) == 12
    again = train_drops(footage, out, log=lambda _: None)
    assert all(np.array_equal(again[name], tensor) for name, tensor in net.items())


def test_nothing_to_learn_from(tmp_path: Path) -> None:
    film(tmp_path / "still.mp4", np.full(60, 50.0))
    with pytest.raises(InputError, match="moves enough"):
        train_drops(tmp_path, tmp_path / "it.safetensors", log=lambda _: None)
