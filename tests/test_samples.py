"""The samples are what their README says, and every script runs."""

import runpy
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import vedit
from vedit.diffusion.looks import LOOKS
from vedit.train.painters import Chance, paint

SAMPLES = Path(vedit.__file__).parent.parent / "samples"
STYLES = tuple(path.stem for path in sorted((SAMPLES / "styles").glob("*.png")))
MakeFilm = Callable[..., Path]


@pytest.fixture(scope="module")
def frames() -> NDArray[np.float32]:
    """The sample clip in greys, (132,360,640)."""
    with av.open(str(SAMPLES / "sample.mp4")) as film:
        return np.stack([frame.to_ndarray(format="gray") for frame in film.decode(video=0)]).astype(
            np.float32
        )


def test_clip_facts() -> None:
    path = SAMPLES / "sample.mp4"
    assert path.stat().st_size <= 1_500_000
    with av.open(str(path)) as film:
        picture, sound = film.streams.video[0], film.streams.audio[0]
        coding = picture.codec_context
        assert (coding.name, coding.profile, coding.pix_fmt) == ("h264", "High", "yuv420p")
        assert (coding.width, coding.height) == (640, 360)
        tags = (coding.colorspace, coding.color_primaries, coding.color_trc, coding.color_range)
        assert tags == (1, 1, 1, 1)
        assert (sound.codec_context.name, sound.layout.name, sound.rate) == ("aac", "stereo", 48000)
        assert picture.time_base == Fraction(1, 24000)
        assert [frame.pts for frame in film.decode(video=0)] == [1001 * number for number in range(132)]


def test_clip_sound_differs_left_and_right() -> None:
    with av.open(str(SAMPLES / "sample.mp4")) as film:
        sound = np.concatenate([frame.to_ndarray() for frame in film.decode(audio=0)], 1)
    seconds = sound.shape[1] / 48000
    assert seconds == pytest.approx(132 * 1001 / 24000, abs=0.05)
    left, right = sound
    assert 0.02 < left.std() < 0.5
    assert np.abs(sound).max() <= 1
    assert np.abs(np.corrcoef(left, right)[0, 1]) < 0.9


def test_clip_has_one_cut(frames: NDArray[np.float32]) -> None:
    change = np.abs(np.diff(frames, axis=0)).mean((1, 2))
    assert change.argmax() == 65
    assert change[65] > 5 * np.delete(change, 65).max()
    assert np.delete(change, 65).min() > 0.5  # it never stands still


def test_caption_mask_covers_the_caption(frames: NDArray[np.float32]) -> None:
    mask = np.asarray(Image.open(SAMPLES / "caption_mask.png")) > 127
    assert mask.shape == (360, 640)
    assert 0.01 < mask.mean() < 0.05
    rows = slice(280, 360)  # where nothing but the camera moves
    for before, after in ((7, 8), (59, 60)):
        change = np.abs(frames[after] - frames[before])[rows]
        assert change[mask[rows]].mean() > 4 * change[~mask[rows]].mean()
    assert frames[30][mask].max() > 220
    assert frames[100][mask].mean() != pytest.approx(frames[30][mask].mean(), abs=5)


@pytest.mark.parametrize("name", STYLES)
def test_style_pictures(name: str) -> None:
    path = SAMPLES / "styles" / f"{name}.png"
    assert path.stat().st_size <= 250_000
    picture = np.asarray(Image.open(path).convert("RGB"), np.float32)
    assert picture.shape == (384, 512, 3)
    assert picture.std() > 20


def test_there_is_a_style_picture_of_every_look() -> None:
    drawn = runpy.run_path(str(SAMPLES / "make_styles.py"))["STYLES"]
    assert sorted(name for name, *_ in drawn) == list(STYLES)
    assert {look for _, look, *_ in drawn} == set(LOOKS)


def run(script: str, monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("sys.argv", [script, *arguments])
    runpy.run_path(str(SAMPLES / script), run_name="__main__")


@pytest.mark.parametrize(
    ("script", "more", "result"),
    [
        ("restyle.py", (), "tiny-restyled.mp4"),
        ("interpolate.py", (), "tiny-60fps.mp4"),
        ("inpaint.py", ("box:20,20,12,12",), "tiny-repaired.mp4"),
        ("recipe.py", (), "tiny-sketched.mp4"),
    ],
)
def test_edit_scripts(
    script: str,
    more: tuple[str, ...],
    result: str,
    film: MakeFilm,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(script, monkeypatch, tmp_path, str(film("tiny.mp4", shots=(4,))), *more)
    assert (tmp_path / result).stat().st_size > 0
    assert "audio 1/1 bit-exact" in capsys.readouterr().out


def test_inpaint_script_wants_a_mask_for_another_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match="Give a mask"):
        run("inpaint.py", monkeypatch, tmp_path, "film.mp4")


def test_a_style_is_drawn_again() -> None:
    script = runpy.run_path(str(SAMPLES / "make_styles.py"))
    name, look, photo, middle = script["STYLES"][2]
    drawn = paint(script["photograph"](photo, middle), look, Chance.seeded(384, 512, 0))
    kept = np.asarray(Image.open(SAMPLES / "styles" / f"{name}.png").convert("RGB"), np.float32)
    # The file has 256 colours, and other versions of the libraries may round differently.
    assert np.abs(drawn - kept).mean() < 10


def test_the_storyboard_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (SAMPLES / "storyboard" / "looks.toml").read_text(encoding="utf-8")
    (tmp_path / "storyboard").mkdir()
    shorter = (
        text.replace("640x360", "64x36").replace('rate = "24"', "rate = 4").replace("../", f"{SAMPLES}/")
    )
    (tmp_path / "storyboard" / "looks.toml").write_text(shorter, encoding="utf-8")
    script = runpy.run_path(str(SAMPLES / "generate.py"))
    monkeypatch.chdir(tmp_path)
    sound = script["tune"](tmp_path / "tune.wav")
    script["main"](tmp_path / "storyboard" / "looks.toml", sound)
    assert "40/40 frames of 4 shots · 4 fps, 10 s · sound in aac" in capsys.readouterr().out
