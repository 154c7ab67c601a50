"""The way the bundled engine was made, in a few seconds on a folder of two pictures."""

from pathlib import Path

import cv2
import pytest
import torch
from safetensors.torch import load_file
from skimage.data import astronaut

from vedit.cli.main import main
from vedit.diffusion.bundled import BundledDenoiser
from vedit.latents.bundled import BundledCodec
from vedit.train.painters import LOOKS


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    folder.mkdir()
    photo = astronaut()[:, :, ::-1]  # type: ignore[no-untyped-call]
    for i in range(2):
        cv2.imwrite(str(folder / f"{i}.png"), photo[i * 200 : i * 200 + 224, 100:356])
    return folder


def test_a_codec_is_trained_and_its_latents_are_normalised(footage: Path, tmp_path: Path) -> None:
    out = tmp_path / "codec.safetensors"
    assert main(["train", "codec", str(footage), "-o", str(out), "--minutes", "0.03"]) == 0
    codec = BundledCodec()
    codec.load_state_dict(load_file(out))
    photo = torch.from_numpy(cv2.imread(str(footage / "0.png"))[:, :, ::-1].copy()).permute(2, 0, 1)  # type: ignore[index]
    latents = codec.encode(photo[None].float() / 255).detach()
    assert float(latents[:, :3].std()) == pytest.approx(1, abs=0.4)
    assert torch.isfinite(latents).all()


def test_a_denoiser_is_trained_on_what_the_painters_made(footage: Path, tmp_path: Path) -> None:
    pairs, out = tmp_path / "pairs", tmp_path / "denoiser.safetensors"
    assert main(["train", "pairs", str(footage), "-o", str(pairs)]) == 0
    assert len(list(pairs.glob("*.png"))) == 2 * (1 + len(LOOKS))
    assert main(["train", "denoiser", str(footage), str(pairs), "-o", str(out), "--minutes", "0.05"]) == 0
    weights = load_file(out)
    BundledDenoiser().load_state_dict(weights)
    assert all(torch.isfinite(w).all() for w in weights.values())
    assert float(weights["photo"].abs().sum()) > 0  # it starts at zero: the net has learned something


def test_a_folder_without_footage_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "codec", str(tmp_path), "-o", str(tmp_path / "x.safetensors")]) == 3
    assert "no films or photographs" in capsys.readouterr().err
