"""Structure maps: the setting, the maps of every kind on random weights in the published files' form, what is refused.

The maps are held against controlnet-aux's own detectors, which read the same files.
"""

import io
import pickle
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from vedit.diffusion.annotators import BUILDERS, FILES
from vedit.diffusion.control import Control, ControlMaps, check_control, control_maps
from vedit.errors import EngineError, UsageError
from vedit.torchvision_ops import tolerate_torchvision

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("spec", "controls"),
    [
        ("canny", (Control("canny", 1.0),)),
        ("canny, depth", (Control("canny"), Control("depth"))),
        ("canny:0.7,depth:0.4", (Control("canny", 0.7), Control("depth", 0.4))),
        (" pose : 2 ", (Control("pose", 2.0),)),
    ],
)
def test_the_setting_names_maps_and_weights(spec: str, controls: tuple[Control, ...]) -> None:
    assert check_control(spec) == controls


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("", "names no map"),
        ("canny,", "names no map"),
        ("edges", "'edges'"),
        ("canny,canny:0.5", "canny twice"),
        ("canny:", "weight ''"),
        ("canny:much", "weight 'much'"),
        ("canny:0", "weight '0'"),
        ("canny:2.1", "weight '2.1'"),
        ("canny:nan", "weight 'nan'"),
    ],
)
def test_another_setting_is_refused(spec: str, problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        check_control(spec)
    with pytest.raises(UsageError, match="canny, lineart, softedge, depth, normal, pose"):
        check_control("edges")


def scene(height: int, width: int, shift: int = 0) -> Tensor:
    """A bright disc and a bar over a slope of light, ``(3, H, W)``, as 8 bit have it."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    disc = (y - height / 2) ** 2 + (x - width / 3 - shift) ** 2 < (height / 4) ** 2
    bar = (x > 3 * width / 4) & (y > height / 3)
    red = torch.where(disc, torch.tensor(0.9), 0.3 * x / width)
    green = torch.where(bar, torch.tensor(0.8), 0.3 * y / height)
    return (torch.stack([red, green, torch.full_like(red, 0.2)]) * 255).round() / 255


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights under the published names, in the published form.

    Their tensors are windows of one short row of numbers, which keeps the files small.
    """
    folder = tmp_path_factory.mktemp("annotators")
    tolerate_torchvision()
    dice = torch.Generator().manual_seed(0)
    for kind, name in FILES.items():
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()), torch.device("meta"):
            _, network = BUILDERS[kind]()
        weights: dict[str, Any] = {
            name: torch.zeros(1).expand(value.shape) if kind == "pose" else random_like(name, value, dice)
            for name, value in network.state_dict().items()
        }
        if kind == "depth":
            weights["scratch.output_conv.4.bias"] += 3  # what is not positive would be cut off
        if kind == "pose":
            weights = {name.split(".", 1)[1]: value for name, value in weights.items()}
        if kind == "normal":
            weights = {"model": {f"module.{name}": value for name, value in weights.items()}}
        torch.save(weights, folder / name)
    (folder / "sk_model2.pth").symlink_to(folder / "sk_model.pth")  # controlnet-aux asks for both
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VEDIT_ANNOTATORS", str(folder))
        yield folder


def random_like(name: str, value: Tensor, dice: torch.Generator) -> Tensor:
    """As a network is before training: so small that what goes in still shows in what comes out."""
    if not value.is_floating_point():
        return torch.zeros(value.shape, dtype=value.dtype)
    if name.endswith("running_var"):
        return torch.ones(value.shape)
    if value.ndim < 2:
        around = 1.0 if "norm" in name or "bn" in name or name.endswith("weight") else 0.0
        return 0.1 * torch.randn(value.shape, generator=dice) + (0 if name.endswith("bias") else around)
    steps = (31, 17, 5, 1)[-value.ndim :]
    row = torch.randn(1 + sum((n - 1) * s for n, s in zip(value.shape, steps, strict=True)), generator=dice)
    weight: Tensor = row / value[0].numel() ** 0.5
    return weight.as_strided(value.shape, steps)


def detector(kind: str, folder: Path) -> Any:
    """Controlnet-aux's own."""
    with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
        import controlnet_aux

        names = {"lineart": "Lineart", "softedge": "HED", "depth": "Midas", "normal": "NormalBae"}
        if kind == "canny":
            return controlnet_aux.CannyDetector()
        suffix = "detector" if kind == "softedge" else "Detector"
        return getattr(controlnet_aux, names[kind] + suffix).from_pretrained(str(folder))


@pytest.mark.parametrize("kind", ["canny", "lineart", "softedge", "depth", "normal"])
def test_maps_are_those_of_controlnet_aux(kind: Any, published: Path) -> None:
    """At a size that controlnet-aux does not stretch: to its rounding to 8 bits."""
    frame = scene(64, 128)
    picture = (frame * 255).byte().permute(1, 2, 0).numpy()
    theirs = detector(kind, published)(picture, detect_resolution=64, image_resolution=64, output_type="np")
    maps = control_maps([kind], CPU)
    ours = maps(frame)[kind]
    assert ours.std() > 0.01, "the map is empty"
    np.testing.assert_allclose(ours.permute(1, 2, 0).numpy(), theirs / 255, atol=1.01 / 255)
    assert maps(scene(45, 67))[kind].shape == (3, 45, 67)


@pytest.mark.parametrize("size", [(65, 97), (30, 50), (7, 301), (64, 64)])
def test_maps_have_the_size_of_the_frame(size: tuple[int, int], published: Path) -> None:
    frame = scene(*size)
    before = frame.clone()
    maps = control_maps(["canny", "softedge", "lineart"], CPU)(frame)
    assert list(maps) == ["canny", "softedge", "lineart"]
    for drawn in maps.values():
        assert drawn.shape == (3, *size)
        assert drawn.dtype == torch.float32
        assert 0 <= drawn.min() <= drawn.max() <= 1
    assert torch.equal(frame, before)


def test_a_pose_is_drawn(published: Path) -> None:
    maps = control_maps(["pose"], CPU)(scene(45, 67))
    assert maps["pose"].shape == (3, 45, 67)
    assert maps["pose"].max() == 0, "these weights see nobody"


def test_edges_lie_where_the_frame_has_them() -> None:
    """Large and odd-sized: nothing is stretched or moved."""
    frame = torch.zeros(3, 811, 1203)
    frame[:, :, 700:] = 1
    edges = control_maps(["canny"], CPU)(frame)["canny"][0]
    assert edges[:, 699:701].sum(dim=1).min() == 1
    assert edges.sum() == 811


def test_a_large_frame_is_looked_at_smaller() -> None:
    seen = []

    def annotate(picture: Tensor) -> Tensor:
        seen.append(tuple(picture.shape))
        return picture

    frame = scene(1080, 1921)
    drawn = ControlMaps({"softedge": annotate}, CPU)(frame)["softedge"]
    assert seen == [(3, 512, 960)]  # 512x911, padded
    assert (drawn - frame).abs().mean() < 0.01


def test_depth_does_not_flicker_with_what_comes_and_goes() -> None:
    """Something near for one frame: by itself each frame's range would halve the rest."""
    slope = torch.linspace(100, 200, 64).expand(1, 64, 64)
    near = slope.clone()
    near[:, :8, :8] = 300
    depths = iter([slope, near, slope])
    maps = ControlMaps({"depth": lambda _: next(depths)}, CPU)
    first, second, third = (maps(scene(64, 64))["depth"] for _ in range(3))
    assert first.min() == 0
    assert first.max() == 1
    assert second[:, :8, :8].min() == 1
    assert (second - first)[:, 8:].abs().max() < 0.1
    assert (third - first).abs().max() < 0.1
    another_shot = ControlMaps({"depth": lambda _: slope / 2}, CPU)
    assert torch.allclose(another_shot(scene(64, 64))["depth"], first)


def test_depth_without_any_is_black() -> None:
    maps = ControlMaps({"depth": lambda picture: torch.full_like(picture[:1], 7)}, CPU)
    assert maps(scene(64, 64))["depth"].max() == 0


def test_missing_weights_say_how_to_fetch_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDIT_ANNOTATORS", str(tmp_path))
    with pytest.raises(EngineError) as told:
        control_maps(["depth"], CPU)
    command = "hf download lllyasviel/Annotators dpt_hybrid-midas-501f0c75.pt"
    assert told.value.remedy.endswith(f"{command} --local-dir {tmp_path}")
    monkeypatch.delenv("VEDIT_ANNOTATORS")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EngineError) as told:
        control_maps(["depth"], CPU)
    assert told.value.remedy.endswith(command)


def test_the_hub_cache_is_looked_into(
    published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = "0123456789abcdef0123456789abcdef01234567"
    stored = tmp_path / "models--lllyasviel--Annotators"
    (stored / "snapshots" / revision).mkdir(parents=True)
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text(revision)
    (stored / "snapshots" / revision / "sk_model.pth").symlink_to(published / "sk_model.pth")
    monkeypatch.delenv("VEDIT_ANNOTATORS")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert control_maps(["lineart"], CPU)(scene(64, 64))["lineart"].shape == (3, 64, 64)


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.write_text, (self.path, "caught"))


@pytest.mark.parametrize("plain", [True, False])
def test_a_pickle_that_runs_code_is_refused(
    plain: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEDIT_ANNOTATORS", str(tmp_path))
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # torch's own way round; not here
    caught, weights = tmp_path / "caught", tmp_path / "sk_model.pth"
    if plain:
        weights.write_bytes(pickle.dumps({"weight": Trap(caught)}))
    else:
        torch.save({"weight": Trap(caught)}, weights)
    with pytest.raises(EngineError, match=r"sk_model\.pth holds more than weights"):
        control_maps(["lineart"], CPU)
    assert not caught.exists()


@pytest.mark.parametrize("damage", ["empty", "cut", "text", "other", "list", "nameless"])
def test_a_damaged_file_is_refused(
    damage: str, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VEDIT_ANNOTATORS", str(tmp_path))
    kind, name = ("normal", "scannet.pt") if damage == "nameless" else ("lineart", "sk_model.pth")
    whole = (published / "sk_model.pth").read_bytes()
    content = {"empty": b"", "cut": whole[: len(whole) // 2], "text": b"<html>404</html>"}
    if damage in content:
        (tmp_path / name).write_bytes(content[damage])
    else:
        torch.save(
            {"other": {"a": torch.ones(2)}, "list": [1], "nameless": {"b": 1}}[damage], tmp_path / name
        )
    with pytest.raises(EngineError, match=name) as told:
        control_maps([kind], CPU)  # type: ignore[list-item]
    assert "hf download" in told.value.remedy
