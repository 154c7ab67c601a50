"""What the server says before it begins."""

import socket
import sys
from importlib.util import find_spec

import pytest

from vedit.cli.main import main


def test_without_gradio_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["ui"]) == 5
    assert capsys.readouterr().err == (
        "error: the page needs gradio, which is not installed. Run pip install 'vedit-diffusion[ui]'.\n"
    )


def test_it_warns_when_others_are_let_in(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    main(["ui", "--host", "0.0.0.0"])  # noqa: S104
    assert capsys.readouterr().err.startswith("warning: whoever can reach 0.0.0.0")


@pytest.mark.skipif(find_spec("gradio") is None, reason="gradio not installed")
def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert main(["ui", "--port", str(port)]) == 2
    assert f"127.0.0.1:{port} cannot be listened on" in capsys.readouterr().err
