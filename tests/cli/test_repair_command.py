"""`vedit repair`: what it finds is said in lines before the proof, and in JSON."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from corpus import Picture, write

from vedit.cli.main import main

SIZE = (160, 96)


def draw(number: int) -> Picture:
    """A ground that moves three pixels a frame; picture 12 repeats picture 11, and 6 has a white speck."""
    place = 3 * (11 if number == 12 else number)
    x, y = np.meshgrid(np.arange(SIZE[0]) + place, np.arange(SIZE[1]))
    waves = [np.sin(x / a + y / b) for a, b in ((9, 14), (6, -11), (17, 8))]
    rgb = np.stack([128 + 50 * wave for wave in waves], -1).astype(np.uint8)
    if number == 6:
        rgb[(x - place - 70) ** 2 + (y - 40) ** 2 < 16] = 250
    return rgb


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write(tmp_path / "in.mkv", range(24), draw=draw)


def test_what_was_found_is_said(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["repair", str(film), "-o", str(tmp_path / "out.mkv"), "--quiet"]) == 0
    *lines, proof = capsys.readouterr().out.splitlines()
    assert lines == ["duplicate: 1 in 1 frame, at 0.48 s", "dust: 1 in 1 frame, at 0.24 s"]
    assert proof.startswith("24/24 frames · pts identical · ")
    assert " · 1 duplicate · 1 dust · " in proof


def test_flaws_can_be_left_and_shown(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["repair", str(film), "-o", str(tmp_path / "out.mkv"), "--no-duplicates", "--preview", "--json"]
    assert main(argv) == 0
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert done["event"] == "done"
    assert done["found"] == {"dust": {"frames": 1, "count": 1, "left": 1}}
    (finding,) = done["findings"]
    assert (finding["kind"], finding["index"], finding["mended"]) == ("dust", 6, False)
    assert finding["seconds"] == pytest.approx(float(Fraction(6, 25)))


def test_a_plan_of_a_repair(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "repair", str(film), "-o", str(tmp_path / "out.mkv"), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["frames_out"] == 24
    assert not (tmp_path / "out.mkv").exists()


def test_nothing_to_repair_is_an_error(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    off = ["--no-dust", "--no-scratches", "--no-dropped", "--no-duplicates"]
    assert main(["repair", str(film), "-o", str(tmp_path / "out.mkv"), *off]) == 2
    assert "nothing is to be repaired" in capsys.readouterr().err
