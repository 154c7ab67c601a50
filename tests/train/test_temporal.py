"""The way the predictors were made, in a few seconds on a small film."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from skimage.data import astronaut

import vedit
from vedit.cli.main import main
from vedit.diffusion.engine import load_engine
from vedit.errors import InputError
from vedit.latents.bundled import BundledCodec
from vedit.temporal.predict import Predictor
from vedit.train.data import film_runs, photographs
from vedit.train.temporal import learn, panned_runs, prediction_loss, runs_of, train_temporal

CPU = torch.device("cpu")


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    """A camera that goes right over a photograph."""
    folder = tmp_path / "footage"
    folder.mkdir()
    picture: np.ndarray = astronaut()  # type: ignore[no-untyped-call]
    with av.open(folder / "film.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width, stream.pix_fmt = 192, 288, "yuv420p"
        for i in range(16):
            part = np.ascontiguousarray(picture[100:292, 4 * i : 4 * i + 288])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(part)))
        container.mux(stream.encode())
    return folder


def test_a_net_learns_and_another_kind_begins_from_it(footage: Path, tmp_path: Path) -> None:
    codec = load_engine("bundled", CPU).codec
    assert isinstance(codec, BundledCodec)
    runs = list(runs_of(film_runs(footage, 640, 100), codec, np.random.default_rng(0), per_film=2))
    assert len(runs) == 2
    assert runs[0].frames.shape[0] == 12
    torch.manual_seed(0)
    net = Predictor("lstm")
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    losses = []
    for _ in range(8):
        loss = prediction_loss(net, runs, codec, 2, CPU)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] - 0.05

    told: list[str] = []
    first, second = tmp_path / "rnn.safetensors", tmp_path / "transformer.safetensors"
    settings = {"minutes": 0.01, "seed": 0, "on": CPU, "resume": True, "log": told.append}
    learn(runs, codec, first, "rnn", start=None, **settings)  # type: ignore[arg-type]
    learn(runs, codec, second, "transformer", start=first, **settings)  # type: ignore[arg-type]
    held = load_file(second)
    assert {name.split(".")[0] for name in held} == {"transformer"}
    assert all(value.dtype == torch.float16 and value.isfinite().all() for value in held.values())
    first.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be begun from"):
        learn(runs, codec, second, "lstm", start=first, **settings)  # type: ignore[arg-type]


def test_the_command_makes_what_extend_takes(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.safetensors"
    assert (
        main(["train", "temporal", str(footage), "-o", str(out), "--kind", "rnn", "--minutes", "0.01"]) == 0
    )
    report = vedit.extend(footage / "film.mp4", tmp_path / "longer.mp4", seconds=0.08, kind=out, device="cpu")
    assert report.frames_out == report.frames_in + 2


def test_a_photograph_is_panned_over(tmp_path: Path) -> None:
    picture: np.ndarray = astronaut()  # type: ignore[no-untyped-call]
    cv2.imwrite(str(tmp_path / "photo.png"), picture[..., ::-1])
    codec = load_engine("bundled", CPU).codec
    assert isinstance(codec, BundledCodec)
    runs = list(panned_runs(photographs(tmp_path, 512), codec, np.random.default_rng(0)))
    assert len(runs) == 3
    assert any(float(run.flows.abs().mean()) > 0.1 for run in runs), "the camera moves"
    assert len({run.frames.float().mean().item() for run in runs}) == 3


def test_no_film_is_long_enough(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="12 frames follow each other"):
        train_temporal(tmp_path, tmp_path / "out.safetensors", "rnn", minutes=0.01, log=lambda _: None)
