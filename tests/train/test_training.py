"""The way the bundled engine was made, in a few seconds on a folder of two pictures."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from skimage.data import astronaut

from vedit.cli.main import main
from vedit.clip import Clip
from vedit.diffusion.bundled import BundledDenoiser
from vedit.edits import Restyle
from vedit.errors import InputError, UsageError
from vedit.latents.bundled import BundledCodec
from vedit.train.look import train_look
from vedit.train.painters import PAINTERS
from vedit.train.pairs import make_pairs


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage"
    folder.mkdir()
    photo = astronaut()[:, :, ::-1]  # type: ignore[no-untyped-call]
    for i in range(2):
        cv2.imwrite(str(folder / f"{i}.png"), photo[i * 200 : i * 200 + 136, 100:260])
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
    assert len(list(pairs.glob("*.png"))) == 2 * (1 + len(PAINTERS))
    assert main(["train", "denoiser", str(footage), str(pairs), "-o", str(out), "--minutes", "0.05"]) == 0
    weights = load_file(out)
    BundledDenoiser().load_state_dict(weights)
    assert all(torch.isfinite(w).all() for w in weights.values())

    # Then its temporal layers alone.
    steady = tmp_path / "steady.safetensors"
    words = ["--temporal-only", "--start", str(out), "-o", str(steady), "--minutes", "0.02"]
    assert main(["train", "denoiser", str(footage), str(pairs), *words]) == 0
    after = load_file(steady)
    changed = {name for name in weights if not torch.equal(weights[name], after[name])}
    assert changed
    assert {name.split(".")[0] for name in changed} <= {"time_low", "time_mid"}


@pytest.fixture
def inverted(footage: Path) -> Path:
    """The footage "painted": every colour turned into its opposite, saved as another kind of file."""
    folder = footage.parent / "inverted"
    folder.mkdir()
    for path in footage.iterdir():
        cv2.imwrite(str(folder / f"{path.stem}.jpg"), cv2.bitwise_not(cv2.imread(str(path))))  # type: ignore[arg-type]
    return folder


def test_a_look_is_taught_and_paints(footage: Path, inverted: Path, tmp_path: Path) -> None:
    out = tmp_path / "inverted.safetensors"
    words = ["train", "look", str(footage), str(inverted), "-o", str(out), "--minutes", "0.03"]
    assert main(words) == 0
    photo = torch.from_numpy(cv2.imread(str(footage / "0.png"))[64:128, 64:160, ::-1].copy())  # type: ignore[index]
    clip = Clip.at_rate(photo.permute(2, 0, 1).float()[None] / 255, 25)
    taught, oil = (Restyle(look=look).apply(clip) for look in (str(out), "oil"))
    assert taught.frames.shape == clip.frames.shape
    assert float((taught.frames - oil.frames).abs().mean()) > 0.02
    assert main(words) == 0, "it goes on from its .state"


@pytest.mark.parametrize(
    ("command", "folders"),
    [
        ("codec", 1),
        ("denoiser", 2),
        ("distil", 2),
        ("completion", 1),
        ("look", 2),
        ("temporal", 1),
        ("drops", 1),
        ("shrink", 1),
    ],
)
def test_weights_are_not_written_over_unasked(
    command: str, folders: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, empty = tmp_path / "mine.safetensors", tmp_path / "empty"
    empty.mkdir()
    out.write_bytes(b"mine")
    words = ["train", command, *folders * [str(empty)], "-o", str(out)]
    assert main(words) == 2
    assert f"{out} exists" in capsys.readouterr().err
    assert main([*words, "--overwrite"]) == 3, "then there is nothing to learn from"
    out.with_suffix(".state").touch()
    assert main(words) == (2 if command in ("drops", "shrink") else 3), "a training is gone on with"
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: [p.rename(p.with_stem("x" + p.stem)) for p in folder.iterdir()], "has a painting in"),
        (
            lambda folder: cv2.imwrite(str(folder / "0.jpg"), np.zeros((200, 256, 3), np.uint8)),
            "its painting 256x200",
        ),
    ],
    ids=["other names", "another size"],
)
def test_pairs_that_do_not_fit_teach_no_look(
    spoil: Callable[[Path], object], said: str, footage: Path, inverted: Path, tmp_path: Path
) -> None:
    spoil(inverted)
    with pytest.raises(InputError, match=said):
        train_look(footage, inverted, tmp_path / "x.safetensors", minutes=1)


def test_pictures_smaller_than_a_crop_teach_no_look(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "0.png"), np.zeros((127, 256, 3), np.uint8))
    with pytest.raises(InputError, match="at least 128 pixels"):
        train_look(tmp_path, tmp_path, tmp_path / "x.safetensors", minutes=1)


@pytest.mark.parametrize(
    ("words", "said"), [(["codec"], "no films or photographs"), (["denoiser", "{}"], "no paintings")]
)
def test_a_folder_without_footage_is_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *folders = (word.format(tmp_path) for word in words)
    out = str(tmp_path / "x.safetensors")
    assert main(["train", command, str(tmp_path), *folders, "-o", out]) == 3
    assert said in capsys.readouterr().err


def test_pairs_of_other_footage_are_not_mixed(footage: Path, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs"
    make_pairs(footage, pairs, looks=())
    make_pairs(footage, pairs, looks=())
    (footage / "1.png").rename(footage / "-.png")
    with pytest.raises(UsageError, match=r"0000\.png was made of other footage"):
        make_pairs(footage, pairs, looks=())
