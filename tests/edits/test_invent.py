"""Inpainting with pretrained engines, on tiny random checkpoints: they paint only what no frame shows."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.clip import Clip
from vedit.edits import Inpaint
from vedit.errors import UsageError

PHOTO = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    checkpoints.sd15(folder / "sd")
    checkpoints.sd15(folder / "holes", in_channels=9)
    checkpoints.motion_adapter(folder / "motion")
    return folder


@pytest.fixture(scope="module")
def clip() -> Clip:
    """A still shot: what the hole hides is never seen."""
    return Clip.at_rate(PHOTO[:, 40:104, 160:256].repeat(5, 1, 1, 1), Fraction(25))


def filled(clip: Clip, **settings: Any) -> Tensor:
    usual: dict[str, Any] = {"quality": "draft", "steps": 3}
    return Inpaint(mask="box:32,16,24,24", **(usual | settings)).apply(clip).frames


@pytest.mark.parametrize("engine", ["sd", "holes", "sd + motion=motion"])
def test_only_the_hole_is_painted(models: Path, clip: Clip, engine: str) -> None:
    spec = engine.replace("motion=", f"motion={models}/")
    made = filled(clip, engine=f"{models}/{spec}", prompt="a window")
    outside = torch.ones(64, 96, dtype=torch.bool)
    outside[16:40, 32:56] = False
    assert torch.equal(made[..., outside], clip.frames[..., outside])
    plain = filled(clip, steps=None)
    assert float((made - plain)[..., 16:40, 32:56].abs().mean()) > 0.02


def test_words_and_seed_say_what_is_painted(models: Path, clip: Clip) -> None:
    engine = str(models / "holes")
    one, same, words, later, seed = (
        filled(clip, engine=engine, prompt=prompt, seed=seed)
        for prompt, seed in (
            *(("a window", 0), ("a window", 0), ("a door", 0)),
            *(("0s: a window; 0.04s: a door", 0), ("a window", 1)),
        )
    )
    assert torch.equal(one, same)
    assert not torch.equal(one, later)  # its words change after the first frame
    assert not torch.equal(one, words)
    assert not torch.equal(one, seed)


def test_what_other_frames_show_stays(models: Path) -> None:
    frames = [PHOTO[:, 40:104, 100 + 6 * i : 196 + 6 * i] for i in range(12)]
    clip = Clip.at_rate(torch.stack(frames), Fraction(25))
    painted, plain = (
        filled(clip, **settings) for settings in ({"engine": str(models / "sd")}, {"steps": None})
    )
    inside = (painted - plain)[5, :, 16:40, 32:56].abs().amax(0)
    assert float((inside == 0).float().mean()) > 0.5  # seen in other frames, and left


def test_settings_of_pretrained_engines_are_refused_by_the_bundled_one() -> None:
    with pytest.raises(UsageError, match="pretrained"):
        Inpaint(mask="box:0,0,8,8", prompt="a window")
