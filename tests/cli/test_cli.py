import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

import vedit
from vedit.cli.main import main

MakeFilm = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
VEDIT = [sys.executable, "-m", "vedit"]


def frames(path: Path) -> int:
    with av.open(path) as container:
        return sum(1 for _ in container.decode(video=0))


def sound_only(path: Path) -> Path:
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=48000, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def one_line(text: str) -> str:
    """The error line, checked to be the only one and to say what to do: problem, full stop, remedy."""
    lines = text.splitlines()
    assert len(lines) == 1, text
    assert re.fullmatch(r"error: \S.*[^.]\. \S.*", lines[0]), lines[0]
    return lines[0]


def test_version(capsys: Capture) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"vedit {vedit.__version__}\n"


@pytest.mark.parametrize("argv", [[], ["--help"], ["interpolate", "--help"], ["demo", "--help"]])
def test_help(argv: list[str], capsys: Capture) -> None:
    assert main(argv) == 0
    assert "Usage: vedit" in capsys.readouterr().out


def test_interpolate_proves_itself_on_stdout(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.mkv"
    assert main(["interpolate", str(film(tracks=2)), "-o", str(out), "--factor", "1"]) == 0
    said = capsys.readouterr()
    assert re.fullmatch(r"10/10 frames · pts .+ · audio 2/2 bit-exact · [\d.]+ s \([\d.]+ fps\)\n", said.out)
    assert said.err.splitlines()[-1] == "interpolate 10/10 frames"
    assert frames(out) == 10


def test_quiet_leaves_only_the_proof(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    assert main(["interpolate", str(film()), "-o", str(tmp_path / "o.mp4"), "--fps", "60", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert re.fullmatch(r"\d+ frames from 10 · 60 fps · duration equal · .*\n", said.out)


def test_json_is_one_object_a_line(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.mp4"
    assert main(["interpolate", str(film()), "-o", str(out), "--slowmo", "2", "--json"]) == 0
    said = capsys.readouterr()
    events = [json.loads(line) for line in said.out.splitlines()]
    assert said.err == ""
    assert {event["event"] for event in events} == {"progress", "warning", "done"}
    done = [event["done"] for event in events if event["event"] == "progress"]
    assert done == sorted(done)
    assert done[-1] == 10
    assert "sound" in next(event["message"] for event in events if event["event"] == "warning")
    assert events[-1]["output"] == str(out)
    assert events[-1]["frames_in"] == 10


def test_slow_motion_says_that_the_sound_is_left_out(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    assert main(["interpolate", str(film()), "-o", str(tmp_path / "o.mp4"), "--slowmo", "2", "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: ")
    assert "sound" in said.err
    assert "2x as long · audio left out (0/1)" in said.out


def test_names_with_dashes_spaces_and_any_letters(film: MakeFilm, tmp_path: Path) -> None:
    film("-weird näme 日本語 100%d.mp4")
    argv = [
        "interpolate",
        "--factor",
        "1",
        "--json",
        "-o",
        "aus gabe 語.mkv",
        "--",
        "-weird näme 日本語 100%d.mp4",
    ]
    done = subprocess.run([*VEDIT, *argv], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["frames_out"] == 10
    assert frames(tmp_path / "aus gabe 語.mkv") == 10


def test_probe(film: MakeFilm, capsys: Capture) -> None:
    path = film(tracks=2)
    assert main(["probe", str(path)]) == 0
    text = capsys.readouterr().out
    assert all(word in text for word in ("96x64 h264", "10, 23.976 fps (24000/1001)", "aac", "0.417 s"))
    assert main(["probe", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["frames"], facts["rate"], facts["video"]["width"]) == (10, "24000/1001", 96)
    assert [stream["kind"] for stream in facts["streams"]] == ["audio", "audio"]


FACTOR = ["interpolate", "{film}", "--factor", "1", "-o"]
BAD = {
    "missing film": (3, ["interpolate", "{tmp}/none.mp4", "--factor", "1", "-o", "{tmp}/o.mp4"]),
    "empty film": (3, ["interpolate", "{empty}", "--factor", "1", "-o", "{tmp}/o.mp4"]),
    "text as film": (3, ["interpolate", "{text}", "--factor", "1", "-o", "{tmp}/o.mp4"]),
    "sound only": (3, ["interpolate", "{sound}", "--factor", "1", "-o", "{tmp}/o.mp4"]),
    "folder as film": (3, ["interpolate", "{tmp}", "--factor", "1", "-o", "{tmp}/o.mp4"]),
    "output is input": (2, [*FACTOR, "{film}"]),
    "output is input, by force": (2, [*FACTOR, "{film}", "--overwrite"]),
    "output exists": (2, [*FACTOR, "{other}"]),
    "missing folder": (4, [*FACTOR, "{tmp}/none/o.mp4"]),
    "file as folder": (4, [*FACTOR, "{text}/o.mp4"]),
    "unwritable folder": (4, [*FACTOR, "/proc/o.mp4"]),
    "unknown codec": (2, [*FACTOR, "{tmp}/o.mp4", "--codec", "h2645"]),
    "unknown extension": (2, [*FACTOR, "{tmp}/o.xyz"]),
    "no extension": (2, [*FACTOR, "{tmp}/o"]),
    "unknown audio": (2, [*FACTOR, "{tmp}/o.mp4", "--audio", "loud"]),
    "unknown device": (5, [*FACTOR, "{tmp}/o.mp4", "--device", "abacus"]),
    "no clock": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4"]),
    "two clocks": (2, [*FACTOR, "{tmp}/o.mp4", "--fps", "60"]),
    "factor 0": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--factor", "0"]),
    "fps of words": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--fps", "fast"]),
    "fps over 0": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--fps", "60/0"]),
    "slowmo below 0": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--slowmo=-2"]),
    "small mask": (2, ["inpaint", "{film}", "-o", "{tmp}/o.mp4", "--mask", "{mask}"]),
    "mask off the picture": (2, ["inpaint", "{film}", "-o", "{tmp}/o.mp4", "--mask", "box:200,0,10,10"]),
    "missing mask": (3, ["inpaint", "{film}", "-o", "{tmp}/o.mp4", "--mask", "{tmp}/none.png"]),
    "no mask": (2, ["inpaint", "{film}", "-o", "{tmp}/o.mp4"]),
    "strength 2": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--style", "{mask}", "--strength", "2"]),
    "strength nan": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--style", "{mask}", "--strength", "nan"]),
    "missing style": (3, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--style", "{tmp}/none.png"]),
    "no output": (2, ["interpolate", "{film}", "--factor", "2"]),
    "unknown option": (2, [*FACTOR, "{tmp}/o.mp4", "--factr", "2"]),
    "unknown command": (2, ["interpol", "{film}"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    case: str, film: MakeFilm, tmp_path: Path, capsys: Capture
) -> None:
    code, words = BAD[case]
    paths = {
        "tmp": tmp_path,
        "film": film(),
        "other": tmp_path / "other.mp4",
        "empty": tmp_path / "empty.mp4",
    }
    paths |= {
        "text": tmp_path / "text.mp4",
        "mask": tmp_path / "mask.png",
        "sound": sound_only(tmp_path / "s.mp4"),
    }
    paths["other"].write_bytes(b"keep me")
    paths["empty"].write_bytes(b"")
    paths["text"].write_text("this is no film\n" * 50)
    with av.open(paths["mask"], "w") as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "rgb24"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((16, 16, 3), 255, np.uint8))))
        container.mux(stream.encode())
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}

    assert main([word.format(**paths) for word in words] + ["--quiet"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    one_line(said.err)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_error_in_json(tmp_path: Path, capsys: Capture) -> None:
    assert main(["interpolate", str(tmp_path / "none.mp4"), "--factor", "1", "-o", "o.mp4", "--json"]) == 3
    said = capsys.readouterr()
    error = json.loads(said.out)
    assert (error["event"], error["exit_code"]) == ("error", 3)
    assert one_line(said.err) == f"error: {error['problem']}. {error['remedy']}"


def test_debug_shows_the_traceback(tmp_path: Path, capsys: Capture) -> None:
    argv = ["interpolate", str(tmp_path / "none.mp4"), "--factor", "1", "-o", "o.mp4"]
    assert main([*argv, "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err
    assert main(argv) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_a_bad_file_from_the_shell(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"")
    argv = ["interpolate", "film.mp4", "--factor", "1", "-o", "out.mp4"]
    done = subprocess.run([*VEDIT, *argv], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stdout == ""
    one_line(done.stderr)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    assert main(["interpolate", str(film()), "--factor", "1", "-o", str(locked / "o.mp4"), "--quiet"]) == 4
    one_line(capsys.readouterr().err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_render_cleans_up(film: MakeFilm, tmp_path: Path, number: signal.Signals) -> None:
    film(shots=(400,))
    argv = ["interpolate", "film.mp4", "--factor", "8", "-o", "out.mp4", "--json"]
    with subprocess.Popen([*VEDIT, *argv], cwd=tmp_path, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["done"] < 20:
            pass
        assert len(list(tmp_path.iterdir())) == 2, "the unfinished file is there, under another name"
        assert not (tmp_path / "out.mp4").exists()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    one_line(errors)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]
