"""Films from words, by tiny random checkpoints in the formats of the real ones: exact length, rate and windows."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import checkpoints
import numpy as np
import pytest
import tiny_whole
import torch
from numpy.typing import NDArray
from PIL import Image

import vedit
from vedit.errors import UsageError
from vedit.torchvision_ops import tolerate_torchvision


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    checkpoints.sd15(folder / "sd")
    checkpoints.motion_adapter(folder / "motion")
    tiny_whole.wan_vace(folder / "vace")
    tiny_whole.ltx(folder / "ltx")
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    dice = np.random.default_rng(0)
    coarse = Image.fromarray(dice.integers(40, 220, (8, 8, 3), dtype=np.uint8))
    coarse.resize((96, 96), Image.Resampling.BICUBIC).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def moving(models: Path) -> str:
    return f"{models / 'sd'} + motion={models / 'motion'}"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "board.toml"
    path.write_text(f"size = '64x64'\nrate = '12000/1001'\n{text}", encoding="utf-8")
    return path


def frames(
    board: Path, engine: str, progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """The film's pictures ``(F,H,W,3)``, in windows of 9 frames."""
    out = board.with_suffix(".mkv")
    vedit.generate(
        board,
        out,
        engine=engine,
        steps=2,
        guidance_scale=1.0,
        window=9,
        progress=progress,
        codec="ffv1",
        overwrite=True,
        device="cpu",
    )
    with av.open(str(out)) as film:
        return np.stack([f.to_ndarray(format="rgb24") for f in film.decode(video=0)]).astype(np.float32)


WORDS = """
[[shots]]
prompt = "a forest"
seconds = 0.4
[[shots]]
prompt = "ashes"
seconds = 0.7
transition = "morph"
transition_seconds = 0.3
[[shots]]
prompt = "snow"
seconds = 0.4
transition = "cut"
"""
"""Frames 0 to 5, 5 to 13 (the way from one to the other is 3 to 7), and 13 to 18."""


@pytest.mark.parametrize("engine", ["sd", "sd + motion=", "vace", "ltx"])
def test_words_become_a_film_of_exact_length(engine: str, models: Path, tmp_path: Path) -> None:
    named = moving(models) if "motion" in engine else str(models / engine)
    if engine == "sd":
        named += " + motion=none"
    out = tmp_path / "film.mp4"
    report = vedit.generate(
        written(tmp_path, WORDS), out, engine=named, steps=2, guidance_scale=1.0, window=9, device="cpu"
    )
    film = vedit.probe(out)
    rate = Fraction(12000, 1001)
    assert film.frames == report.frames_out == round(Fraction("1.5") * rate) == 18
    assert (film.rate, film.width, film.height) == (rate, 64, 64)
    assert [pts * film.time_base for pts in film.pts] == [i / rate for i in range(18)]


@pytest.mark.parametrize("engine", ["motion", "vace"])
def test_a_morph_of_words_is_one_film_whose_prompt_changes(engine: str, models: Path, tmp_path: Path) -> None:
    named = moving(models) if engine == "motion" else str(models / engine)
    same = frames(written(tmp_path, WORDS.replace("ashes", "a forest")), named)
    other = frames(written(tmp_path, WORDS), named)
    differs = np.abs(same - other).mean((1, 2, 3))
    assert differs[8:13].min() > differs[0]  # after the way, in windows that know no word of the first
    assert differs[5:13].min() > 0
    assert differs[13:].max() == 0  # another shot
    assert len({frame.tobytes() for frame in other}) == 18
    one = "[[shots]]\nprompt = 'a forest'\nseconds = 1.1\n"
    assert np.array_equal(frames(written(tmp_path, one), named), same[:13])


@pytest.mark.parametrize("engine", ["vace", "ltx"])
def test_windows_go_from_one_prompt_to_the_next(
    engine: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tolerate_torchvision()
    import diffusers

    kind = diffusers.WanVACEPipeline if engine == "vace" else diffusers.LTXConditionPipeline
    whole, told = kind.__call__, []

    def call(self: Any, **settings: Any) -> Any:
        told.append(settings["prompt_embeds"])
        return whole(self, **settings)

    monkeypatch.setattr(kind, "__call__", call)
    text = "[[shots]]\nprompt = 'a forest'\nseconds = 3\n[[shots]]\nprompt = 'ashes'\nseconds = 3\n"
    film = frames(written(tmp_path, f"transition_seconds = 2\n{text}"), str(models / engine))
    assert len(film) == 72
    first, last = told[0], told[-1]
    ways = [float(((one - first) * (last - first)).sum() / (last - first).square().sum()) for one in told]
    assert ways == pytest.approx([0, 0, 0, 1 / 6, 1 / 2, 5 / 6, 1, 1, 1], abs=0.01)  # bfloat16
    assert all(
        torch.allclose(one, torch.lerp(first, last, way), atol=0.05)
        for one, way in zip(told, ways, strict=True)
    )


def test_an_interrupted_film_of_words_comes_out_the_same(models: Path, tmp_path: Path) -> None:
    board = written(tmp_path, f"{WORDS}[[shots]]\nprompt = 'rain'\nseconds = 0.4\ncontinues = true\n")
    whole = frames(board, moving(models))

    for at, kept in ((10, 7), (21, 18)):  # in the film of two shots, and in the one that continues
        told: list[int] = []

        def stop(done: int, total: int, at: int = at) -> None:
            if done == at:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            frames(board, moving(models), progress=stop)
        again = frames(board, moving(models), progress=lambda done, total: told.append(done))  # noqa: B023
        assert told[0] == kept + 1
        assert np.array_equal(again, whole)


@pytest.mark.parametrize("engine", ["motion", "vace", "ltx"])
def test_a_shot_that_continues_goes_on_from_the_last_frames(
    engine: str, models: Path, picture: Path, tmp_path: Path
) -> None:
    named = moving(models) if engine == "motion" else str(models / engine)
    text = (
        "[[shots]]\npicture = 'a.png'\ncamera = '{}'\nseconds = 0.5\n"
        "[[shots]]\nprompt = 'ashes'\nseconds = 0.5\ncontinues = true\n"
    )
    one, two = (frames(written(tmp_path, text.format(way)), named) for way in ("in", "left"))
    assert len(one) == 12
    assert not np.array_equal(one[6:], two[6:])  # it saw what came before


@pytest.mark.parametrize("engine", ["vace", "ltx"])
def test_a_picture_with_words_is_the_first_frame_of_its_shot(
    engine: str, models: Path, picture: Path, tmp_path: Path
) -> None:
    board = written(tmp_path, "[[shots]]\npicture = 'a.png'\nprompt = 'a wall'\nseconds = 0.5\n")
    film = frames(board, str(models / engine))
    given = np.asarray(Image.open(picture).resize((64, 64)), np.float32)
    assert np.abs(film[0] - given).mean() < 8  # colours are stored by four pixels
    assert np.abs(film[3] - film[0]).mean() > 12


def test_a_picture_without_a_motion_adapter_is_moved_over_and_painted(
    models: Path, picture: Path, tmp_path: Path
) -> None:
    text = "[[shots]]\npicture = 'a.png'\nprompt = 'a wall'\nseconds = 0.3\nstrength = {}\n"
    engine = f"{models / 'sd'} + motion=none"
    kept, painted = (frames(written(tmp_path, text.format(s)), engine) for s in (0, 1))
    assert len(kept) == len(painted) == 4
    assert np.abs(kept - painted).mean() > 12


@pytest.mark.parametrize(
    ("shot", "problem"),
    [
        ("prompt = 'a'\nlook = 'ink'\n", "looks belong to the bundled engine"),
        ("prompt = 'a'\nstrength = 0.5\n", "strength is for pictures"),
    ],
)
def test_what_an_engine_cannot_do_is_named_with_its_line(
    shot: str, problem: str, models: Path, tmp_path: Path
) -> None:
    board = written(tmp_path, f"[[shots]]\n{shot}")
    with pytest.raises(UsageError, match=rf"line 3 \(shot 1\): {problem}"):
        vedit.generate(board, tmp_path / "film.mp4", engine=moving(models), device="cpu")
    assert not (tmp_path / "film.mp4").exists()
