"""Finding checkpoints on disk and in the hub's cache, and refusing what is missing, damaged or unsafe."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from loading import into_cache, load, noise

from vedit.errors import EngineError, UsageError
from vedit.pretrained.checkpoint import Checkpoint
from vedit.pretrained.fetch import describe
from vedit.pretrained.find import fingerprint, place

Make = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("no_hub")


def test_a_hub_id_and_its_revisions(made: Make) -> None:
    into_cache(made("sd15"), "someone/their-model", "a" * 40)
    into_cache(made("sd15", seed=7), "someone/their-model", "b" * 40)
    old, new = (load(f"someone/their-model{at}") for at in (f"@{'a' * 40}", ""))
    assert torch.equal(noise(old), noise(load(made("sd15"))))
    assert not torch.equal(noise(old), noise(new))
    with pytest.raises(EngineError, match="cannot be fetched"):
        load("someone/their-model@v2")  # and not another one in its place


def test_a_file_of_a_hub_repository(made: Make) -> None:
    folder = into_cache(made("lcm_lora"), "someone/loras")
    (folder / "pytorch_lora_weights.safetensors").unlink()
    for name in ("one", "two"):
        shutil.copy(made("lora"), folder / f"{name}.safetensors")
    named = noise(load(made("sd15"), lora=("someone/loras/two.safetensors=0.5",)))
    assert torch.equal(named, noise(load(made("sd15"), lora=(f"{made('lora')}=0.5",))))
    with pytest.raises(EngineError, match=r"holds one\.safetensors, two\.safetensors") as refused:
        load(made("sd15"), lora=("someone/loras",))
    assert "someone/loras/one.safetensors" in refused.value.remedy


def test_a_known_name_in_another_revision_is_told(made: Make) -> None:
    into_cache(made("sd15"), "stable-diffusion-v1-5/stable-diffusion-v1-5", "c" * 40)
    assert any("revision cccccccc" in note for note in load("sd15").notes)


@pytest.mark.parametrize("name", ["sd15", "someone/no-model", "someone/no-model@v2"])
def test_what_is_nowhere_names_the_command(name: str) -> None:
    with pytest.raises(EngineError, match="is not on this machine and cannot be fetched") as refused:
        load(name)
    assert re.search(r"`hf download \S+/\S+( --revision \w+)? --include ", refused.value.remedy)
    assert refused.value.exit_code == 5


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"motion": "animatelcm"}, "motion adapter animatelcm is not on this machine"),
        ({"lora": ("lcm-lora",)}, "LoRA lcm-lora is not on this machine"),
        ({"controlnet": ("canny",)}, "ControlNet controlnet-canny is not on this machine"),
        ({"ip_adapter": "ip-adapter"}, "IP-Adapter ip-adapter is not on this machine"),
        ({"codec": "taesd"}, "codec taesd is not on this machine"),
        ({"lora": ("nothing",)}, "there is no LoRA called 'nothing'"),
        ({"lora": ("./no.safetensors",)}, "no.safetensors does not exist"),
        ({"motion": "mm.ckpt"}, "mm.ckpt is a pickle"),
    ],
)
def test_adapters_that_are_nowhere(made: Make, settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(EngineError, match=problem):
        load(made("sd15"), **settings)


@pytest.mark.parametrize(
    "name", ["nonsense", "./gone", "gone.safetensors", "a/b/c/d", "model.ckpt", "o/r/w.bin", "x" * 300]
)
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(EngineError, match=r"there is no model called|does not exist|is a pickle"):
        load(name)


def test_pickles_are_refused(made: Make, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "old"))
    torch.save({}, folder / "unet" / "diffusion_pytorch_model.bin")
    load(folder)  # not read while there is a safe one
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(EngineError, match=r"unet/diffusion_pytorch_model\.bin is a pickle") as refused:
        load(folder)
    assert "safe_serialization" in refused.value.remedy


def test_parts_that_are_missing_are_named(made: Make, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "part"))
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(EngineError, match=r"not complete: vae/\*\.safetensors is missing"):
        load(folder)
    shutil.copy(made("sd15") / "vae" / "diffusion_pytorch_model.safetensors", folder / "vae")
    shutil.rmtree(folder / "tokenizer")
    with pytest.raises(EngineError, match=r"not complete: tokenizer/tokenizer_config\.json is missing"):
        load(folder)


def test_part_of_a_hub_model_is_fetched_or_named(made: Make) -> None:
    folder = into_cache(made("sd15"), "someone/their-model")
    (folder / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(EngineError, match="cannot be fetched") as refused:
        load("someone/their-model")
    assert "hf download someone/their-model" in refused.value.remedy


@pytest.mark.parametrize("keep", [0, 7, 3000])
def test_damaged_weights_are_named(made: Make, tmp_path: Path, keep: int) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "cut"))
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(EngineError, match=r"vae/diffusion_pytorch_model\.safetensors is damaged"):
        load(folder)


@pytest.mark.parametrize("file", ["model_index.json", "unet/config.json", "scheduler/scheduler_config.json"])
def test_damaged_settings_are_named(made: Make, tmp_path: Path, file: str) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "cut"))
    (folder / file).write_text('{"half')
    with pytest.raises(EngineError, match=r"cut\b"):
        load(folder)


def test_a_damaged_known_model_is_described(made: Make) -> None:
    folder = into_cache(made("sd15"), "stable-diffusion-v1-5/stable-diffusion-v1-5")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".fp16.safetensors"))
    (folder / "model_index.json").write_text('{"half')
    facts = describe(place("sd15", "model"))
    assert facts["path"] is None
    assert "model_index.json is damaged" in facts["missing"]


def test_other_models_are_refused(made: Make, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "other"))
    index = json.loads((folder / "model_index.json").read_text())
    for kind, problem in (("FluxPipeline", "is a FluxPipeline"), (["mine", "Mine"], "a pipeline of its own")):
        (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": kind}))
        with pytest.raises(EngineError, match=problem):
            load(folder)
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index))
    for channels in (8, "many"):
        (folder / "unet" / "config.json").write_text(json.dumps(config | {"in_channels": channels}))
        with pytest.raises(EngineError, match=f"takes {channels} channels in"):
            load(folder)
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": []}))
    with pytest.raises(EngineError, match="other"):
        load(folder)
    with pytest.raises(EngineError, match="not a whole Stable Diffusion checkpoint"):
        load(made("lora"))


def test_code_in_a_checkpoint_is_refused(made: Make, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(made("sd15"), tmp_path / "code"))
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["mine", "Net"]}))
    (folder / "unet" / "mine.py").write_text("raise SystemExit('ran')")
    with pytest.raises(EngineError, match="code of its own for its unet"):
        load(folder)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (lambda made: {"lora": (str(made("lora", "sdxl")),)}, "Is this LoRA made for the model"),
        (lambda made: {"lora": (str(made("sd15") / "vae"),)}, "is not a LoRA"),
        (lambda made: {"controlnet": (f"canny={made('controlnet', 'sdxl')}",)}, "reads texts of width 64"),
        (lambda made: {"motion": str(made("controlnet"))}, "controlnet.* cannot be loaded"),
        (lambda made: {"ip_adapter": str(made("ip_adapter", "sdxl"))}, "is missing"),
        (lambda made: {"ip_adapter": str(made("lora"))}, "is not an IP-Adapter"),
        (lambda made: {"codec": str(made("controlnet"))}, "is a ControlNetModel"),
    ],
)
def test_what_does_not_fit_is_refused(
    made: Make, settings: Callable[[Make], dict[str, Any]], problem: str
) -> None:
    with pytest.raises(EngineError, match=problem):
        load(made("sd15"), **settings(made))


def test_missing_packages_are_named(made: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(EngineError, match="need the package peft") as refused:
        load(made("sd15"), lora=(str(made("lora")),))
    assert 'pip install "vedit-diffusion[pretrained]"' in refused.value.remedy


@pytest.mark.parametrize(
    "settings",
    [
        {"scheduler": "ddmi"},
        {"controlnet": ("cany",)},
        {"controlnet": ("canny", "canny=x")},
        {"lora": ("a/b=much",)},
        {"lora": ("a/b=nan",)},
        {"lora": ("=0.8",)},
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Checkpoint("sd15", **settings)


def test_names_and_weights_of_loras() -> None:
    loras = Checkpoint("sd15", lora=("a/b", "a/b=0.8", "d=1/x.safetensors", "d=1/x.safetensors=-1")).loras
    assert loras == (("a/b", 1), ("a/b", 0.8), ("d=1/x.safetensors", 1), ("d=1/x.safetensors", -1))


def test_a_fingerprint_knows_every_file(made: Make, tmp_path: Path) -> None:
    folder, lora = (
        shutil.copytree(made("sd15"), tmp_path / "m"),
        shutil.copy(made("lora"), tmp_path / "l.safetensors"),
    )
    checkpoint = Checkpoint(str(folder), lora=(str(lora),))
    prints = [fingerprint(checkpoint), fingerprint(checkpoint)]
    Path(lora).touch()
    prints.append(fingerprint(checkpoint))
    (Path(folder) / "unet" / "config.json").write_text("{}")
    prints.append(fingerprint(checkpoint))
    into_cache(made("motion_adapter"), "guoyww/animatediff-motion-adapter-v1-5-3")  # what "auto" takes
    prints.append(fingerprint(checkpoint))
    assert prints[0] == prints[1]
    assert len(set(prints)) == 4
