"""Restyle and inpaint with pipelines that are called whole, on tiny random checkpoints."""

from fractions import Fraction
from typing import Any

import pytest
import tiny_whole
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.clip import Clip
from vedit.edits import Inpaint, Restyle
from vedit.edits.edit import Edit
from vedit.errors import UsageError
from vedit.frame import Notes, Shot, Timing

PHOTO = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module")
def vace(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_whole.wan_vace(tmp_path_factory.mktemp("vace")))


@pytest.fixture(scope="module")
def ltx(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_whole.ltx(tmp_path_factory.mktemp("ltx")))


def pan(count: int, height: int = 50, width: int = 70) -> Clip:
    frames = [PHOTO[:, 40 : 40 + height, 160 + i : 160 + i + width] for i in range(count)]
    return Clip.at_rate(torch.stack(frames), Fraction(25))


def painted(clip: Clip, engine: str, **settings: Any) -> Clip:
    usual: dict[str, Any] = {"prompt": "a forest", "steps": 2}
    return Restyle(engine=engine, **(usual | settings)).apply(clip)


def change(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean())


@pytest.mark.parametrize("kind", ["vace", "ltx"])
def test_as_many_frames_come_out_at_their_times(kind: str, request: pytest.FixtureRequest) -> None:
    clip = pan(11)  # neither 4k + 1 nor 8k + 1
    made = painted(clip, request.getfixturevalue(kind), window=9)
    assert made.frames.shape == clip.frames.shape
    assert made.pts == clip.pts
    assert all(change(a, b) > 0.01 for a, b in zip(made.frames, clip.frames, strict=True))


def test_a_mask_map_picture_and_key_reach_the_model(vace: str) -> None:
    clip = pan(6)
    plain = painted(clip, vace, strength=1.0).frames
    outside = torch.ones(50, 70, dtype=torch.bool)
    outside[10:40, 20:50] = False
    masked = painted(clip, vace, mask="box:20,10,30,30").frames
    assert torch.equal(masked[..., outside], clip.frames[..., outside])
    assert change(masked[..., 10:40, 20:50], clip.frames[..., 10:40, 20:50]) > 0.01
    for settings in (
        {"control": "canny"},
        {"style": PHOTO[:, :64, :64]},
        {"keyframes": {0: 1 - clip.frames[0]}},
    ):
        made = painted(clip, vace, strength=1.0, **settings).frames
        assert not torch.equal(made, plain), settings


@pytest.mark.parametrize("kind", ["vace", "ltx"])
def test_words_may_change_within_a_shot(kind: str, request: pytest.FixtureRequest) -> None:
    engine, clip = request.getfixturevalue(kind), pan(34)
    same, other = (
        painted(clip, engine, prompt=prompt, strength=1.0, window=9).frames
        for prompt in ("0: a forest; 16: a forest; 24: a forest", "0: a forest; 16: a forest; 24: a lake")
    )
    differs = [change(a, b) for a, b in zip(same, other, strict=True)]
    assert max(differs[:9]) == 0  # a window that the change is not in sight of
    assert min(differs[24:]) > 0


@pytest.mark.parametrize("number", [1, 2])
def test_words_and_strength_may_change_with_the_shot(number: int, vace: str) -> None:
    clip = pan(5)

    def as_shot(edit: Edit) -> list[Tensor]:
        timing = Timing(clip.time_base, clip.rate, 0, 5)
        frames = edit.stream(clip.stream(), Shot(number - 1, timing, 50, 70, "cpu", Notes()))
        return [frame.pixels for frame in frames]

    def equal(edit: Edit, other: Edit) -> bool:
        return all(torch.equal(a, b) for a, b in zip(as_shot(edit), as_shot(other), strict=True))

    def restyle(prompt: str, strength: float | str) -> Restyle:
        return Restyle(engine=vace, prompt=prompt, strength=strength, steps=2, guidance_scale=3.0)

    words, strengths = ["a forest", "a lake"], [0.5, 1.0]
    ways = [
        restyle(f"shot 1: {words[0]}; shot 2: {words[1]}", f"shot 1: {strengths[0]}; shot 2: {strengths[1]}")
    ]
    ways += [restyle(words[i], strengths[i]) for i in (number - 1, 2 - number)]
    assert equal(ways[0], ways[1])
    assert not equal(ways[0], ways[2])

    def inpaint(prompt: str) -> Inpaint:
        return Inpaint(mask="box:20,10,24,24", quality="draft", engine=vace, prompt=prompt, steps=2)

    assert equal(inpaint(f"shot 1: {words[0]}; shot 2: {words[1]}"), inpaint(words[number - 1]))


def test_strength_may_not_change_within_a_shot(vace: str) -> None:
    with pytest.raises(UsageError, match="strength cannot change within a shot"):
        painted(pan(5), vace, strength="0: 0.3; 4: 0.8")


def test_holes_are_filled(vace: str) -> None:
    clip = pan(5)
    edit = Inpaint(mask="box:20,10,24,24", quality="draft", engine=vace, prompt="a wall", steps=2)
    made = edit.apply(clip).frames
    outside = torch.ones(50, 70, dtype=torch.bool)
    outside[10:34, 20:44] = False
    assert torch.equal(made[..., outside], clip.frames[..., outside])
    plain = Inpaint(mask="box:20,10,24,24", quality="draft").apply(clip).frames
    assert change(made, plain) > 1e-4
