"""Restyle with pretrained engines, on tiny random checkpoints: they paint noise, but paint it as real ones do."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import checkpoints
import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

import vedit
from vedit.clip import Clip
from vedit.edits import Restyle
from vedit.errors import EngineError, UsageError

PHOTO = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
PROMPT = "a forest"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    checkpoints.sd15(folder / "sd")
    checkpoints.motion_adapter(folder / "motion")
    checkpoints.controlnet(folder / "edges")
    checkpoints.ip_adapter(folder / "ip")
    checkpoints.tiny_codec(folder / "tiny")
    checkpoints.lora(folder / "lora.safetensors")
    return folder


def engine(models: Path, *terms: str) -> str:
    return " + ".join([str(models / "sd"), *terms])


def moving(models: Path, *terms: str) -> str:
    return engine(models, f"motion={models / 'motion'}", *terms)


def pan(count: int, height: int = 64, width: int = 96) -> Clip:
    frames = [PHOTO[:, 40 : 40 + height, 160 + i : 160 + i + width] for i in range(count)]
    return Clip.at_rate(torch.stack(frames), Fraction(24000, 1001))


def painted(clip: Clip, engine: str, **settings: Any) -> Tensor:
    usual: dict[str, Any] = {"prompt": PROMPT, "steps": 4, "strength": 0.8}
    return Restyle(engine=engine, **(usual | settings)).apply(clip).frames


def change(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().mean())


@pytest.mark.parametrize("kind", [engine, moving])
def test_every_frame_is_painted_and_keeps_its_time(models: Path, kind: Callable[..., str]) -> None:
    clip = pan(7, 50, 91)  # sides that are multiples of nothing, more frames than a window
    made = Restyle(engine=kind(models), prompt=PROMPT, steps=3, window=4).apply(clip)
    assert made.frames.shape == clip.frames.shape
    assert (made.pts, made.time_base) == (clip.pts, clip.time_base)
    assert all(change(a, b) > 0.02 for a, b in zip(made.frames, clip.frames, strict=True))


def test_a_film_comes_back_whole_from_the_command_line(
    models: Path, film: Callable[..., Path], tmp_path: Path
) -> None:
    from vedit.cli.main import main

    source, out = film(shots=(5, 4)), tmp_path / "out.mp4"
    words = ["--engine", moving(models), "--prompt", "shot 1: a forest; shot 2: a lake", "--steps", "3"]
    assert main(["restyle", str(source), "-o", str(out), *words, "--strength", "0.7", "--quiet"]) == 0
    before, after = vedit.probe(source), vedit.probe(out)
    assert (after.frames, after.duration, after.pts) == (before.frames, before.duration, before.pts)


def test_strength_is_how_far_the_film_is_left(models: Path) -> None:
    clip = pan(4)
    assert torch.equal(painted(clip, moving(models), strength=0.0), clip.frames)

    def noise(strength: float) -> float:  # how much of it is left in the picture
        a, b = (painted(clip, moving(models), strength=strength, steps=5, seed=seed) for seed in (0, 1))
        return change(a, b)

    assert 0 < noise(0.25) < noise(0.6) < noise(1.0)


def test_strength_can_change_over_the_film(models: Path) -> None:
    clip = pan(6)
    a, b = (painted(clip, moving(models), strength="0: 0.0; 5: 1.0", steps=5, seed=seed) for seed in (0, 1))
    noise = [change(one, other) for one, other in zip(a, b, strict=True)]
    assert torch.equal(a[0], clip.frames[0])
    assert 0 < noise[1] < noise[3]


def test_words_matter_and_are_mixed_between_their_frames(models: Path) -> None:
    clip = pan(5)
    first, last = (
        painted(clip, engine(models), consistency="none"),
        painted(clip, engine(models), prompt="a lake", consistency="none"),
    )
    both = painted(clip, engine(models), prompt="0: a forest; 4: a lake", consistency="none")
    assert torch.allclose(both[0], first[0], atol=1e-3)
    assert torch.allclose(both[4], last[4], atol=1e-3)
    assert change(both[2], first[2]) > 1e-4
    assert change(both[2], last[2]) > 1e-4
    assert change(painted(clip, engine(models), negative_prompt="a lake", consistency="none"), first) > 1e-4


def test_outside_the_mask_every_pixel_stays(models: Path) -> None:
    clip = pan(4)
    made = painted(clip, moving(models), mask="box:32,16,32,32")
    outside = torch.ones(64, 96, dtype=torch.bool)
    outside[16:48, 32:64] = False
    assert torch.equal(made[..., outside], clip.frames[..., outside])
    assert change(made[..., 16:48, 32:64], clip.frames[..., 16:48, 32:64]) > 0.02


def test_maps_hold_the_drawing(models: Path) -> None:
    clip = pan(4)
    free = painted(clip, moving(models))
    terms = f"controlnet=canny={models / 'edges'}"
    held = painted(clip, moving(models, terms), control="canny")
    lightly = painted(clip, moving(models, terms), control="canny:0.1")
    assert 0 < change(lightly, free) < change(held, free)


def test_a_picture_can_be_followed(models: Path) -> None:
    clip = pan(3)
    ip = f"ip-adapter={models / 'ip'}"
    red, blue = torch.zeros(3, 64, 64), torch.zeros(3, 64, 64)
    red[0], blue[2] = 1, 1
    a, b = (painted(clip, moving(models, ip), style=picture) for picture in (red, blue))
    assert change(a, b) > 1e-4


def test_painted_keys_come_out_and_spread(models: Path) -> None:
    clip = pan(6)
    paint = 1 - clip.frames[2]

    def kept(frame: Tensor) -> Tensor:  # a frame that is not painted, after the random codec
        still = Clip.at_rate(frame[None].repeat(2, 1, 1, 1), Fraction(25))
        return painted(still, moving(models), strength="0: 0.01; 100: 1.0")[0]

    plain = painted(clip, moving(models))
    made = painted(clip, moving(models), keyframes={2: paint}, consistency="flow,noise")
    assert torch.allclose(made[2], kept(paint), atol=0.02)
    assert change(plain[2], kept(paint)) > 0.02
    assert change(made[4], plain[4]) > 1e-3  # neighbours start from its paint


def test_adapters_change_what_is_painted(models: Path) -> None:
    clip = pan(3)
    plain = painted(clip, engine(models, "motion=none"))
    for terms in (
        [f"lora={models / 'lora.safetensors'}=0.9"],
        [f"vae={models / 'tiny'}"],
        ["scheduler=dpm++"],
    ):
        assert change(painted(clip, engine(models, "motion=none", *terms)), plain) > 1e-4


def test_each_aid_changes_what_is_painted(models: Path) -> None:
    clip = pan(8)
    none = painted(clip, engine(models), consistency="none", window=4)
    for aid in ("flow", "noise", "anchors", "fusion"):
        assert change(painted(clip, engine(models), consistency=aid, window=4), none) > 1e-4, aid


def test_a_render_that_goes_on_is_as_if_it_had_never_stopped(models: Path) -> None:
    from vedit.frame import Notes, Shot, Timing

    clip = pan(9)
    edit = Restyle(engine=moving(models), prompt=PROMPT, steps=3, window=4)

    def run(wanted: int) -> list[Tensor]:
        timing = Timing(clip.time_base, clip.rate, clip.pts[0], clip.pts[-1] + 1)
        shot = Shot(0, timing, 64, 96, "cpu", Notes(), wanted)
        return [frame.pixels for frame in edit.stream(clip.stream(), shot)]

    assert all(torch.equal(a, b) for a, b in zip(run(0)[6:], run(6)[6:], strict=True))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"look": "ink"}, "look"),
        ({"prompt": None}, "nothing"),
        ({"structure": 0.5}, "structure"),
        ({"control": "drawing"}, "drawing"),
        ({"consistency": "glue"}, "glue"),
        ({"strength": "0: 2"}, "strength"),
        ({"prompt": "0: a; 0: b"}, "prompt"),
        ({"guidance_scale": -1.0}, "guidance_scale is -1"),
        ({"guidance_scale": float("nan")}, "guidance_scale is nan"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        Restyle(**({"engine": "sd15", "prompt": PROMPT} | settings))


@pytest.mark.parametrize("setting", ["negative_prompt", "control"])
def test_settings_for_pretrained_engines_are_refused_by_the_bundled_one(setting: str) -> None:
    with pytest.raises(UsageError, match=setting):
        Restyle(look="ink", **{setting: "canny"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spec", ["sd15 + glue=a", "sd15 + lora", "sd15 + vae=a + vae=b", "bundled + lora=a", " + lora=a"]
)
def test_an_engine_that_cannot_be_read_is_refused(spec: str) -> None:
    with pytest.raises(UsageError, match="engine"):
        Restyle(engine=spec, prompt=PROMPT)


def test_what_is_missing_is_named(models: Path) -> None:
    with pytest.raises(UsageError, match=r"window is 64.*32"):
        painted(pan(2), moving(models), window=64)
    with pytest.raises(EngineError):
        painted(pan(2), str(models / "nowhere" / "model.safetensors"))
