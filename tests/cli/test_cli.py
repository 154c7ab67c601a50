import json
import os
import re
import shlex
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
from vedit.cli.options import key_frames

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


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--help"],
        ["interpolate", "--help"],
        ["plan", "--help"],
        ["plan", "inpaint", "--help"],
        ["demo", "--help"],
    ],
)
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
    assert "stretched" in next(event["message"] for event in events if event["event"] == "warning")
    assert events[-1]["output"] == str(out)
    assert events[-1]["frames_in"] == 10


def test_slow_motion_says_that_the_sound_is_stretched(
    film: MakeFilm, tmp_path: Path, capsys: Capture
) -> None:
    argv = [
        "interpolate",
        str(film()),
        "-o",
        str(tmp_path / "o.mp4"),
        "--slowmo",
        "2",
        "--quiet",
        "--overwrite",
    ]
    assert main(argv) == 0
    said = capsys.readouterr()
    assert said.err.startswith("warning: ")
    assert "stretched" in said.err
    assert "2x as long · audio 0/1 bit-exact, 1 converted" in said.out
    assert main([*argv, "--audio", "none"]) == 0
    assert "2x as long · audio left out (0/1)" in capsys.readouterr().out


def test_a_ramp_and_repeats_on_the_command_line(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    argv = [
        "interpolate",
        str(film()),
        "-o",
        str(tmp_path / "o.mp4"),
        "--quiet",
        "--overwrite",
        "--audio",
        "keep",
    ]
    assert main([*argv, "--ramp", "0=0,0.4=0.2", "--fps", "30", "--dedupe"]) == 0
    assert re.match(
        r"\d+ frames from 10 · 30 fps · 1\.48x as long · audio 1/1 bit-exact", capsys.readouterr().out
    )
    assert main([*argv, "--ramp", "0=0,2=1,4=4"]) == 2
    assert "up to 4 s of a film that lasts 0.417083 s" in capsys.readouterr().err


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


def test_probe(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "[" / "b]").mkdir(parents=True)  # to some, names like these are orders
    path = film("[/b]/[dim]:cat:.mp4", tracks=2)
    assert main(["probe", str(path)]) == 0
    text = capsys.readouterr().out
    assert "[/b]/[dim]:cat:.mp4" in "".join(text.split())
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
    "output is a link to nowhere": (2, [*FACTOR, "{link}"]),
    "name too long": (4, [*FACTOR, "{tmp}/" + 252 * "x" + ".mp4"]),
    "film's name too long": (
        3,
        ["interpolate", "{tmp}/" + 300 * "x" + ".mp4", "--factor", "1", "-o", "{tmp}/o.mp4"],
    ),
    "too many pictures": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--fps", "1e9"]),
    "unknown codec": (2, [*FACTOR, "{tmp}/o.mp4", "--codec", "h2645"]),
    "unknown extension": (2, [*FACTOR, "{tmp}/o.xyz"]),
    "no extension": (2, [*FACTOR, "{tmp}/o"]),
    "unknown audio": (2, [*FACTOR, "{tmp}/o.mp4", "--audio", "loud"]),
    "unknown way with HDR": (2, [*FACTOR, "{tmp}/o.mp4", "--hdr", "keep"]),
    "unknown way with damage": (2, [*FACTOR, "{tmp}/o.mp4", "--on-corrupt", "cry"]),
    "unknown device": (5, [*FACTOR, "{tmp}/o.mp4", "--device", "abacus"]),
    "no clock": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4"]),
    "two clocks": (2, [*FACTOR, "{tmp}/o.mp4", "--fps", "60"]),
    "factor 0": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--factor", "0"]),
    "fps of words": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--fps", "fast"]),
    "fps over 0": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--fps", "60/0"]),
    "too many digits": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--slowmo", "1.0123456789012"]),
    "slowmo below 0": (2, ["interpolate", "{film}", "-o", "{tmp}/o.mp4", "--slowmo=-2"]),
    "small mask": (2, ["inpaint", "{film}", "-o", "{tmp}/o.mp4", "--mask", "{mask}"]),
    "mask off the picture": (2, ["inpaint", "{film}", "-o", "{tmp}/o.mp4", "--mask", "box:200,0,10,10"]),
    "missing mask": (3, ["inpaint", "{film}", "-o", "{tmp}/o.mp4", "--mask", "{tmp}/none.png"]),
    "no mask": (2, ["inpaint", "{film}", "-o", "{tmp}/o.mp4"]),
    "strength 2": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "ink", "--strength", "2"]),
    "strength nan": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "ink", "--strength", "nan"]),
    "missing style": (3, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--style", "{tmp}/none.png"]),
    "no look": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4"]),
    "two looks": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "ink", "--prompt", "in oil"]),
    "unknown look": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "fresco"]),
    "missing look": (3, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "{tmp}/none.safetensors"]),
    "strange prompt": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--prompt", "as Vermeer would"]),
    "unknown temporal": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "ink", "--temporal", "gru"]),
    "structure 3": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--look", "ink", "--structure", "3"]),
    "key frame of no frame": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--keyframe", "{mask}"]),
    "key frame before the film": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--keyframe=-1={mask}"]),
    "key frame of no picture": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--keyframe", "0="]),
    "one key frame twice": (
        2,
        ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--keyframe", "3={mask}", "--keyframe", "03={mask}"],
    ),
    "missing key frame": (3, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--keyframe", "0={tmp}/none.png"]),
    "key frame of another shape": (2, ["restyle", "{film}", "-o", "{tmp}/o.mp4", "--keyframe", "0={mask}"]),
    "no output": (2, ["interpolate", "{film}", "--factor", "2"]),
    "unknown option": (2, [*FACTOR, "{tmp}/o.mp4", "--factr", "2"]),
    "unknown command": (2, ["interpol", "{film}"]),
    "no command": (2, ["plan"]),
    "plan of no edit": (2, ["plan", "probe", "{film}"]),
}

ONLY_BY_TRYING = [("unwritable folder", ["plan"]), ("key frame of another shape", ["plan"])]
"""A plan writes nothing, and the system tells root that it may write anywhere; a plan learns from no key frame."""


@pytest.mark.parametrize(
    ("case", "before"),
    [(case, before) for case in BAD for before in ([], ["plan"]) if (case, before) not in ONLY_BY_TRYING],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    case: str, before: list[str], film: MakeFilm, tmp_path: Path, capsys: Capture
) -> None:
    code, words = BAD[case]
    paths = {
        "tmp": tmp_path,
        "film": film(),
        "other": tmp_path / "other.mp4",
        "link": tmp_path / "link.mp4",
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
    there = {path: path.read_bytes() for path in tmp_path.iterdir()}
    paths["link"].symlink_to(tmp_path / "none.mp4")

    assert main([*before, *(word.format(**paths) for word in words), "--quiet"]) == code
    said = capsys.readouterr()
    assert said.out == ""
    one_line(said.err)
    assert paths["link"].is_symlink()
    paths["link"].unlink()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == there


@pytest.mark.parametrize(
    ("option", "value"),
    [("--factor", "1.5"), ("--factor=", "many"), ("--quality", "rough"), ("--seed", "x1")],
)
def test_a_refused_value_is_named(option: str, value: str, capsys: Capture) -> None:
    words = [option + value] if option.endswith("=") else [option, value]
    assert main(["interpolate" if "seed" not in option else "inpaint", "a.mp4", *words, "-o", "b.mp4"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {option.rstrip('=')}")
    assert said.count(f"'{value}'") == 1


def test_key_frames_by_their_number(tmp_path: Path) -> None:
    assert key_frames(["0=a.png", " 48 =b=c.png"]) == {0: "a.png", 48: "b=c.png"}
    for given, said in (
        (["a.png"], "has no frame number"),
        (["=a.png"], "has no frame number"),
        (["7="], "has no frame number"),
        (["-1=a.png"], "has no frame number"),
        (["1.5=a.png"], "has no frame number"),
        (["7=a.png", "07=b.png"], "frame 7 twice"),
    ):
        with pytest.raises(vedit.UsageError, match=said):
            key_frames(given)


def test_restyle_by_name_and_by_words(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    src, outs = str(film(shots=(3,))), [tmp_path / "a.mkv", tmp_path / "b.mkv"]
    for out, how in zip(outs, (["--look", "Stained glass"], ["--prompt", "a leaded window"]), strict=True):
        assert main(["restyle", src, "-o", str(out), *how, "--codec", "ffv1", "--quiet"]) == 0
    assert "3/3 frames" in capsys.readouterr().out
    pictures = []
    for out in outs:
        with av.open(out) as container:
            pictures.append([f.to_ndarray().tobytes() for f in container.decode(video=0)])
    assert pictures[0] == pictures[1]


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


def interrupted(folder: Path, out: str, done: int, number: int = signal.SIGINT) -> str:
    """Start a render in ``folder``, stop it when so many of its source frames are done; its error line."""
    argv = ["interpolate", "film.mp4", "--factor", "2", "--quality", "draft", "-o", out, "--json"]
    with subprocess.Popen([*VEDIT, *argv], cwd=folder, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout is not None
        while json.loads(process.stdout.readline())["done"] < done:
            pass
        assert not (folder / out).exists()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    return one_line(errors)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_render_stopped_early_leaves_nothing(
    film: MakeFilm, tmp_path: Path, number: signal.Signals
) -> None:
    film(shots=(300,))
    assert "vedit resume" not in interrupted(tmp_path, "out.mp4", 20, number)
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_render_stopped_late_goes_on_with_the_command_it_prints(
    film: MakeFilm, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    film(shots=(400,))
    said = interrupted(tmp_path, "it's out.mp4", 180)
    found = re.fullmatch(r"error: interrupted\. (\d+) frames are kept; go on with: vedit (resume .*)", said)
    assert found, said
    assert 240 <= int(found[1]) < 800
    monkeypatch.chdir(tmp_path)
    assert (
        main(["plan", "interpolate", "film.mp4", "--factor", "2", "--quality", "draft", "-o", "it's out.mp4"])
        == 0
    )
    assert f"{found[1]} frames are kept" in " ".join(capsys.readouterr().out.split())
    assert main(shlex.split(found[2])) == 0
    assert "800 frames from 400" in capsys.readouterr().out
    assert frames(Path("it's out.mp4")) == 800
    assert sorted(path.name for path in tmp_path.iterdir()) == ["film.mp4", "it's out.mp4"]


def test_a_film_that_breaks_late_leaves_what_is_done(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    src, out = film(shots=(400,)), tmp_path / "out.mp4"
    with av.open(src) as container:
        bad = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size][380]
    with src.open("r+b") as file:
        file.seek(bad[0])
        file.write(bytes(bad[1]))
    argv = ["interpolate", str(src), "--factor", "1", "-o", str(out), "--on-corrupt", "fail", "--quiet"]
    assert main(argv) == 3
    said = one_line(capsys.readouterr().err)
    assert re.search(rf" \d+ frames are kept; go on with: vedit resume {re.escape(str(out))}$", said)
    assert main([*argv[:-3], "--on-corrupt", "repeat", "--quiet"]) == 0
    assert frames(out) == 400


def test_resume_without_anything_kept(tmp_path: Path, capsys: Capture) -> None:
    assert main(["resume", str(tmp_path / "out.mp4")]) == 2
    assert "nothing is kept" in one_line(capsys.readouterr().err)


def test_plan_says_what_would_happen(
    film: MakeFilm, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    argv = ["plan", "interpolate", str(film(tracks=2)), "-o", str(tmp_path / "out.mkv"), "--slowmo", "2"]
    assert main([*argv, "--shots"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert max(len(line) for line in lines) <= 80
    rows = dict(line.split(maxsplit=1) for line in lines[1:] if not line.startswith("  "))
    assert rows["film"].startswith("96x64 h264, yuv420p, 0.4 s")
    assert rows["frames"].startswith("10, 23.976 fps (24000/1001)")
    assert "become 20, 23.976 fps (24000/1001), 0.8 s" in said.out
    assert rows["audio"].startswith("aac, ")
    assert rows["audio"].rstrip().endswith("stretched, as aac")
    assert rows["shots"].strip() == "1"
    assert all(rows[name].startswith("about ") for name in ("time", "memory", "disk"))
    assert "stretched with the picture" in " ".join(said.out.split())
    assert not (tmp_path / "out.mkv").exists()


def test_plan_says_what_other_frames_show(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    src = str(film(shots=(40,)))
    argv = ["plan", "inpaint", src, "-o", str(tmp_path / "out.mkv"), "--mask"]
    assert main([*argv, "box:40,24,10,16"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert re.search(
        r"mask 2\.6% of the picture in (\d+) of \1 frames looked at; about \d+% of it seen in other", said
    )
    assert re.search(r"\(half of that within \d+ frames, \d+% surely\), \d+% to be made up", said)
    assert main([*argv, "box:0,0,96,64"]) == 0
    assert "other frames show nothing of it" in " ".join(capsys.readouterr().out.split())
    assert main([*argv, "auto:caption"]) == 0
    assert re.search(
        r"mask marks nothing in the \d+ frames looked at", " ".join(capsys.readouterr().out.split())
    )


def test_plan_in_json_is_one_object(film: MakeFilm, tmp_path: Path, capsys: Capture) -> None:
    out = str(tmp_path / "out.mkv")
    assert main(["plan", "interpolate", str(film()), "-o", out, "--fps", "60", "--json"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    facts = json.loads(said.out)
    assert (facts["frames_in"], facts["rate"], facts["output"], facts["shots"]) == (10, "60", out, None)
    assert facts["seconds"] > 0


@pytest.mark.parametrize("audio", ["copy", "none"])
def test_shared_options_reach_the_render(audio: str, film: MakeFilm, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    options = ["--audio", audio, "--codec", "ffv1", "--on-corrupt", "skip", "--hdr", "tonemap", "--no-resume"]
    assert main(["interpolate", str(film(tracks=2)), "-o", str(out), "--factor", "1", *options]) == 0
    with av.open(out) as container:
        assert container.streams.video[0].codec_context.name == "ffv1"
        assert len(container.streams.audio) == (0 if audio == "none" else 2)
