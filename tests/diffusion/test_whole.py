"""Wan VACE and LTX on shots of any length and size."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_whole
import torch
from torch import Tensor

from vedit.diffusion.whole import WholeSettings, between, inpaint_whole, restyle_whole
from vedit.errors import EngineError, UsageError
from vedit.torchvision_ops import tolerate_torchvision


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole")


@pytest.fixture(scope="module")
def vace_folder(folder: Path) -> Path:
    return tiny_whole.wan_vace(folder / "vace")


def load(name: str, path: Path) -> Any:
    tolerate_torchvision()
    import diffusers

    pipe = getattr(diffusers, name).from_pretrained(path)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def vace(vace_folder: Path) -> Any:
    return load("WanVACEPipeline", vace_folder)


@pytest.fixture(scope="module")
def ltx(folder: Path) -> Any:
    return load("LTXConditionPipeline", tiny_whole.ltx(folder / "ltx"))


@pytest.fixture(scope="module")
def ltx2(folder: Path) -> Any:
    return load("LTX2ConditionPipeline", tiny_whole.ltx2(folder / "ltx2"))


GRIDS = {"vace": (9, 5), "ltx": (17, 9), "ltx2": (17, 9)}
"""Of the smallest windows: how many frames they have, and share with the next."""


FEWEST = {"vace": 1, "ltx": 1, "ltx2": 2}
"""Steps that their schedules can have."""


def shot(count: int, height: int = 20, width: int = 37) -> list[Tensor]:
    """A texture that moves a pixel a frame."""
    wide = torch.rand(3, height, width + count, generator=torch.Generator().manual_seed(1))
    return [wide[:, :, i : i + width].clone() for i in range(count)]


def hole(height: int = 20, width: int = 37) -> Tensor:
    mask = torch.zeros(1, height, width)
    mask[:, 5:12, 8:20] = 1
    mask[:, 5, 8:20] = 0.5
    return mask


def quick(**settings: Any) -> WholeSettings:
    return WholeSettings(**{"prompt": "oil", "steps": 1, "guidance_scale": 1.0, **settings})


@contextmanager
def heard(pipe: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the pipeline is called with; the call goes on to it."""
    calls: list[dict[str, Any]] = []
    kind = type(pipe)
    whole = kind.__call__

    def call(self: Any, **settings: Any) -> Any:
        calls.append(settings)
        return whole(self, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "__call__", call)
        yield calls


@pytest.mark.parametrize("count", [1, 2, 5, 9, 10, 23])
@pytest.mark.parametrize("name", ["vace", "ltx", "ltx2"])
def test_as_many_frames_of_the_same_size_come_out(
    name: str, count: int, request: pytest.FixtureRequest
) -> None:
    pipe = request.getfixturevalue(name)
    window, overlap = GRIDS[name]
    made = list(
        restyle_whole(pipe, iter(shot(count)), quick(window=window, overlap=overlap, steps=FEWEST[name]))
    )
    assert len(made) == count
    assert {tuple(frame.shape) for frame in made} == {(3, 20, 37)}
    assert all(frame.dtype == torch.float32 and frame.min() >= 0 and frame.max() <= 1 for frame in made)
    # Each place has a frame of its own: nothing is repeated, shifted or dropped.
    assert all(not torch.equal(a, b) for a, b in itertools.pairwise(made))


@pytest.mark.parametrize("count", [81, 82, 100])
def test_windows_as_long_as_the_model_was_trained_on(vace: Any, count: int) -> None:
    made = list(restyle_whole(vace, iter(shot(count, 16, 16)), quick()))
    assert len(made) == count


@pytest.mark.parametrize("multistep", [False, True])
@pytest.mark.parametrize("guidance_scale", [1.0, 5.0])
def test_one_window_is_the_pipelines_own_call(
    folder: Path, vace_folder: Path, multistep: bool, guidance_scale: float
) -> None:
    path = tiny_whole.wan_vace(folder / "multistep", multistep=True) if multistep else vace_folder
    pipe = load("WanVACEPipeline", path)
    source = torch.stack(shot(9, 16, 32))
    maps = 1 - source
    settings = quick(steps=3, guidance_scale=guidance_scale, negative_prompt="grain", seed=4)
    latents: list[Tensor] = []

    def first_latents(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        latents.append(tensors["latents"])
        return tensors

    settings = quick(
        steps=3,
        guidance_scale=guidance_scale,
        negative_prompt="grain",
        seed=4,
        callback_on_step_end=first_latents,
    )
    ours = torch.stack(list(restyle_whole(pipe, iter(source), settings, control=iter(maps))))
    from vedit.diffusion.noise import fresh_noise

    theirs = pipe(
        prompt="oil",
        negative_prompt="grain",
        video=maps[None],
        mask=torch.ones_like(maps[None]),
        height=16,
        width=32,
        num_frames=9,
        num_inference_steps=3,
        guidance_scale=guidance_scale,
        latents=torch.cat([fresh_noise((1, 16, 1, 2, 4), 4, i) for i in (0, 4, 8)], 2),
        output_type="pt",
    ).frames[0]
    assert len(latents) == 3
    assert torch.allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", ["ltx", "ltx2"])
def test_one_window_of_ltx_is_the_pipelines_own_call(name: str, request: pytest.FixtureRequest) -> None:
    pipe = request.getfixturevalue(name)
    settings = quick(steps=3, guidance_scale=3.0, negative_prompt="grain", rate=Fraction(30))
    ours = torch.stack(list(restyle_whole(pipe, iter(shot(9, 64, 64)), settings)))
    theirs = pipe(
        prompt="oil",
        negative_prompt="grain",
        height=64,
        width=64,
        num_frames=9,
        frame_rate=30.0,
        num_inference_steps=3,
        guidance_scale=3.0,
        generator=torch.Generator().manual_seed(0),
        output_type="pt",
    ).frames[0]
    assert torch.allclose(ours, theirs, atol=1e-5)


def test_what_is_outside_the_mask_stays_bit_for_bit(vace: Any) -> None:
    frames, mask = shot(13), hole()
    for made in (
        inpaint_whole(vace, iter(frames), iter([mask] * 13), quick(window=9, overlap=5)),
        restyle_whole(vace, iter(frames), quick(window=9, overlap=5), masks=iter([mask] * 13)),
    ):
        for before, after in zip(frames, made, strict=True):
            assert torch.equal(before[:, mask[0] == 0], after[:, mask[0] == 0])
            assert not torch.equal(before[:, mask[0] > 0], after[:, mask[0] > 0])


def test_what_is_under_the_mask_does_not_reach_the_model(vace: Any) -> None:
    frames, mask = shot(5), hole()
    hidden = [torch.where(mask > 0, torch.rand_like(f), f) for f in frames]
    full = (mask > 0).float()
    one, other = (list(inpaint_whole(vace, iter(f), iter([full] * 5), quick())) for f in (frames, hidden))
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", ["vace", "ltx", "ltx2"])
def test_the_next_window_is_handed_what_the_last_one_made(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = request.getfixturevalue(name)
    window, overlap = {**GRIDS, "vace": (13, 5)}[name]
    stride = window - overlap
    settings = quick(window=window, overlap=overlap, steps=FEWEST[name])
    with heard(pipe, monkeypatch) as calls:
        made = list(restyle_whole(pipe, iter(shot(window + 2, 64, 64)), settings))
    assert len(calls) == 2
    first, second = calls
    # The first window's frames are final up to where the second begins; the shared ones are faded from there on.
    if name == "vace":
        assert first["mask"].min() == 1
        assert second["mask"][0, :overlap].max() == 0
        assert second["mask"][0, overlap:].min() == 1
        known = second["video"][0, :overlap]
    else:
        assert first["conditions"] is None
        [condition] = second["conditions"]
        assert (condition.frame_index if name == "ltx" else condition.index) == 0
        known = condition.video[0] if name == "ltx" else condition.frames / 255
    assert len(known) == overlap
    alone = list(restyle_whole(pipe, iter(shot(window + 2, 64, 64)[:window]), settings))
    assert all(torch.equal(a, b) for a, b in zip(alone[:stride], made[:stride], strict=True))
    near = 0 if name != "ltx2" else 0.5 / 255 + 1e-6  # it is given pictures of 8 bits
    assert all((a - b).abs().max() <= near for a, b in zip(alone[stride:], known, strict=True))
    faded = [(a - b).abs().mean() for a, b in zip(made[stride:], known, strict=False)]
    assert 0 < faded[0] < faded[-1]


def drifting(path: Path, gain: Tensor, offset: float) -> Any:
    """A pipeline that goes on from the last frame it is given, its colours a little off each time it is called."""
    tolerate_torchvision()
    from diffusers import WanVACEPipeline

    class Drifting(WanVACEPipeline):
        def __call__(self, **settings: Any) -> Any:
            shown, make = settings["video"][0].clone(), settings["mask"][0].amax((1, 2, 3)) > 0
            if not make.all():
                shown[make] = shown[~make][-1]
            return SimpleNamespace(frames=(shown * gain.view(3, 1, 1) + offset).clamp(0, 1)[None])

    kind: Any = Drifting
    return kind.from_pretrained(path)


def test_colours_do_not_drift_from_window_to_window(vace_folder: Path) -> None:
    pipe = drifting(vace_folder, torch.tensor([1.04, 0.97, 0.95]), 0.01)
    still = [shot(1)[0] * 0.5 + 0.2] * 53
    made = list(restyle_whole(pipe, iter(still), quick(window=13, overlap=5), control=iter(still)))
    # The first window has nothing to hold its colours to; the five after it stay with it.
    off = (made[0] - still[0]).mean((1, 2))
    assert off.abs().max() > 0.02
    assert all((frame - made[0]).mean((1, 2)).abs().max() < 0.002 for frame in made)
    assert all((frame - made[0]).abs().max() < 0.01 for frame in made)
    # What is around a hole holds even the first window's colours to the film's.
    filled = list(inpaint_whole(pipe, iter(still), iter([hole()] * 53), quick(window=13, overlap=5)))
    grey = filled[0][:, 6:12, 8:20].mean((1, 2))
    assert (grey - 0.5).abs().max() < 0.01


@pytest.mark.parametrize("name", ["vace", "ltx", "ltx2"])
def test_between_known_frames(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipe = request.getfixturevalue(name)
    first, last = shot(20)[::19]
    with heard(pipe, monkeypatch) as calls:
        made = list(between(pipe, {0: first, 6: last}, quick(steps=FEWEST[name])))
    assert len(made) == 5
    assert {tuple(frame.shape) for frame in made} == {(3, 20, 37)}
    [call] = calls
    assert call["num_frames"] == 9
    if name == "vace":
        known = call["mask"][0].amax((1, 2, 3)) == 0
        assert known.tolist() == [True, *[False] * 5, True, True, True]
        assert torch.equal(call["video"][0, 0, :, :20, :37], first)
        assert torch.equal(call["video"][0, 6, :, :20, :37], last)
        assert (call["video"][0, 1:6] == 0.5).all()
    elif name == "ltx2":
        # Number k of its latents begins at frame (k - 1) * 8 + 1.
        assert [c.index and (c.index - 1) * 8 + 1 for c in call["conditions"]] == [0, 6, 8]
    else:
        assert [c.frame_index for c in call["conditions"]] == [0, 6, 8]
        assert torch.equal(call["conditions"][1].image[:, :20, :37], last)
    other = list(between(pipe, {0: first, 6: first}, quick(steps=FEWEST[name])))
    assert not torch.equal(made[3], other[3])


@pytest.mark.parametrize("name", ["vace", "ltx", "ltx2"])
def test_the_same_seed_makes_the_same_frames(name: str, request: pytest.FixtureRequest) -> None:
    pipe = request.getfixturevalue(name)
    window, overlap = GRIDS[name]

    def run(**settings: Any) -> list[Tensor]:
        torch.rand(1)  # the global generator is nobody's business
        asked = quick(window=window, overlap=overlap, steps=FEWEST[name], **settings)
        return list(restyle_whole(pipe, iter(shot(window + 1)), asked))

    one, again, other, later = run(seed=3), run(seed=3), run(seed=4), run(seed=3, first=window)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert all(not torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert all(not torch.equal(a, b) for a, b in zip(one, later, strict=True))


@pytest.mark.parametrize("name", ["vace", "ltx", "ltx2"])
def test_strength_keeps_that_much_of_the_film(name: str, request: pytest.FixtureRequest) -> None:
    pipe = request.getfixturevalue(name)
    steps: list[float] = []
    latents: list[Tensor] = []

    def note(pipe: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        steps.append(float(timestep))
        latents.append(tensors["latents"])
        return tensors

    own = pipe.scheduler

    def begun(strength: float, seed: int, count: int = 5) -> Tensor:
        steps.clear()
        latents.clear()
        settings = quick(steps=count, strength=strength, seed=seed, callback_on_step_end=note)
        assert len(list(restyle_whole(pipe, iter(shot(5)), settings))) == 5
        return latents[0]

    moved, taken = {}, {}
    for strength in (0.2, 0.6, 1.0):
        moved[strength] = (begun(strength, 0) - begun(strength, 1)).std()
        taken[strength] = list(steps)
    # The less noise there is to start from, the less the seed matters.
    assert moved[0.2] < 0.9 * moved[0.6]
    assert moved[0.6] < 0.99 * moved[1.0]
    assert len(taken[1.0]) == 5
    assert taken[0.6] == taken[1.0][2:]
    assert taken[0.2] == taken[1.0][4:]
    begun(0.02, 0, 49)  # 1 / 49 * 49 is less than 1
    assert len(steps) == 1
    assert pipe.scheduler is own
    assert all(
        torch.equal(a, b)
        for a, b in zip(shot(5), restyle_whole(pipe, iter(shot(5)), quick(strength=0)), strict=True)
    )


def test_ltx_2_starts_at_the_level_of_its_first_step(ltx2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with heard(ltx2, monkeypatch) as calls:
        settings = quick(steps=5, strength=0.6)
        list(restyle_whole(ltx2, iter(shot(9)), settings, keyframes={4: shot(9)[4]}))
    assert calls[0]["noise_scale"] == pytest.approx(float(ltx2.scheduler.sigmas[0]), abs=1e-6)
    assert calls[0]["noise_scale"] != pytest.approx(calls[0]["sigmas"][0], abs=1e-3)


def test_reference_pictures_and_control_maps_and_key_frames_reach_the_model(vace: Any) -> None:
    frames = shot(6)
    painted = torch.rand(3, 20, 37)

    def run(maps: float | None = None, **settings: Any) -> list[Tensor]:
        control = None if maps is None else iter([torch.full_like(f, maps) for f in frames])
        keyframes = settings.pop("keyframes", None)
        return list(
            restyle_whole(vace, iter(frames), quick(**settings), control=control, keyframes=keyframes)
        )

    plain = run()
    pictures = (torch.rand(3, 50, 30), torch.rand(3, 30, 50), torch.rand(3, 8, 8))
    for other in (
        run(reference=pictures[:1]),
        run(maps=0.0),
        run(maps=1.0),
        run(reference=pictures),
        run(reference=pictures, strength=0.5),
    ):
        assert len(other) == 6
        assert not torch.equal(plain[3], other[3])
    assert len(list(restyle_whole(vace, iter(frames[:1]), quick(reference=pictures)))) == 1
    keyed = run(keyframes={3: painted})
    assert torch.equal(keyed[3], painted)
    assert not torch.equal(keyed[4], plain[4])


def test_frames_are_read_a_window_at_a_time(vace: Any) -> None:
    read: list[int] = []

    def frames() -> Iterator[Tensor]:
        for index, frame in enumerate(shot(30)):
            read.append(index)
            yield frame

    made = restyle_whole(vace, frames(), quick(window=9, overlap=5))
    assert not read
    for index, _ in enumerate(made):
        assert len(read) <= index // 4 * 4 + 9


def test_windows_where_nothing_is_to_be_painted_cost_nothing(
    vace: Any, ltx: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames, empty = shot(30), torch.zeros(1, 20, 37)
    masks = [hole() if i == 20 else empty for i in range(30)]
    with heard(vace, monkeypatch) as calls:
        made = list(inpaint_whole(vace, iter(frames), iter(masks), quick(window=9, overlap=5)))
    assert [torch.equal(a, b) for a, b in zip(frames, made, strict=True)] == [i != 20 for i in range(30)]
    assert len(calls) == 1
    # LTX takes whole frames: those around the one to paint, and a few more.
    with heard(ltx, monkeypatch) as calls:
        list(restyle_whole(ltx, iter(frames), quick(window=33, overlap=9), masks=iter(masks)))
    [call] = calls
    assert len(call["conditions"][0].video[0]) == 17
    assert [c.frame_index for c in call["conditions"][1:]] == [19, 21, 24, 29, 32]


def test_what_is_no_picture_is_refused(vace_folder: Path) -> None:
    pipe = drifting(vace_folder, torch.full((3,), float("nan")), 0)
    with pytest.raises(EngineError, match="float32"):
        list(restyle_whole(pipe, iter(shot(5)), quick()))


def test_the_prompt_is_read_once(vace: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[Any] = []
    forward = type(vace.text_encoder).forward

    def listen(self: Any, *args: Any, **settings: Any) -> Any:
        texts.append(args)
        return forward(self, *args, **settings)

    monkeypatch.setattr(type(vace.text_encoder), "forward", listen)
    for _ in range(2):  # windows, and shots
        settings = quick(prompt="words of this test", window=9, overlap=5, guidance_scale=3.0)
        list(restyle_whole(vace, iter(shot(20)), settings))
    assert len(texts) == 2  # the prompt and the negative prompt


def test_what_cannot_work_is_said_before_a_frame_is_read(
    vace: Any, ltx: Any, ltx2: Any, vace_folder: Path
) -> None:
    def never() -> Iterator[Tensor]:
        raise AssertionError("a frame was read")
        yield

    frames = never()
    with pytest.raises(EngineError, match="Wan VACE"):
        restyle_whole(SimpleNamespace(), frames, quick())
    with pytest.raises(EngineError, match="Wan VACE"):
        inpaint_whole(ltx, frames, never(), quick())
    with pytest.raises(UsageError, match="Wan VACE"):
        restyle_whole(ltx, frames, quick(), control=never())
    with pytest.raises(UsageError, match="Wan VACE"):
        restyle_whole(ltx, frames, quick(reference=(torch.rand(3, 8, 8),)))
    with pytest.raises(UsageError, match=r"4k \+ 1.*Give 13 or 17"):
        restyle_whole(vace, frames, quick(window=16))
    with pytest.raises(UsageError, match=r"8k \+ 1.*Give 9 or 17"):
        restyle_whole(ltx, frames, quick(overlap=10))
    with pytest.raises(UsageError, match="Give fewer"):
        restyle_whole(vace, frames, quick(window=9, overlap=9))
    with pytest.raises(UsageError, match="at least 2"):
        restyle_whole(ltx2, frames, quick(steps=1))
    with pytest.raises(UsageError, match="at 0"):
        between(vace, {3: torch.rand(3, 8, 8)}, quick())
    with pytest.raises(UsageError, match="longer window"):
        between(vace, {0: torch.rand(3, 8, 8), 9: torch.rand(3, 8, 8)}, quick(window=9))
    with pytest.raises(UsageError, match="strength"):
        quick(strength=1.1)
    with pytest.raises(UsageError, match="steps"):
        quick(steps=0)
    with pytest.raises(UsageError, match="control map for frame 2"):
        list(restyle_whole(vace, iter(shot(5)), quick(), control=iter(shot(2))))
    bare = load("WanVACEPipeline", vace_folder)
    bare.vae = None
    with pytest.raises(EngineError, match="no vae"):
        restyle_whole(bare, frames, quick())
