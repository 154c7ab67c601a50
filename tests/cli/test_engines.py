"""`vedit engines`: what there is, what is here, and how to fetch the rest."""

import json
from pathlib import Path

import checkpoints
import pytest

from vedit.cli.main import main
from vedit.pretrained.known import KNOWN

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def listed(capsys: Capture) -> dict[str, dict[str, object]]:
    assert main(["engines", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["event"] for row in rows} == {"engine"}
    return {row["name"]: row for row in rows}


def test_the_list_says_what_is_here_and_how_to_fetch_the_rest(hub: Path, capsys: Capture) -> None:
    assert main(["engines"]) == 0
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert any(line.split()[:3] == ["bundled", "bundled", "yes"] for line in lines)
    assert any(line.split()[:3] == ["taesd", "sd", "no"] for line in lines)
    for entry in KNOWN:
        (command,) = [line for line in lines if line.startswith(f"  {entry.name}: ")]
        assert f"hf download {entry.repo} " in command
        assert entry.revision is None or f"--revision {entry.revision}" in command
    assert str(hub) in lines[-2]


def test_json_follows_the_cache(hub: Path, capsys: Capture) -> None:
    assert [name for name, row in listed(capsys).items() if row["path"]] == ["bundled"]
    revision = "614f76814bbe30edbe2e627ace1c2234c81a2c0e"
    here = hub / "models--madebyollin--taesd" / "snapshots" / revision
    checkpoints.tiny_codec(here)
    adapter = hub / "models--h94--IP-Adapter" / "snapshots" / "x"
    checkpoints.ip_adapter(adapter)
    (hub / "models--h94--IP-Adapter" / "refs").mkdir()
    (hub / "models--h94--IP-Adapter" / "refs" / "main").write_text("x")
    rows = listed(capsys)
    assert rows["taesd"]["path"] == str(here)
    assert rows["ip-adapter"]["path"] == str(adapter / "models" / "ip-adapter_sd15.safetensors")
    (here / "diffusion_pytorch_model.safetensors").unlink()
    (adapter / "models" / "image_encoder" / "model.safetensors").unlink()
    rows = listed(capsys)
    assert (rows["taesd"]["path"], rows["taesd"]["missing"]) == (None, "diffusion_pytorch_model.safetensors")
    assert rows["ip-adapter"]["missing"] == "models/image_encoder/model.safetensors"
    assert main(["engines"]) == 0
    table = capsys.readouterr().out.splitlines()
    assert any(line.split()[:4] == ["taesd", "sd", "in", "part"] for line in table)


def test_names_are_unique_and_kinds_of_control_too() -> None:
    assert len({entry.name for entry in KNOWN}) == len(KNOWN)
    controls = [(entry.control, entry.family) for entry in KNOWN if entry.control]
    assert len(set(controls)) == len(controls)
    assert all(len(entry.revision or "0" * 40) == 40 for entry in KNOWN)
