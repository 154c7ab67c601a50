"""Pretrained engines from the command line: what cannot work ends in one line and the right exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from vedit.cli.main import main


@pytest.fixture(autouse=True)
def no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An empty cache and no network, on every machine."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def told(film: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    out = film.with_name("out.mp4")
    code = main(["restyle", str(film), "-o", str(out), *words, "--quiet"])
    assert not out.exists()
    return code, capsys.readouterr().err


def test_a_model_that_is_not_here_is_named_with_the_command_that_fetches_it(
    film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, error = told(film(shots=(3,)), ["--engine", "sd15", "--prompt", "a forest"], capsys)
    assert code == 5
    assert "hf download stable-diffusion-v1-5/stable-diffusion-v1-5" in error
    assert len(error.strip().splitlines()) == 1


def test_a_setting_of_the_other_kind_of_engine_is_refused(
    film: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    source = film(shots=(3,))
    assert told(source, ["--engine", "sd15", "--look", "ink"], capsys)[0] == 2
    assert told(source, ["--look", "ink", "--control", "canny"], capsys)[0] == 2
    assert told(source, ["--engine", "sd15 + glue=a", "--prompt", "a forest"], capsys)[0] == 2


def test_a_pickle_is_refused(
    film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.ckpt"
    model.write_bytes(b"\x80\x04")
    code, error = told(film(shots=(3,)), ["--engine", str(model), "--prompt", "a forest"], capsys)
    assert code == 5
    assert "model.ckpt" in error
