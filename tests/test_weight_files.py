"""Files of weights in half their room: what is kept, what it costs, and who reads them."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from vedit.cli.main import main
from vedit.completion.net import CompletionNet
from vedit.diffusion.bundled import BundledDenoiser
from vedit.diffusion.engine import WEIGHTS, build_engine, load_engine, load_look
from vedit.temporal.predict import load_predictor
from vedit.weight_files import LARGEST, LEAST, SCALE, narrowed, read_weights, widened

CPU = torch.device("cpu")


def test_a_large_layer_is_kept_to_half_a_step() -> None:
    dice = torch.Generator().manual_seed(0)
    weight = torch.randn(128, LEAST // 128, generator=dice) * torch.logspace(-6, 3, 128)[:, None]
    weight[5] = 0
    narrow = narrowed({"layer.weight": weight})
    assert narrow["layer.weight"].dtype == torch.int8
    step = weight.abs().amax(1, keepdim=True) / LARGEST
    back = widened(narrow)["layer.weight"]
    assert ((back - weight).abs() <= step / 2 * 1.0001).all()
    assert (back[5] == 0).all()
    largest = weight.abs().argmax(1)
    rows = torch.arange(len(weight))
    torch.testing.assert_close(back[rows, largest], weight[rows, largest])


def test_what_is_small_or_no_layer_stays(tmp_path: Path) -> None:
    weights = {
        "small.weight": torch.randn(8, 8).half(),
        "large.bias": torch.randn(2 * LEAST).half(),
        "mean": torch.randn(1, 2 * LEAST),
        "looks.weight": torch.zeros(4, LEAST, dtype=torch.int64),
    }
    save_file(narrowed(weights), tmp_path / "it.safetensors")
    back = read_weights(tmp_path / "it.safetensors")
    assert back.keys() == weights.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in weights.items())
    assert all(back[name].dtype == tensor.dtype for name, tensor in weights.items())


@pytest.mark.parametrize("name", ["codec", "denoiser", "completion", "temporal"])
def test_the_bundled_weights_in_half_their_room(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, small = WEIGHTS / f"{name}.safetensors", tmp_path / "small.safetensors"
    assert main(["train", "shrink", str(whole), "-o", str(small)]) == 0
    assert "MB" in capsys.readouterr().out
    assert small.stat().st_size < 0.75 * whole.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]
    back, before = read_weights(small), read_weights(whole)
    assert back.keys() == before.keys()
    for key, tensor in before.items():
        assert back[key].shape == tensor.shape
        assert (
            back[key].float() - tensor.float()
        ).abs().max() <= tensor.float().abs().max() / LARGEST / 2 * 1.01
    if name == "completion":
        CompletionNet().load_state_dict(back)
    if name == "temporal":
        torch.testing.assert_close(back["rnn.out.weight"], before["rnn.out.weight"], atol=0.02, rtol=0.02)


def test_a_codec_in_8_bits_shows_the_same_pictures() -> None:
    codec, denoiser = (read_weights(WEIGHTS / f"{name}.safetensors") for name in ("codec", "denoiser"))
    dice = torch.Generator().manual_seed(1)
    coarse = torch.rand(2, 3, 6, 8, generator=dice)
    pictures = torch.nn.functional.interpolate(coarse, size=(96, 128), mode="bicubic").clamp(0, 1)
    errors = []
    for weights in (codec, widened(narrowed(codec))):
        made = build_engine(weights, denoiser, CPU, torch.float32).codec
        with torch.no_grad():
            back = made.decode(made.encode(pictures), 96, 128)
        errors.append(float(-10 * (back - pictures).square().mean().log10()))
    assert errors[0] > 40
    assert errors[1] > errors[0] - 0.05  # dB


def test_a_look_may_be_in_8_bits(tmp_path: Path) -> None:
    look = tmp_path / "look.safetensors"
    save_file(narrowed(read_weights(WEIGHTS / "denoiser.safetensors")), look)
    engine = load_engine("bundled", CPU)
    made, shipped = load_look(engine, look).denoiser, engine.denoiser
    assert isinstance(made, BundledDenoiser)
    assert isinstance(shipped, BundledDenoiser)
    for ours, theirs in zip(made.parameters(), shipped.parameters(), strict=True):
        assert ours.dtype == theirs.dtype
        torch.testing.assert_close(ours, theirs, atol=float(theirs.abs().max()) / LARGEST, rtol=0)


def test_a_predictor_may_be_in_8_bits(tmp_path: Path) -> None:
    path = tmp_path / "rnn.safetensors"
    shipped = load_predictor("rnn", CPU)
    save_file(narrowed({f"rnn.{k}": v.contiguous() for k, v in shipped.state_dict().items()}), path)
    assert any(key.endswith(SCALE) for key in load_file(path))
    made = load_predictor(str(path), CPU)
    for ours, theirs in zip(made.parameters(), shipped.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=float(theirs.abs().max()) / LARGEST, rtol=0)


def test_what_cannot_be_shrunk(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, small = WEIGHTS / "codec.safetensors", tmp_path / "small.safetensors"
    assert main(["train", "shrink", str(whole), "-o", str(small)]) == 0
    for source, output, problem in (
        (small, tmp_path / "again.safetensors", "8 bits already"),
        (small, small, "written over"),
        (tmp_path / "none.safetensors", tmp_path / "out.safetensors", "none.safetensors"),
        (Path(__file__), tmp_path / "out.safetensors", "no file of weights"),
        (whole, tmp_path / "no folder" / "out.safetensors", "does not exist"),
    ):
        assert main(["train", "shrink", str(source), "-o", str(output), "--overwrite"]) != 0
        assert problem in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["small.safetensors"]
