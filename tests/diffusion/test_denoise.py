import copy
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.diffusion import Engine, Prior, denoise, load_engine, sample
from vedit.diffusion.blocks import Models
from vedit.diffusion.painter import Painter
from vedit.diffusion.schedule import last_steps_timetable, partial_timesteps
from vedit.errors import EngineError, UsageError
from vedit.flow.pairs import pair_flow
from vedit.torchvision_ops import tolerate_torchvision

tolerate_torchvision()
from diffusers import HeunDiscreteScheduler, LCMScheduler, PNDMScheduler  # noqa: E402

FRAMES = 19


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("bundled", torch.device("cpu"))


@pytest.fixture(scope="module")
def pan() -> list[Tensor]:
    """A pan over a photograph, one pixel a frame."""
    photo = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    return [photo[:, 40:88, 180 + i : 244 + i].contiguous() for i in range(FRAMES)]


def priors(frames: list[Tensor], mask: Tensor | None = None) -> Iterator[Prior]:
    for i, frame in enumerate(frames):
        yield Prior(i, frame, mask, pair_flow(frames[i - 1], frame, quality="draft") if i else None)


def run(frames: list[Tensor], engine: Engine, *, mask: Tensor | None = None, strength: float = 0.6, seed: int = 0,
        window: int = 6) -> Tensor:  # fmt: skip
    return torch.stack(
        list(denoise(priors(frames, mask), engine, strength=strength, seed=seed, steps=2, window=window))
    )


def test_strength_zero_is_the_identity(pan: list[Tensor], engine: Engine) -> None:
    assert torch.equal(run(pan, engine, strength=0), torch.stack(pan))


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 9, 19])
def test_one_picture_comes_out_per_frame(pan: list[Tensor], engine: Engine, count: int) -> None:
    assert run(pan[:count], engine).shape == (count, 3, 48, 64)


def test_same_seed_same_pixels_other_seed_other_pixels(pan: list[Tensor], engine: Engine) -> None:
    assert torch.equal(run(pan[:6], engine), run(pan[:6], engine))
    assert not torch.equal(run(pan[:6], engine), run(pan[:6], engine, seed=1))


def test_more_strength_changes_more(pan: list[Tensor], engine: Engine) -> None:
    film = torch.stack(pan[:4])
    little, much = ((run(pan[:4], engine, strength=s) - film).abs().mean() for s in (0.1, 0.9))
    assert float(little) < float(much)


def test_the_known_region_is_held(pan: list[Tensor], engine: Engine) -> None:
    mask = torch.zeros(1, 48, 64)
    mask[:, 16:32, 16:32] = 1
    film = torch.stack(pan[:8])
    change = (run(pan[:8], engine, mask=mask, strength=1) - film).abs().mean((0, 1))
    far = torch.cat([change[:, 52:].flatten(), change[40:, :].flatten()])
    assert float(far.mean()) < 0.03  # no more than the codec's own error
    assert float(change[16:32, 16:32].mean()) > 1.5 * float(far.mean())


def test_an_empty_mask_keeps_the_picture(pan: list[Tensor], engine: Engine) -> None:
    out = run(pan[:5], engine, mask=torch.zeros(1, 48, 64), strength=1)
    assert float((out - torch.stack(pan[:5])).abs().mean()) < 0.03


def test_only_a_few_blocks_are_held(pan: list[Tensor], engine: Engine) -> None:
    taken = 0

    def counted() -> Iterator[Prior]:
        nonlocal taken
        for prior in priors(pan):
            taken += 1
            yield prior

    next(denoise(counted(), engine, strength=0.5, seed=0, steps=2, window=4, overlap=1))
    assert taken <= 3 * (2 + 1)  # stride times (steps + 1)


def test_windows_join_without_a_jump(pan: list[Tensor], engine: Engine) -> None:
    """The step from one frame to the next is no larger where a window ends than elsewhere."""
    still = [pan[0]] * 12
    out = run(still, engine, window=6)  # blocks of 4: joins between 3|4 and 7|8
    steps = (out[1:] - out[:-1]).abs().mean((1, 2, 3))
    assert float(steps[[3, 7]].max()) < 0.02


def test_settings_out_of_range_are_refused(pan: list[Tensor], engine: Engine) -> None:
    with pytest.raises(UsageError, match=r"strength is 1\.5"):
        run(pan[:1], engine, strength=1.5)
    with pytest.raises(UsageError, match="steps is 0"):
        next(denoise(priors(pan[:1]), engine, strength=0.5, seed=0, steps=0))
    with pytest.raises(EngineError, match="'sd15' is no engine of ours"):
        load_engine("sd15", torch.device("cpu"))
    lcm: Any = LCMScheduler()  # type: ignore[no-untyped-call]
    with pytest.raises(UsageError, match=r"LCMScheduler cannot take 60 steps"):
        last_steps_timetable(lcm, 60, 1.0, engine.device)
    with pytest.raises(UsageError, match=r"strength 0\.6 of 1 steps is less than one step") as refused:
        last_steps_timetable(lcm, 1, 0.6, engine.device)
    assert "at least 2 steps" in refused.value.remedy


@pytest.mark.parametrize(
    "scheduler",
    [PNDMScheduler(skip_prk_steps=True), HeunDiscreteScheduler()],  # type: ignore[no-untyped-call]
)
def test_a_frame_of_less_strength_joins_late(pan: list[Tensor], engine: Engine, scheduler: Any) -> None:
    """PNDM has a step more than it is asked for, Heun nearly twice as many."""
    painter = Painter(engine.denoiser, torch.zeros(1, dtype=torch.long), "none", engine.dtype)
    timetable = partial(last_steps_timetable, scheduler, device=engine.device)
    models = Models(engine.codec, painter, timetable, engine.device)

    def made(strength: float, own: float | None) -> Tensor:
        prior = Prior(0, pan[0], None, None, strength=own)
        return next(sample(iter([prior]), models, strength=strength, seed=0, steps=4, window=1, overlap=0))

    assert torch.equal(made(0.75, 0.75), made(0.75, None))
    if isinstance(scheduler, HeunDiscreteScheduler):  # which looks at no step before
        assert torch.equal(made(0.75, 0.5), made(0.5, None))


def test_numbers_that_overflow_make_no_black_film(pan: list[Tensor], engine: Engine) -> None:
    broken = copy.deepcopy(engine.denoiser)
    next(broken.parameters()).fill_(float("inf"))
    with pytest.raises(EngineError, match="frame 0 came out as no picture"):
        run(pan[:1], replace(engine, denoiser=broken))


@pytest.mark.parametrize(
    ("steps", "strength", "wanted"),
    [
        (4, 1.0, [999, 749, 499, 249]),
        (4, 0.5, [499, 374, 249, 124]),
        (4, 0.9, [899, 674, 449, 224]),
        (4, 0.0, []),
        (1, 0.3, [299]),
    ],
)
def test_strength_is_the_share_of_the_noise(steps: int, strength: float, wanted: list[int]) -> None:
    assert partial_timesteps(steps, strength) == wanted


@pytest.mark.parametrize("wanted", [1, 9, 14, 18])
def test_pictures_from_a_wanted_one_on_are_those_of_a_whole_run(
    pan: list[Tensor], engine: Engine, wanted: int
) -> None:
    settings = {"strength": 0.6, "seed": 0, "steps": 2, "window": 4, "overlap": 1}
    whole = torch.stack(list(denoise(priors(pan), engine, **settings)))  # type: ignore[arg-type]
    short = torch.stack(list(denoise(priors(pan), engine, wanted=wanted, **settings)))  # type: ignore[arg-type]
    assert torch.equal(short[wanted:], whole[wanted:])
    untouched = [torch.equal(a, b) for a, b in zip(short, pan, strict=True)]
    assert sum(untouched) == max(0, (wanted - 2 * 3) // 3) * 3
