"""In-betweens by LTX and Wan VACE, on tiny random checkpoints: noise, and only where the frames do not tell."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import tiny_whole
import torch
import torch.nn.functional as F
from skimage.data import astronaut
from torch import Tensor

import vedit
from vedit.clip import Clip
from vedit.diffusion.whole import WholeSettings, between
from vedit.edits import Interpolate
from vedit.edits.generated import even_steps
from vedit.errors import EngineError, UsageError
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.pretrained.load import Loaded
from vedit.pretrained.models import load_checkpoint
from vedit.pretrained.spec import read_engine
from vedit.video.read import read

PHOTO = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
ENGINES = ["ltx", "vace"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    tiny_whole.ltx(folder / "ltx")
    tiny_whole.wan_vace(folder / "vace")
    checkpoints.sd15(folder / "sd")
    return folder


def flashing(count: int, width: int = 96, alpha: bool = False) -> Tensor:
    """A photo that moves two pixels a frame, with a patch at its left that shows something else in every frame."""
    wide = torch.cat([PHOTO, PHOTO.flip(-1)], -1)[:, 40:136, 120:]
    frames = torch.stack([wide[..., 2 * i : 2 * i + width] for i in range(count)])
    blocks = torch.rand(count, 3, 8, 8, generator=torch.Generator().manual_seed(3))
    frames[:, :, 30:62, 8:40] = F.interpolate(blocks, size=32)
    return torch.cat([frames, frames[:, :1]], 1) if alpha else frames


def sure(frames: Tensor) -> Tensor:
    """The columns right of the patch and of what it may disturb, where both frames show the same things."""
    return frames[..., 64:]


def run(models: Path, engine: str, frames: Tensor, rate: Fraction = Fraction(10), **settings: Any) -> Clip:
    given: dict[str, Any] = {"engine": str(models / engine), "steps": 2, "factor": 2}
    return Interpolate(**(given | settings)).apply(Clip.at_rate(frames, rate))


def loaded(model: Path) -> Loaded:
    """The engine as an edit has it: each is loaded once."""
    checkpoint = read_engine(str(model))
    assert checkpoint is not None
    return load_checkpoint(checkpoint, torch.device("cpu"))


@pytest.mark.parametrize(("engine", "factor"), [("ltx", 2), ("ltx", 3), ("vace", 3)])
def test_what_the_frames_tell_stays_and_the_rest_is_generated(models: Path, engine: str, factor: int) -> None:
    frames = flashing(3)
    made = run(models, engine, frames, factor=factor)
    plain = Interpolate(factor=factor).apply(Clip.at_rate(frames, 10))
    assert (made.pts, made.rate) == (plain.pts, plain.rate)
    assert torch.equal(made.frames[::factor], frames)
    new = [i for i in range(2 * factor) if i % factor]
    assert torch.equal(sure(made.frames), sure(plain.frames))
    apart = (made.frames - plain.frames)[new, :, 38:54, 16:32].abs().mean((1, 2, 3))
    assert float(apart.min()) > 0.05
    assert torch.equal(
        made.frames[2 * factor :], plain.frames[2 * factor :]
    )  # after the last there is no gap


@pytest.mark.parametrize("engine", ENGINES)
def test_times_that_fall_on_no_even_grid_are_exact(models: Path, engine: str) -> None:
    frames, rate = flashing(3), Fraction(24000, 1001)
    timing = Timing(1 / rate, rate, 0, 3)
    notes = Notes()
    edit = Interpolate(fps=60, engine=str(models / engine), steps=1)
    out = list(edit.stream(Clip.at_rate(frames, rate).stream(), Shot(0, timing, 96, 96, "cpu", notes)))
    plain = list(
        Interpolate(fps=60).stream(
            Clip.at_rate(frames, rate).stream(), Shot(0, timing, 96, 96, "cpu", Notes())
        )
    )
    assert [(f.pts, f.duration, f.index) for f in out] == [(f.pts, f.duration, f.index) for f in plain]
    assert len(out) == 8  # 3 * 1001 / 24000 s at 60 a second, begun ones included
    assert torch.equal(out[0].pixels, frames[0])
    assert all(torch.equal(sure(a.pixels), sure(b.pixels)) for a, b in zip(out, plain, strict=True))
    assert len([w for w in notes.warnings if "evenly" in w]) == 1


def test_a_model_is_asked_for_the_fewest_even_steps() -> None:
    assert even_steps([Fraction(1, 2)]) == 2
    assert even_steps([Fraction(1, 4), Fraction(1, 3)]) == 12
    assert even_steps([Fraction(400, 1001), Fraction(800, 1001)]) == 5
    times = [Fraction(i, 101) for i in range(1, 101)]
    steps = even_steps(times)
    assert steps <= 40
    assert max(abs(t - Fraction(round(t * steps), steps)) for t in times) <= Fraction(1, 80)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_new_frame_shows_its_own_moment(models: Path, engine: str) -> None:
    """What the model makes in even steps: the quarters of the gap before the last frame."""
    frames = flashing(3)
    made = run(models, engine, frames, factor=4, prompt="a window", seed=7).frames[5:8]
    settings = WholeSettings(prompt="a window", steps=2, seed=7, first=4, rate=Fraction(40))
    wanted = list(between(loaded(models / engine).pipe, {0: frames[1], 4: frames[2]}, settings))
    for ours, theirs in zip(made, wanted, strict=True):
        assert torch.equal(ours[:, 38:54, 16:32], theirs[:, 38:54, 16:32])


def test_words_and_seed_say_what_is_made(models: Path) -> None:
    frames = flashing(2)
    one, same, words, seed = (
        run(models, "ltx", frames, prompt=prompt, seed=seed).frames
        for prompt, seed in (("a window", 0), ("a window", 0), ("a door", 0), ("a window", 1))
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, words)
    assert not torch.equal(one, seed)


def test_frames_that_tell_all_never_run_the_model(models: Path) -> None:
    ran: list[bool] = []
    transformer = loaded(models / "ltx").pipe.transformer
    hook = transformer.register_forward_hook(lambda *_: ran.append(True))
    still = flashing(1).repeat(3, 1, 1, 1)
    assert torch.equal(run(models, "ltx", still).frames[:4], still[:1].repeat(4, 1, 1, 1))
    assert not ran
    run(models, "ltx", flashing(3), steps=3)
    hook.remove()
    assert len(ran) == 2 * 3


def test_alpha_and_large_frames_come_out_at_their_size(models: Path) -> None:
    frames = flashing(2, width=800, alpha=True)
    made = run(models, "ltx", frames, steps=1).frames
    plain = Interpolate(factor=2).apply(Clip.at_rate(frames, 10)).frames
    assert made.shape == (4, 4, 96, 800)
    assert torch.equal(made[:, 3], plain[:, 3])
    assert torch.equal(sure(made), sure(plain))
    assert float((made - plain)[1, :3, 38:54, 16:32].abs().mean()) > 0.05


def test_nothing_is_made_across_a_cut(models: Path, film: Callable[..., Path], tmp_path: Path) -> None:
    src, made, plain = film("a.mp4", shots=(16, 16)), tmp_path / "made.mp4", tmp_path / "plain.mp4"
    assert vedit.interpolate(src, made, factor=2, engine=str(models / "ltx"), steps=1).shots == 2
    vedit.interpolate(src, plain, factor=2)
    one, other = (
        [frame.pixels for frame in read(vedit.probe(path).as_edited(), Notes())] for path in (made, plain)
    )
    assert len(one) == len(other) == 64
    assert all(float((one[i] - other[i]).abs().mean()) < 0.01 for i in (30, 31, 32))


def test_a_render_that_goes_on_makes_the_same(models: Path) -> None:
    frames, timing = flashing(4), Timing(Fraction(1, 10), Fraction(10), 0, 4)
    edit = Interpolate(factor=2, engine=str(models / "ltx"), steps=1)

    def streamed(start: int) -> list[Frame]:
        taken = [f for f in Clip.at_rate(frames, 10).stream() if f.index >= start]
        return list(edit.stream(iter(taken), Shot(0, timing, 96, 96, "cpu", Notes())))

    whole, late = streamed(0), streamed(1)
    anew = next(i for i, f in enumerate(whole) if f.pts == late[2].pts)
    assert all(torch.equal(a.pixels, b.pixels) for a, b in zip(whole[anew:], late[2:], strict=True))


def test_what_does_not_go_is_refused(models: Path) -> None:
    with pytest.raises(UsageError, match="pretrained"):
        Interpolate(factor=2, prompt="a window")
    with pytest.raises(UsageError, match="steps is 0"):
        Interpolate(factor=2, engine="ltx", steps=0)
    with pytest.raises(EngineError, match="LTX, LTX-2 or Wan VACE"):
        run(models, "sd", flashing(2))
