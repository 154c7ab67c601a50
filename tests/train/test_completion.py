"""The way the completion net was made, in a few seconds on small footage."""

import time
from functools import cache
from multiprocessing import active_children
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from skimage.data import astronaut
from torch import Tensor

from vedit.cli.main import main
from vedit.completion.evidence import gather
from vedit.completion.motion import LOST
from vedit.completion.net import CompletionNet
from vedit.frame import Frame
from vedit.train.completion import SIDE, completion_loss, single_pictures, train_completion
from vedit.train.data import film_runs
from vedit.train.holes import marks, moving_marks
from vedit.train.scenes import HEIGHT, LENGTH, WIDTH, Scene, SceneMakers, filmed, panned, scene, spread

CPU = torch.device("cpu")


def photo() -> Tensor:
    picture: np.ndarray = astronaut()  # type: ignore[no-untyped-call]
    return torch.from_numpy(picture.copy()).permute(2, 0, 1).contiguous()


def a_pan(step: int, height: int = HEIGHT, width: int = WIDTH, count: int = LENGTH) -> Tensor:
    """A camera that goes right over a photograph, uint8."""
    return torch.stack([photo()[:, 100 : 100 + height, i * step : i * step + width] for i in range(count)])


def write_film(path: Path, frames: Tensor) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width = frames.shape[-2:]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            picture = np.ascontiguousarray(frame.permute(1, 2, 0).numpy())
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    folder.mkdir()
    cv2.imwrite(str(folder / "photo.png"), photo().permute(1, 2, 0).numpy()[:, :, ::-1])
    write_film(folder / "film.mp4", a_pan(3))
    return folder


def test_a_net_is_trained_and_its_weights_load(
    footage: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "completion.safetensors"
    words = ["train", "completion", str(footage), "-o", str(out), "--device", "cpu", "--workers", "0"]
    assert main([*words, "--batch", "1", "--minutes", "0.02"]) == 0
    assert "pictures, 1 runs of film" in capsys.readouterr().out
    weights = load_file(out)
    net = CompletionNet()
    net.load_state_dict(weights)
    assert all(w.dtype == torch.float16 and bool(torch.isfinite(w).all()) for w in weights.values())
    assert bool((net.close.weight != 0).any())
    assert bool(torch.isfinite(net(torch.rand(1, 22, 32, 32))).all())

    # From the state beside it training goes on, and from weights it begins.
    assert main([*words, "--batch", "1", "--minutes", "0.02"]) == 0
    assert "going on from" in capsys.readouterr().out
    other = tmp_path / "other.safetensors"
    from_there = ["--start", str(out), "--minutes", "0.0001", "--batch", "1"]
    assert main(["train", "completion", str(footage), "-o", str(other), *from_there, *words[5:]]) == 0
    assert (load_file(other)["open.weight"] - weights["open.weight"]).abs().max() < 0.01


def test_a_folder_without_footage_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "completion", str(tmp_path), "-o", str(tmp_path / "x.safetensors")]) == 3
    assert "no films or photographs" in capsys.readouterr().err


@cache
def a_scene() -> Scene:
    """Of a pan by four pixels a frame."""
    return scene(a_pan(4).float() / 255, np.random.default_rng(0))


def a_step(count: int) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """A few frames of a known pan with all that is known of their holes, a part of them: every step counts."""
    frames = [
        getattr(a_scene(), name)[8 : 8 + count, :, : 64 // n, 48 // n : 144 // n].float()
        for name, n in (("truth", 1), ("mask", 1), ("found", 1), ("back", 2))
    ]
    return [
        (truth[None] / 255, mask[None], found[None] / 255, back[None])
        for truth, mask, found, back in zip(*frames, strict=True)
    ]


def test_the_loss_falls() -> None:
    torch.manual_seed(0)
    net, given = CompletionNet(), a_step(2)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    losses = []
    for _ in range(5):
        loss = completion_loss(net, given, CPU)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_only_the_hole_counts_and_nobody_sees_behind_it() -> None:
    """The truth under the hole is what the answer is measured by, not what it is made from."""
    net, ((truth, mask, found, back),) = CompletionNet(), a_step(1)
    inputs = []
    net.register_forward_pre_hook(lambda _, given: inputs.append(given[0]))
    right = completion_loss(net, [(truth, mask, found, back)], CPU)
    wrong = completion_loss(net, [(torch.where(mask > 0, 1 - truth, truth), mask, found, back)], CPU)
    assert torch.equal(*inputs)
    assert abs(right.item() - wrong.item()) > 0.01
    nothing = torch.zeros_like(mask)
    assert completion_loss(net, [(truth, nothing, found, back)], CPU).item() == 0


def test_a_later_frame_sees_the_one_before_as_it_was_completed() -> None:
    net, given = CompletionNet(), a_step(2)
    inputs: list[Tensor] = []
    net.register_forward_pre_hook(lambda _, seen: inputs.append(seen[0]))
    completion_loss(net, given, CPU)
    assert bool((inputs[0][:, 21] == 0).all())
    known = inputs[1][:, 21:] > 0
    outside = known & (given[1][1] == 0) & (torch.roll(given[0][1], -4, -1) == 0)
    assert outside.float().mean() > 0.3
    assert (inputs[1][:, 18:21] - given[1][0]).abs()[outside.expand(-1, 3, -1, -1)].mean() < 0.02


def test_a_scene_knows_the_motion_and_what_is_hidden() -> None:
    truth, made = a_pan(4), a_scene()
    assert torch.equal(made.truth, truth)
    assert made.mask.shape == (LENGTH, 1, HEIGHT, WIDTH)
    assert made.found.shape == (LENGTH, 14, HEIGHT, WIDTH)
    assert made.back.shape == (LENGTH, 3, HEIGHT // 2, WIDTH // 2)
    assert bool((made.back[0, 2] >= LOST).all())  # the first frame has none before it
    sure = made.back[1:, 2] < 0.3
    assert sure.float().mean() > 0.2
    assert (made.back[1:, 0].float()[sure] - 4).abs().median() < 0.2
    assert made.back[1:, 1].float()[sure].abs().median() < 0.2
    hidden = made.mask[:, 0] > 0
    for side in (made.found[:, :7], made.found[:, 7:]):
        there = hidden & (side[:, 3] == 255)
        assert there.sum() > 0.3 * hidden.sum()
        off = (side[:, :3].float() - truth.float()).abs().mean(1) / 255
        assert off[there].median() < 0.03


def test_evidence_of_a_window_is_spread_over_the_picture() -> None:
    mask = torch.zeros(1, HEIGHT, WIDTH)
    mask[:, 150:160, 200:212] = 1
    frames = a_pan(2).float() / 255
    films = ((Frame(i, 1, f * (1 - mask), index=i), mask) for i, f in enumerate(frames))
    evidence = list(gather(films, "draft", 8))[10]
    assert evidence.window is not None
    assert evidence.ahead is not None
    assert evidence.motion is not None
    found, back = spread(evidence)
    assert torch.equal(evidence.window.of(found)[:7], evidence.ahead)
    assert float(found.sum()) == pytest.approx(float(evidence.window.of(found).sum()), rel=1e-4)
    assert (back[0, 75:80, 100:106] - 2).abs().max() < 0.3
    assert bool((back[:, :40, :60] == LOST).all())


@pytest.mark.parametrize("count", [LENGTH, LENGTH + 1, 2 * LENGTH, 2 * LENGTH + 1, 70])
def test_runs_of_film_have_their_length_and_move(count: int) -> None:
    film = a_pan(1, HEIGHT + 13, WIDTH + 5, count)
    for seed in range(4):
        run = filmed(film, np.random.default_rng(seed))
        assert run.shape == (LENGTH, 3, HEIGHT, WIDTH)
        assert run.min() >= 0
        assert run.max() <= 1
        assert bool((run.diff(dim=0).abs().mean((1, 2, 3)) > 0.001).all())


def test_cameras_move_over_photographs_of_any_size() -> None:
    for height, width in ((512, 512), (90, 700), (40, 30)):
        run = panned(photo()[:, :height, :width], np.random.default_rng(1))
        assert run.shape == (LENGTH, 3, HEIGHT, WIDTH)
        assert bool(torch.isfinite(run).all())


def test_makers_make_scenes_and_clean_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with SceneMakers([], [photo()], workers=1, seed=0) as makers:
        made = makers.new()
        while made is None:
            assert all(worker.is_alive() for worker in active_children())
            time.sleep(0.05)
            made = makers.new()
    assert made.truth.float().std() > 20
    assert made.found.shape == (LENGTH, 14, HEIGHT, WIDTH)
    assert made.found.dtype == torch.uint8
    assert list(tmp_path.iterdir()) == []


def test_marks_are_of_the_size_that_people_take_out() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(40):
        mark = marks(HEIGHT, WIDTH, rng)
        assert mark.shape == (1, HEIGHT, WIDTH)
        assert bool(((mark == 0) | (mark == 1)).all())
        shares.append(float(mark.mean()))
    assert 0.01 <= min(shares) < 0.05
    assert 0.15 < max(shares) <= 0.5
    again = np.random.default_rng(0)
    assert float(marks(HEIGHT, WIDTH, again).mean()) == shares[0]


def test_half_of_the_marks_move() -> None:
    runs = [moving_marks(6, HEIGHT, WIDTH, np.random.default_rng(seed)) for seed in range(20)]
    assert all(run.shape == (6, 1, HEIGHT, WIDTH) for run in runs)
    assert all(bool(((run == 0) | (run == 1)).all()) for run in runs)
    assert 4 < sum(bool((run.diff(dim=0) != 0).any()) for run in runs) < 16


def test_single_pictures_are_crops_of_any_scale() -> None:
    rng = np.random.default_rng(0)
    small = (F.interpolate(photo()[None].float(), size=(100, 140))[0]).to(torch.uint8)
    given = list(single_pictures([photo(), small], 6, rng))
    assert len(given) == 6
    for crop in given:
        assert crop.shape == (3, SIDE, SIDE)
        assert crop.min() >= 0
        assert crop.max() <= 1
    assert len({float(crop.mean()) for crop in given}) == 6


def test_runs_of_films_are_read(tmp_path: Path) -> None:
    write_film(tmp_path / "a.mp4", a_pan(3, 64, 96, 12))
    write_film(tmp_path / "b.mkv", a_pan(3, 96, 64, 5))
    first, second = film_runs(tmp_path, side=48, count=8)
    assert first.shape == (8, 3, 32, 48)
    assert second.shape == (5, 3, 48, 32)
    assert first.dtype == torch.uint8
    whole = next(film_runs(tmp_path, side=500, count=8)).float()
    assert (whole - a_pan(3, 64, 96, 8).float()).abs().mean() < 6


def test_what_was_trained_is_returned_and_written(footage: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "c.safetensors", list[str]()
    net = train_completion(
        footage, out, minutes=0.02, batch=1, workers=0, resume=False, log=said.append, seed=1
    )
    for name, weight in load_file(out).items():
        assert torch.equal(weight, net.state_dict()[name].half())
    assert said[0].endswith("pictures, 1 runs of film")
