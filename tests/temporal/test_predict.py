"""What comes next is the motion carried forward, corrected by a net that remembers along the flow."""

from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from vedit.diffusion.engine import load_engine
from vedit.errors import InputError, UsageError
from vedit.flow.pairs import pair_flow
from vedit.flow.warp import warp
from vedit.latents.bundled import BundledCodec
from vedit.metrics.fidelity import psnr
from vedit.temporal.extrapolate import extrapolate
from vedit.temporal.foresee import foresee
from vedit.temporal.kinds import FORESIGHTS, Foresight
from vedit.temporal.memories import memory
from vedit.temporal.predict import HORIZON, WEIGHTS, Ahead, Past, Predictor, load_predictor, times

CPU = torch.device("cpu")


def codec() -> BundledCodec:
    held = load_engine("bundled", CPU).codec
    assert isinstance(held, BundledCodec)
    return held


def panning(frames: int, step: int = 3, height: int = 64, width: int = 96) -> Tensor:
    """A texture that moves to the left by ``step`` pixels a frame, ``(F, 3, H, W)``."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, height // 8, (width + step * frames) // 8, generator=generator)
    wide = F.interpolate(coarse, (height, width + step * frames), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([wide[:, :, i * step : i * step + width] for i in range(frames)])


@pytest.mark.parametrize("kind", FORESIGHTS)
def test_the_bundled_predictors_know_where_a_pan_goes(kind: Foresight) -> None:
    film = panning(12)
    seen = list(islice(foresee(list(film[:4]), load_predictor(kind, CPU), codec()), 4))
    inner = slice(16, -16)
    for k, one in enumerate(seen):
        truth = film[4 + k, :, inner, inner]
        for picture in (one.mean, one.sharp):
            predicted = psnr(picture[None, :, inner, inner], truth[None])
            assert predicted > psnr(film[3, None, :, inner, inner], truth[None]) + 3, f"{k + 1} ahead"
            assert picture.shape == one.decoded.shape == film[0].shape
        assert one.sharp.min() >= 0
        assert one.sharp.max() <= 1


def test_motion_is_carried_forward_to_where_it_leads() -> None:
    film = panning(8)
    way, landed = extrapolate(film[2], film[3], pair_flow(film[2], film[3])).back(4.0)
    inner = slice(16, -16)
    assert torch.allclose(way[0, 0, inner, inner], torch.tensor(12.0), atol=0.7)
    assert landed[..., :40].all()
    assert not landed[..., -8:].any(), "nothing is known of what comes in"
    assert psnr(warp(film[3, None], way)[..., inner, 16:60], film[7, None, :, inner, 16:60]) > 30


@pytest.mark.parametrize("kind", FORESIGHTS)
def test_an_untrained_net_holds_mostly_to_the_motion(kind: Foresight) -> None:
    torch.manual_seed(0)
    latents = [torch.randn(2, 8, 6, 10) for _ in range(3)]
    still, seen = torch.zeros(2, 2, 6, 10), torch.ones(2, 1, 6, 10)
    past = Past(latents, [still, still], [seen, seen])
    flow = torch.full((2, 2, 6, 10), 1.0)
    first = next(Predictor(kind)(past, iter([Ahead(flow, seen, 1.0, 1.0)])))
    assert not first.latents.any()
    assert not first.offsets.any()
    assert torch.allclose(first.weights.sum(1), torch.ones(2, 6, 10))
    assert (first.weights[:, 0] > 0.9).all()
    assert torch.allclose(first.gains[:, 0], torch.tensor(1.0), atol=0.02)


@pytest.mark.parametrize("kind", FORESIGHTS)
def test_a_memory_travels_along_the_flow_and_forgets_what_is_hidden(kind: Foresight) -> None:
    """Moved a cell to the right, all that is read moves too; what was hidden leaves no trace."""
    torch.manual_seed(1)
    net = memory(kind, 32).eval()
    first, second = torch.randn(1, 32, 9, 16), torch.randn(1, 32, 9, 16)
    still, seen = torch.zeros(1, 2, 9, 16), torch.ones(1, 1, 9, 16)
    with torch.no_grad():
        _, state = net(first, None, still, seen)
        here, _ = net(second, state, still, seen)
        _, moved = net(first.roll(2, -1), None, still, seen)
        flow = torch.cat([torch.full_like(seen, 2.0), torch.zeros_like(seen)], 1)
        there, _ = net(second, moved, flow, seen)
        alone, _ = net(second, None, still, seen)
        hidden, _ = net(second, state, still, torch.zeros_like(seen))
    inner = slice(5, -5)  # no border in reach
    assert torch.allclose(here[..., inner], there[..., inner], atol=1e-4)
    assert torch.allclose(alone, hidden, atol=1e-6)
    assert not torch.allclose(here, alone, atol=1e-3)


def test_what_goes_on_for_long_comes_to_rest() -> None:
    every = list(islice(times(), 200))
    assert [time for time, _ in every[:HORIZON]] == list(range(1, HORIZON + 1))
    steps = [step for _, step in every]
    assert all(0 <= b < a + 1e-12 for a, b in pairwise(steps)), "it only gets slower"
    assert steps[-1] < 1e-9
    assert every[-1][0] < HORIZON + 3.001
    film = panning(4)
    seen = list(islice(foresee(list(film), load_predictor("rnn", CPU), codec()), 70))
    late = (seen[69].sharp - seen[60].sharp).abs().max()
    assert late < 2 / 255, "after 60 frames it stands still"


def test_a_predictor_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("mine.safetensors")
    save_file({k: v for k, v in load_file(WEIGHTS).items() if k.startswith("lstm.")}, path)
    ours = load_predictor("lstm", CPU)
    for name in ("mine.safetensors", "./mine.safetensors", str(path.absolute())):
        mine = load_predictor(name, CPU)
        assert all(torch.equal(a, b) for a, b in zip(mine.parameters(), ours.parameters(), strict=True))
    with pytest.raises(UsageError, match="kind is 'gru'"):
        load_predictor("gru", CPU)
    path.write_bytes(b"nothing")  # another file in its place is seen
    with pytest.raises(InputError, match=r"mine\.safetensors holds no predictor"):
        load_predictor("mine.safetensors", CPU)


@pytest.mark.parametrize(
    ("pattern", "frames"), [("10", 5), ("110", 8), ("11110", 12), ("10100", 13), ("1", 6), ("100", 9)]
)
def test_frames_that_repeat_in_a_rhythm_go_on_doing_so(pattern: str, frames: int) -> None:
    """Drawings on twos, 24 frames shown as 30: each new picture holds as long as before, and moves as far."""
    drawings = panning(30)
    shown, place = [], 0
    for i in range(frames + 6):
        place += i > 0 and pattern[i % len(pattern)] == "1"
        shown.append(place)
    film = [drawings[k] for k in shown]
    seen = list(islice(foresee(film[:frames], load_predictor("rnn", CPU), codec()), 6))
    last, inner = film[frames - 1], slice(24, -24)
    for k, one in enumerate(seen):
        truth = film[frames + k]
        before = seen[k - 1].mean if k else last
        if shown[frames + k] == shown[frames + k - 1]:
            assert torch.allclose(one.mean, before, atol=1e-5), f"{k + 1} ahead nothing is new"
        else:
            assert (one.mean - before).abs().mean() > 0.01
        if shown[frames + k] != shown[frames - 1]:
            wrong, still = ((p - truth)[:, inner, inner].abs().mean() for p in (one.mean, last))
            assert wrong < 0.5 * still, f"{k + 1} ahead"


def test_what_stands_still_and_what_has_no_rhythm_is_shown_as_before() -> None:
    film = panning(9)
    still = list(islice(foresee([film[0]] * 8, load_predictor("rnn", CPU), codec()), 3))
    assert all((one.mean - film[0]).abs().mean() < 0.02 for one in still)
    uneven = [film[k] for k in (0, 1, 1, 2, 3, 4, 5, 5, 6)]
    plain = foresee(uneven[-4:], load_predictor("rnn", CPU), codec())
    assert torch.allclose(next(foresee(uneven, load_predictor("rnn", CPU), codec())).mean, next(plain).mean)
