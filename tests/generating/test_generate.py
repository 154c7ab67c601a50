"""Films from pictures by the bundled engine: exact, smooth, whole or not there at all."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from av.subtitles.subtitle import AssSubtitle
from numpy.typing import NDArray
from PIL import Image, ImageOps

import vedit
from vedit.cli.main import main
from vedit.errors import InputError, OutputError, UsageError
from vedit.generating.sound import write_carrier
from vedit.generating.still import Still
from vedit.generating.storyboard import Camera
from vedit.video.journal import folder_for

SIZE = (96, 64)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    """Three smooth pictures with shapes of their own."""
    paths = []
    for seed in range(3):
        dice = np.random.default_rng(seed)
        coarse = Image.fromarray(dice.integers(40, 220, (8, 12, 3), dtype=np.uint8))
        paths.append(tmp_path / f"{seed}.png")
        coarse.resize((240, 160), Image.Resampling.BICUBIC).save(paths[-1])
    return paths


def seen(path: Path) -> NDArray[np.float32]:
    """A film's pictures ``(F,H,W,3)``."""
    with av.open(str(path)) as film:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]).astype(
            np.float32
        )


def sound(path: Path, seconds: float, rate: int = 8000) -> Path:
    """A tone as a WAV file."""
    wave = (np.sin(np.arange(int(seconds * rate)) / 5) * 12000).astype(np.int16)[None]
    with av.open(str(path), "w") as out:
        track = out.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate = rate
        out.mux([*track.encode(frame), *track.encode(None)])
    return path


def board(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "board.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_film_is_as_long_as_its_shots_at_an_exact_rate(pictures: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "film.mp4"
    rate = Fraction(12000, 1001)
    told: list[tuple[int, int]] = []
    report = vedit.generate(
        pictures,
        out,
        size=SIZE,
        rate=rate,
        seconds="1.1",
        sound=sound(tmp_path / "long.wav", 6),
        progress=lambda done, total: told.append((done, total)),
    )
    film = vedit.probe(out)
    assert film.frames == report.frames_out == round(Fraction("3.3") * rate) == 40
    assert film.rate == rate
    assert [pts * film.time_base for pts in film.pts] == [i / rate for i in range(40)]
    assert (film.width, film.height) == SIZE
    assert told == [(i + 1, 40) for i in range(40)]
    assert report.proof.startswith("40/40 frames of 3 shots · 11.988 fps, 3.33667 s · sound in aac")
    assert not report.warnings or "dissolved" in report.warnings[0]
    with av.open(str(out)) as whole:
        heard = np.concatenate([frame.to_ndarray() for frame in whole.decode(audio=0)], 1)[0]
    assert len(heard) / 8000 == pytest.approx(40 / rate, abs=0.3)  # AAC's packets are 1024 samples
    end = int(40 / rate * 8000)
    assert np.abs(heard[8000:16000]).mean() > 3 * np.abs(heard[end - 1000 : end - 200]).mean()  # it fades


def test_the_same_seed_makes_the_same_film_and_another_a_different_one(
    pictures: list[Path], tmp_path: Path
) -> None:
    made = []
    for number, seed in enumerate((1, 1, 4)):
        out = tmp_path / f"{number}.mkv"
        vedit.generate(pictures, out, size=SIZE, rate=8, seconds=1, seed=seed, codec="ffv1")
        made.append(seen(out))
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])


@pytest.mark.parametrize("transition", ["dissolve", "morph"])
def test_a_transition_has_no_jump_and_a_cut_has_one(
    transition: str, pictures: list[Path], tmp_path: Path
) -> None:
    shots = "".join(f"[[shots]]\npicture = '{path.name}'\n" for path in pictures[:2])
    changes = {}
    for kind in ("cut", transition):
        out = tmp_path / f"{kind}.mkv"
        text = f"size = '96x64'\nrate = 12\nseconds = 2\ntransition = '{kind}'\n{shots}"
        vedit.generate(board(tmp_path, text), out, codec="ffv1")
        film = seen(out)
        assert len(film) == 48
        changes[kind] = np.abs(np.diff(film, axis=0)).mean((1, 2, 3))
    assert changes["cut"].argmax() == 23
    assert changes["cut"][23] > 8 * np.median(changes["cut"])
    assert changes[transition].max() < changes["cut"][23] / 3
    assert changes[transition].min() > 0.05  # the camera does not stop


def test_a_look_is_laid_over_a_shot(pictures: list[Path], tmp_path: Path) -> None:
    films: list[NDArray[np.float32]] = []
    for look in ("", "look = 'halftone'\n"):
        text = f"size = '96x64'\nrate = 4\n{look}[[shots]]\npicture = '{pictures[0].name}'\nseconds = 1\n"
        out = tmp_path / f"{len(films)}.mkv"
        vedit.generate(board(tmp_path, text), out, codec="ffv1")
        films.append(seen(out))
    plain, painted = films
    assert painted.shape == plain.shape
    assert np.abs(painted - plain).mean() > 8


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        (
            "[[shots]]\nprompt = 'a forest'\n",
            "line 1 (shot 1): the bundled engine films pictures",
            "vedit engines",
        ),
        ("[[shots]]\npicture = '0.png'\nlook = 'sepia'\n", "line 1 (shot 1): there is no look", "halftone"),
        ("[[shots]]\npicture = '0.png'\nstrength = 0.5\n", "strength is a look's", "look"),
        ("[[shots]]\npicture = '0.png'\ncontinues = true\n", "none before it to continue", "Leave"),
    ],
)
def test_what_the_bundled_engine_cannot_film_is_said_before_anything_is_made(
    text: str, problem: str, remedy: str, pictures: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "film.mp4"
    with pytest.raises(UsageError) as caught:
        vedit.generate(board(tmp_path, text), out)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert not out.exists()
    assert not folder_for(out).exists()


def test_nothing_is_half_written(pictures: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "film.mp4"

    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"shot 2: .*broken.png is not a picture"):
        vedit.generate([pictures[0], broken], out, size=SIZE, rate=8, seconds=1)
    with pytest.raises(InputError, match=r"sound: .* is a picture, not a film"):
        vedit.generate(pictures, out, size=SIZE, sound=pictures[0])
    with pytest.raises(InputError, match="does not exist"):
        vedit.generate(pictures, out, size=SIZE, sound=tmp_path / "none.wav")
    with pytest.raises(OutputError, match="does not exist"):
        vedit.generate(pictures, tmp_path / "nowhere" / "film.mp4")
    song = sound(tmp_path / "song.wav", 1).rename(tmp_path / "song.mp4")
    before = song.read_bytes()
    with pytest.raises(UsageError, match=r"song.mp4 is needed to make the film"):
        vedit.generate(pictures, song, size=SIZE, rate=8, seconds=1, sound=song, overwrite=True)
    assert song.read_bytes() == before
    song.unlink()
    with pytest.raises(UsageError, match="steps is for pretrained"):
        vedit.generate(pictures, out, steps=3)
    assert not out.exists()
    assert not folder_for(out).exists()
    out.write_bytes(b"mine")
    with pytest.raises(UsageError, match="exists"):
        vedit.generate(pictures, out)
    assert out.read_bytes() == b"mine"


@pytest.mark.parametrize("after", [5, 17])
def test_an_interrupted_film_goes_on_with_the_shot_it_was_at(
    after: int, pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pictures = [Path(path.name) for path in pictures]
    whole, out = tmp_path / "whole.mkv", tmp_path / "film.mkv"
    settings: dict[str, Any] = {"size": SIZE, "rate": 8, "seconds": 1, "codec": "ffv1"}
    vedit.generate(pictures, whole, **settings)

    def stop(done: int, total: int) -> None:
        if done == after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vedit.generate(pictures, out, progress=stop, **settings)
    assert not out.exists()
    if after == 5:  # in the first shot
        with pytest.raises(UsageError, match="nothing is kept"):
            vedit.resume(out)
        report = vedit.generate(pictures, out, **settings)
        assert report.frames_kept == 0
    else:
        with monkeypatch.context() as elsewhere:
            elsewhere.chdir("/")
            report = vedit.resume(out)
        assert report.frames_kept == 10  # the first shot, and the way into the second
    assert np.array_equal(seen(out), seen(whole))
    with pytest.raises(KeyboardInterrupt):
        vedit.generate(pictures, out, progress=stop, overwrite=True, **settings)
    report = vedit.generate(pictures, out, seed=5, overwrite=True, **settings)
    assert report.frames_kept == 0  # another film
    assert not folder_for(out).exists()


def test_what_was_told_before_an_interruption_is_told_again(pictures: list[Path], tmp_path: Path) -> None:
    ImageOps.invert(Image.open(pictures[0])).save(pictures[1])
    shots = ["", "transition = 'morph'", ""]
    panels = "".join(f"[[shots]]\npicture = '{p}'\n{more}\n" for p, more in zip(pictures, shots, strict=True))
    out = tmp_path / "film.mkv"
    settings: dict[str, Any] = {"size": SIZE, "rate": 8, "seconds": 1, "codec": "ffv1"}

    def stop(done: int, total: int) -> None:
        if done == 20:  # after the morph
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vedit.generate(board(tmp_path, panels), out, progress=stop, **settings)
    told: list[str] = []
    report = vedit.resume(out, warn=told.append)
    assert report.frames_kept > 8
    assert "too little in common" in told[0]
    assert told == list(report.warnings)


def test_a_short_sound_leaves_silence_and_is_told(pictures: list[Path], tmp_path: Path) -> None:
    report = vedit.generate(
        pictures[:1], tmp_path / "film.mp4", size=SIZE, rate=8, seconds=2, sound=sound(tmp_path / "s.wav", 1)
    )
    assert report.warnings == ("s.wav is 1.0 s long; the rest of the film is silent",)


def test_sound_is_cut_to_the_sample(tmp_path: Path) -> None:
    carrier = tmp_path / "sound.mkv"
    cut = write_carrier(carrier, sound(tmp_path / "s.wav", 3), "", Fraction(3333, 3000))
    assert cut == Fraction(8888, 8000)
    with av.open(str(carrier)) as film:
        assert sum(frame.samples for frame in film.decode(audio=0)) == 8888


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
@pytest.mark.parametrize("with_sound", [True, False])
def test_captions_are_subtitles_while_their_shot_lasts(
    pictures: list[Path], tmp_path: Path, ending: str, with_sound: bool
) -> None:
    heard = f"sound = '{sound(tmp_path / 's.wav', 5)}'" if with_sound else ""
    path = board(
        tmp_path,
        f'''rate = 12
        {heard}
        [[shots]]
        picture = "0.png"
        seconds = 1.5
        caption = "Über den Wolken"
        [[shots]]
        picture = "1.png"
        seconds = 1
        [[shots]]
        picture = "2.png"
        seconds = 1.25
        caption = """
        Two lines,

        and this is the second"""
        ''',
    )
    out = tmp_path / f"film.{ending}"
    report = vedit.generate(path, out, size=SIZE)
    assert report.warnings == ()
    assert [s.kind for s in report.streams] == (["audio"] if with_sound else []) + ["subtitle"]
    read: list[tuple[float, float, str]] = []
    with av.open(str(out)) as film:
        for packet in film.demux(subtitles=0):
            if packet.pts is None or packet.size <= 2 or packet.duration is None:  # MP4 fills the gaps
                continue
            begins, lasts = (float(ticks * packet.time_base) for ticks in (packet.pts, packet.duration))
            words = [one.dialogue for one in packet.decode() if isinstance(one, AssSubtitle)]
            read.append((begins, lasts, b"".join(words).decode()))
    assert read == [(0, 1.5, "Über den Wolken"), (2.5, 1.25, "Two lines,\nand this is the second")]


def test_the_command(pictures: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "film.mp4"
    shown = [str(path) for path in pictures[:2]]
    assert main(["generate", *shown, "-o", str(out), "--rate", "8", "--seconds", "1", "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["frames_out"], last["rate"]) == ("done", 16, "8")
    assert (vedit.probe(out).width, vedit.probe(out).height) == (240, 160)
    assert main(["generate", shown[0], "-o", str(out)]) == 2
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize("camera", ["in", "out", "left", "right", "up", "down", "still"])
@pytest.mark.parametrize("shape", [(160, 240), (240, 100), (60, 240)])
def test_a_camera_stays_in_the_picture_and_tears_nothing(camera: Camera, shape: tuple[int, int]) -> None:
    dice = torch.Generator().manual_seed(0)
    picture = (torch.rand(3, *shape, generator=dice) * 255).byte()
    picture[:, : shape[0] // 3] = 200
    still = Still(picture, (64, 96), camera, 6.0)
    for way in (0.0, 0.5, 1.0):
        x, y = still._places(still.path.at(way), None)
        for places in (x[:9, :13], y[:9, :13]):  # the points within the film
            assert 0 <= places.min() < places.max() <= 1
        assert (np.diff(x, axis=1) > 0).all()
        assert (np.diff(y, axis=0) > 0).all()


def test_near_things_move_more() -> None:
    dice = torch.Generator().manual_seed(0)
    picture = (torch.rand(3, 160, 240, generator=dice) * 255).byte()
    picture[:, :60] = 200  # a smooth sky, far away
    still = Still(picture, (64, 96), "right", 5.0)
    assert float(still.near[:30].mean()) < -0.3 < 0.3 < float(still.near[-30:].mean())
    first, last = (still._places(still.path.at(way), None)[0] for way in (0.0, 1.0))
    moved = last - first
    assert moved[-2].mean() > 1.1 * moved[1].mean() > 0
