"""The engine taught a painting from one pair."""

import pytest
import torch
from skimage.data import astronaut
from torch import Tensor

from vedit.diffusion import Engine, Prior, denoise, load_engine
from vedit.diffusion.fit import Example, fit
from vedit.diffusion.looks import FITTED
from vedit.errors import UsageError


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine("bundled", torch.device("cpu"))


def photo(left: int) -> Tensor:
    whole = torch.from_numpy(astronaut()).permute(2, 0, 1).float() / 255  # type: ignore[no-untyped-call]
    return whole[:, 40:88, left : left + 64].contiguous()


def painted(engine: Engine, frame: Tensor) -> Tensor:
    (picture,) = denoise(
        iter([Prior(0, frame, None, None)]), engine, strength=1, seed=0, look=FITTED, steps=2
    )
    return picture


def weights(engine: Engine) -> list[Tensor]:
    assert isinstance(engine.denoiser, torch.nn.Module)
    return [p.clone() for p in engine.denoiser.state_dict().values()]


def test_it_learns_to_invert_a_frame_and_its_neighbour(engine: Engine) -> None:
    before = weights(engine)
    told: list[float] = []
    fitted = fit(engine, [Example(photo(180), 1 - photo(180))], steps=36, progress=told.append)
    assert told[-1] == 1
    assert told == sorted(told)
    for left in (180, 200):
        frame = photo(left)
        taught, untaught = (float((painted(e, frame) - (1 - frame)).abs().mean()) for e in (fitted, engine))
        assert taught < 0.6 * untaught
        assert taught < float((frame - (1 - frame)).abs().mean())
    assert all(torch.equal(a, b) for a, b in zip(before, weights(engine), strict=True))


def test_the_same_seed_teaches_the_same(engine: Engine) -> None:
    examples = [Example(photo(180), 1 - photo(180)), Example(photo(260), photo(260).flip(0))]
    with torch.no_grad():  # as its caller may have it; and seeds may be of any size
        one, two, other = (weights(fit(engine, examples, steps=4, seed=s)) for s in (1, 1 + 2**64, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_there_has_to_be_something_to_learn(engine: Engine) -> None:
    with pytest.raises(UsageError, match="nothing to fit"):
        fit(engine, [])
