"""A film that goes on after its last frame."""

import itertools
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import checkpoints
import pytest
import tiny_whole
import torch

import vedit
from vedit.cli.main import main
from vedit.clip import Clip
from vedit.edits import Extend
from vedit.errors import EngineError, UsageError
from vedit.frame import Frame, Notes, Shot, Timing


def texture(frames: int) -> torch.Tensor:
    """Moves to the left by 2 pixels a frame."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(3, 6, 20, generator=generator).repeat_interleave(8, 1).repeat_interleave(8, 2)
    return torch.stack([coarse[:, :, 2 * i : 2 * i + 64] for i in range(frames)])


@pytest.mark.parametrize("kind", ["rnn", "lstm", "transformer"])
def test_the_film_goes_on_at_its_own_rate(kind: str) -> None:
    clip = Clip.at_rate(texture(6), Fraction(24000, 1001))
    out = Extend(0.2, kind=kind).apply(clip)
    assert len(out) == 6 + 5
    assert out.rate == clip.rate
    assert torch.equal(out.frames[:6], clip.frames), "the source's frames stay"
    inner = slice(10, -16)
    truth, held = texture(8)[7, :, inner, inner], clip.frames[5, :, inner, inner]
    assert (out.frames[7, :, inner, inner] - truth).abs().mean() < 0.5 * (held - truth).abs().mean()


def test_only_the_last_shot_goes_on_and_its_sound_ends_where_it_did(
    film: Callable[..., Path], tmp_path: Path
) -> None:
    src, dst = film(shots=(8, 9)), tmp_path / "longer.mp4"
    report = vedit.extend(src, dst, seconds="1/3", device="cpu")
    before, after = vedit.probe(src), vedit.probe(dst)
    assert report.frames_in == 17
    assert report.frames_out == 17 + 8
    assert after.rate == before.rate == Fraction(24000, 1001)
    rate = Fraction(24000, 1001)
    assert after.duration == before.duration + 8 / rate
    first = after.pts[0]
    assert [(p - first) * after.time_base for p in after.pts] == [Fraction(i) / rate for i in range(25)]
    assert not report.streams[0].converted, "the sound is a copy"
    assert any("sound" in warning for warning in report.warnings)
    with av.open(dst) as container:
        pictures = [f.to_ndarray(format="rgb24").astype(float) for f in container.decode(video=0)]
    steps = [abs(b - a).mean() for a, b in itertools.pairwise(pictures)]
    assert max(steps[16:]) < steps[7] / 2, "nothing of the first shot comes back, and nothing jumps"
    assert abs(pictures[18] - pictures[16]).mean() > 1, "it moves"


def test_the_command(film: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dst = tmp_path / "longer.mkv"
    src = str(film())
    assert main(["extend", src, "-o", str(dst), "--seconds", "0.1", "--kind", "rnn", "--json"]) == 0
    done = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert done["frames_out"] == 12
    assert vedit.probe(dst).frames == 12
    assert main(["plan", "extend", src, "-o", str(tmp_path / "x.mp4"), "--seconds", "0.1", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["frames_out"] == 12
    assert "the time that the new frames take is not counted" in plan["warnings"]


def test_ticks_that_the_rate_does_not_divide_add_up() -> None:
    """24 frames a second in milliseconds: each new frame is at most half a tick off, and none drifts."""
    pts = [round(Fraction(i * 1000, 24)) for i in range(6)]
    timing = Timing(Fraction(1, 1000), Fraction(24), 0, 250)
    edit, notes = Extend(1), Notes()
    assert edit.timing(timing).end == 1250
    frames = [
        Frame(p, q - p, texture(6)[i], index=i)
        for i, (p, q) in enumerate(zip(pts, [*pts[1:], 250], strict=True))
    ]
    out = list(edit.stream(iter(frames), Shot(0, timing, 48, 64, "cpu", notes)))
    assert len(out) == 30
    assert [f.end for f in out] == [f.pts for f in out[1:]] + [1250]
    assert [f.pts for f in out[6:]] == [250 + round(Fraction(k * 1000, 24)) for k in range(24)]
    assert [f.index for f in out] == list(range(30))


def test_transparency_moves_along() -> None:
    alpha = (texture(6)[:, :1] > 0.5).float()
    out = Extend(0.3, kind="rnn").apply(Clip.at_rate(torch.cat([texture(6), alpha], 1), 10))
    assert out.frames.shape == (9, 4, 48, 64)
    truth = (texture(7)[6, :1] > 0.5).float()
    inner = slice(10, -16)
    made, held = out.frames[6, 3:, inner, inner], alpha[5, :, inner, inner]
    assert (made - truth[:, inner, inner]).abs().mean() < 0.5 * (held - truth[:, inner, inner]).abs().mean()


def test_one_frame_stays() -> None:
    timing, notes = Timing(Fraction(1, 10), Fraction(10), 0, 1), Notes()
    picture = texture(1)[0]
    out = list(Extend(0.2).stream(iter([Frame(0, 1, picture)]), Shot(0, timing, 48, 64, "cpu", notes)))
    assert len(out) == 3
    assert all(torch.equal(f.pixels, picture) for f in out)
    assert any("one frame" in warning for warning in notes.warnings)


def test_what_cannot_be(tmp_path: Path) -> None:
    for seconds in (0, -1, "soon", "1/0"):
        with pytest.raises(UsageError, match="seconds is"):
            Extend(seconds)
    with pytest.raises(UsageError, match="kind is 'gru'"):
        Extend(1, kind="gru")
    with pytest.raises(UsageError, match="not told what comes next"):
        Extend(1, engine="ltx")
    with pytest.raises(UsageError, match="prompt is for pretrained engines"):
        Extend(1, prompt="the boat sails on")
    for scale in (-1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="guidance_scale is"):
            Extend(1, engine="ltx", prompt="the boat sails on", guidance_scale=scale)
    with pytest.raises(UsageError, match="rate varies"):
        Extend(1).timing(Timing(Fraction(1, 1000), None, 0, 1000))


def test_a_film_without_end_is_refused_at_once(film: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"would have 2.4e\+13 pictures; the limit is"):
        vedit.extend(film(), tmp_path / "out.mp4", seconds=1e12)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    checkpoints.sd15(folder / "sd")
    checkpoints.motion_adapter(folder / "motion")
    tiny_whole.ltx(folder / "ltx")
    tiny_whole.wan_vace(folder / "vace")
    return folder


@pytest.mark.parametrize("engine", ["ltx", "vace", "sd + motion=motion"])
def test_a_pretrained_engine_films_on(engine: str, models: Path) -> None:
    """The same first frames come whatever the length, the last source frames matter, and so do the words."""
    named = str(models / engine).replace("motion=motion", f"motion={models / 'motion'}")
    whole = "motion" not in engine
    clip = Clip.at_rate(texture(9), Fraction(24000, 1001))

    def longer(source: Clip, seconds: str = "7/24", prompt: str = "a boat") -> torch.Tensor:
        edit = Extend(seconds, engine=named, prompt=prompt, steps=2, window=9 if whole else 8, size=64)
        out = edit.apply(source)
        assert torch.equal(out.frames[:9], source.frames), "the source's frames stay"
        assert out.rate == clip.rate
        return out.frames[9:]

    made = longer(clip)
    assert made.shape == (7, 3, 48, 64)
    assert float(made.std()) > 0.01
    assert torch.equal(longer(clip), made)
    other = Clip.at_rate(1 - texture(9), Fraction(24000, 1001))
    assert not torch.equal(
        longer(other), made
    )  # by how much is up to random weights, and to the type they run in
    assert not torch.equal(longer(clip, prompt="a forest of old trees"), made)
    assert len(longer(clip, "1")) == 24


def test_a_larger_film_is_filmed_on_smaller(models: Path) -> None:
    clip = Clip.at_rate(texture(9).repeat_interleave(2, 2).repeat_interleave(2, 3), 24)
    edit = Extend("1/8", engine=str(models / "ltx"), prompt="a boat", steps=1, window=9, size=64)
    assert edit.apply(clip).frames.shape == (12, 3, 96, 128)


def test_a_painter_of_pictures_is_refused_before_the_first_frame(models: Path) -> None:
    edit = Extend(1, engine=f"{models / 'sd'} + motion=none", prompt="a boat")
    frames = iter([Frame(0, 1, texture(1)[0])])
    shot = Shot(0, Timing(Fraction(1, 10), Fraction(10), 0, 1), 48, 64, "cpu", Notes())
    with pytest.raises(EngineError, match="films nothing"):
        next(edit.stream(frames, shot))
