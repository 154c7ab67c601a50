"""Tiny checkpoints for the tests of models that others trained, and a hub that is not there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import checkpoints
import pytest

Make = Callable[..., Path]


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache, and a hub that refuses: the same on a machine with a network."""
    import huggingface_hub.constants

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "http://127.0.0.1:9")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """``made("sd15", in_channels=9)``: that of `checkpoints`, built once."""
    done: dict[str, Path] = {}

    def make(name: str, *args: Any, **settings: Any) -> Path:
        key = repr((name, args, settings))
        if key not in done:
            end = ".safetensors" if name in ("lora", "sd15_single_file", "controlnet_single_file") else ""
            folder = tmp_path_factory.mktemp(name)
            done[key] = getattr(checkpoints, name)(folder / f"it{end}", *args, **settings)
        return done[key]

    return make
