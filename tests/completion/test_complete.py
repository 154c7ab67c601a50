"""Windows completed from evidence, by the net that ships and by nets that always answer the same."""

import copy
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.completion import weights
from vedit.completion.complete import Completed, View, complete
from vedit.completion.evidence import Evidence, gather
from vedit.completion.net import CHANNELS, GRAIN, CompletionNet, assembled, mixed
from vedit.completion.weights import load_completion
from vedit.errors import EngineError
from vedit.flow.complete import harmonic
from vedit.frame import Frame
from vedit.window import Window

HEIGHT, WIDTH = 64, 96
SMOOTH, AHEAD, BEHIND, CARRIED = range(4)
CPU = torch.device("cpu")


def always(source: int, add: float = 0.0) -> CompletionNet:
    """A net that takes all it can of one source, and adds the same everywhere."""
    net = CompletionNet().eval().requires_grad_(False)
    assert net.close.bias is not None
    net.close.bias[source] = 20
    net.close.bias[4:] = add
    return net


def texture(height: int, width: int, seed: int = 0) -> Tensor:
    noise = torch.rand(1, 3, height // 4, width // 4, generator=torch.Generator().manual_seed(seed))
    blobs = F.interpolate(noise, (height, width), mode="bicubic", align_corners=False)[0].clamp(0, 1)
    return (blobs * 255).round() / 255


def pan(count: int, step: int = 3) -> Tensor:
    wide = texture(HEIGHT, WIDTH + step * count)
    return torch.stack([wide[:, :, i * step : i * step + WIDTH] for i in range(count)])


HOLE = torch.zeros(1, HEIGHT, WIDTH)
HOLE[:, 22:42, 40:52] = 1
UNDER = HOLE[0] > 0


def evidence(frames: Tensor, masks: Tensor = HOLE, radius: int = 8) -> Iterator[Evidence]:
    covered = masks.expand(len(frames), -1, -1, -1)
    films = (
        (Frame(i, 1, f * (1 - m), index=i), m) for i, (f, m) in enumerate(zip(frames, covered, strict=True))
    )
    return gather(films, "normal", radius)


def a_picture(picture: Tensor, hole: Tensor) -> Evidence:
    """A frame of its own, of which no other shows anything."""
    window = Window(0, picture.shape[-2], 0, picture.shape[-1])
    smooth = harmonic((picture * (1 - hole))[None], hole[None])[0]
    nothing = torch.cat([smooth, torch.zeros(4, *smooth.shape[-2:])])
    return Evidence(Frame(0, 1, picture), hole, window, smooth, nothing, nothing)


def parts(done: Completed) -> tuple[Tensor, Tensor]:
    assert done.pixels is not None
    assert done.real is not None
    return done.pixels, done.real


def error(a: Tensor, b: Tensor, where: Tensor = UNDER) -> float:
    return float((a - b)[..., where].square().mean())


def test_shares_are_of_what_is_there_and_add_up_to_one() -> None:
    generator = torch.Generator().manual_seed(0)
    seen = torch.rand(2, CHANNELS, 16, 16, generator=generator)
    seen[:, [7, 14, 21]] = (seen[:, [7, 14, 21]] > 0.5).float()
    answer = torch.randn(2, 7, 16, 16, generator=generator)
    answer[:, 4:] = 0
    drawn, shares = mixed(seen, answer)
    assert torch.allclose(shares.sum(1), torch.ones(2, 16, 16), atol=1e-5)
    for share, known in zip(shares.unbind(1)[1:], (seen[:, 7], seen[:, 14], seen[:, 21]), strict=True):
        assert share[known == 0].max() < 1e-6
        assert share[known == 1].min() > 1e-3
    nothing = (seen[:, [7, 14, 21]] == 0).all(1)
    assert (drawn - seen[:, :3]).abs().amax(1)[nothing].max() < 1e-5


def test_the_input_shows_the_picture_where_nothing_is_carried() -> None:
    picture, hole, side = torch.rand(1, 3, 16, 16), torch.zeros(1, 1, 16, 16), torch.zeros(1, 7, 16, 16)
    carried = torch.rand(1, 4, 16, 16)
    carried[:, 3] = 1
    carried[..., :8] = 0
    seen = assembled(picture, hole, side, side, carried)
    assert seen.shape == (1, CHANNELS, 16, 16)
    assert torch.equal(seen[:, 18:21, :, :8], picture[..., :8])
    assert torch.equal(seen[:, 18:22, :, 8:], carried[..., 8:])


def test_an_untrained_net_takes_the_same_of_everything() -> None:
    seen = torch.rand(1, CHANNELS, 2 * GRAIN, GRAIN)
    assert bool((CompletionNet()(seen) == 0).all())


@pytest.mark.parametrize("source", [AHEAD, BEHIND])
def test_what_is_taken_of_other_frames_is_real(source: int) -> None:
    truth, taken = pan(12), 0
    for seen, done in zip(evidence(truth), complete(evidence(truth), always(source)), strict=True):
        assert seen.picture is not None
        found = seen.ahead if source == AHEAD else seen.behind
        assert found is not None
        pixels, real = parts(done)
        there = UNDER & (found[3] > 0)
        taken += int(there.sum())
        assert bool((real[0, there] > 0.99).all())
        assert bool(((pixels - found[:3])[:, there].abs() < 0.02).all())
        assert torch.equal(pixels[:, ~UNDER], seen.picture[:, ~UNDER])
    assert taken > 0.6 * 12 * int(UNDER.sum())


def test_the_frame_before_is_seen_as_it_was_completed_and_where_it_is_now() -> None:
    """The first frame's hole is filled with grey, and every later one takes what it can of the one before."""
    truth = pan(4, step=2)
    films = complete(evidence(truth, radius=1), always(CARRIED))
    first, _ = parts(next(films))
    second, real = parts(next(films))
    moved = torch.roll(first, -2, -1)
    inner = UNDER.clone()
    inner[:, :42] = inner[:, 48:] = False
    assert error(second, moved, inner) < 1e-4
    # What came to the hole from outside was seen there: it is real; what was made up before still is not.
    assert real[0, :, 50:52][UNDER[:, 50:52]].mean() > 0.9
    assert real[0][inner].max() < 0.1


def test_what_is_made_up_keeps_still_while_its_surroundings_flicker() -> None:
    noise = torch.randn(10, 3, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(1)) * 0.05
    frames = (pan(10, step=0) + noise).clamp(0, 1)
    frames = (frames * 255).round() / 255
    smooth = torch.stack([s.picture for s in evidence(frames) if s.picture is not None])
    done = torch.stack([parts(d)[0] for d in complete(evidence(frames), always(SMOOTH))])
    flicker = [float(film[4:].diff(dim=0)[..., UNDER].abs().mean()) for film in (smooth, done)]
    assert flicker[1] < 0.5 * flicker[0]
    assert error(done[4:].mean(0), smooth[4:].mean(0)) < 1e-3


def test_a_shot_begins_anew_after_frames_without_a_hole() -> None:
    frames, masks = pan(8, step=0), HOLE.repeat(8, 1, 1, 1)
    masks[2:6] = 0
    given = list(complete(evidence(frames, masks), always(CARRIED, add=0.1)))
    assert [done.pixels is not None for done in given] == [True, True, False, False, False, False, True, True]
    assert all(torch.equal(done.mask, mask) for done, mask in zip(given, masks, strict=True))
    # The frame before the second hole is known, and shows what is there.
    pixels, real = parts(given[6])
    assert error(pixels, frames[6] + 0.1) < 0.002
    assert real[0, UNDER].mean() > 0.99


def test_colours_stay_in_range() -> None:
    for add in (-3.0, 3.0):
        for done in complete(evidence(pan(3)), always(SMOOTH, add)):
            pixels, _ = parts(done)
            assert pixels.min() >= 0
            assert pixels.max() <= 1


def test_the_net_that_ships_beats_the_smooth_filling() -> None:
    truth = pan(12)
    net = load_completion(CPU)
    smooth = torch.stack([s.picture for s in evidence(truth) if s.picture is not None])
    done = torch.stack([parts(d)[0] for d in complete(evidence(truth), net)])
    assert error(done[3:9], truth[3:9]) < 0.1 * error(smooth[3:9], truth[3:9])
    # And where nothing is found: stripes that any eye would continue.
    stripes = ((torch.arange(HEIGHT) // 6 % 2) * 0.6 + 0.2).view(1, HEIGHT, 1).expand(3, -1, WIDTH)
    alone = a_picture(stripes, HOLE)
    assert alone.picture is not None
    ((pixels, real),) = (parts(d) for d in complete(iter([alone]), net))
    assert error(pixels, stripes) < 0.75 * error(alone.picture, stripes)
    assert real.max() < 1e-6


def test_all_views_together_know_no_left_and_right() -> None:
    """The mean over the mirror images of a mirrored picture is the mirrored mean."""
    net = copy.deepcopy(load_completion(CPU)).float()
    seen = a_picture(texture(HEIGHT, WIDTH, 3), HOLE)
    assert seen.picture is not None
    assert seen.ahead is not None

    def answer(axes: tuple[int, ...], views: Sequence[View]) -> Tensor:
        assert seen.picture is not None
        assert seen.ahead is not None
        side = seen.ahead.flip(axes)
        turned = Evidence(seen.frame, HOLE.flip(axes), seen.window, seen.picture.flip(axes), side, side)
        return parts(next(complete(iter([turned]), net, views)))[0].flip(axes)

    once, right, down, both = View(), View((-1,)), View((-2,)), View((-1, -2))
    for axes in ((-1,), (-2,), (-1, -2)):
        every = (once, right, down, both)
        assert (answer(axes, every) - answer((), every)).abs().max() < 0.005
    assert (answer((-1,), (once, right)) - answer((), (once, right))).abs().max() < 0.005
    assert (answer((-1,), (once,)) - answer((), (once,))).abs().max() > 0.01
    assert (answer((), (once, once)) - answer((), (once,))).abs().max() < 1e-5


def test_a_view_of_half_the_size_says_what_a_picture_half_as_large_would() -> None:
    """What a net says of a picture shown at half its size is what it says of the smaller picture, made larger."""
    net = stirred()
    for weight in net.close.parameters():
        weight.mul_(0.1)  # so that all colours stay in range
    seen = a_picture(0.3 + 0.4 * texture(96, 128, 3), F.pad(torch.ones(1, 32, 48), (32, 48, 32, 32)))
    assert seen.picture is not None
    assert seen.ahead is not None
    smooth, side, hole = (F.avg_pool2d(t, 2) for t in (seen.picture, seen.ahead, seen.mask))
    small = Evidence(Frame(0, 1, smooth), hole, Window(0, 48, 0, 64), smooth, side, side)
    ((large, _),) = (parts(d) for d in complete(iter([seen]), net, (View((-1,), 2),)))
    ((half, _),) = (parts(d) for d in complete(iter([small]), net, (View((-1,)),)))
    added = large - seen.picture
    expected = F.interpolate((half - smooth)[None], scale_factor=2, mode="bilinear")[0]
    inside = F.max_pool2d(1 - seen.mask, 5, 1, 2)[0] == 0
    assert added.abs().max() > 0.01
    assert torch.allclose(added[:, inside], expected[:, inside], atol=0.01 * float(added.abs().max()))


@pytest.mark.parametrize(("height", "width"), [(63, 97), (17, 15), (5, 9), (1, 1)])
def test_any_size_and_a_hole_that_is_everything(height: int, width: int) -> None:
    net = load_completion(CPU)
    for hole in (torch.ones(1, height, width), F.pad(torch.ones(1, 1, 1), (0, width - 1, 0, height - 1))):
        seen = a_picture(texture(64, 100)[:, :height, :width], hole)
        ((pixels, real),) = (parts(d) for d in complete(iter([seen]), net, (View(), View((-1,), 2))))
        assert pixels.shape == (3, height, width)
        assert bool(torch.isfinite(pixels).all())
        assert real.max() < 1e-6


def test_large_windows_are_thought_about_at_half_their_size() -> None:
    """But the colours that are mixed are those of the full size."""
    fine = torch.rand(3, 841, 843, generator=torch.Generator().manual_seed(0))
    hole = torch.zeros(1, 841, 843)
    hole[:, 300:400, 300:420] = 1
    seen = a_picture(fine, hole)
    ahead = torch.cat([fine, torch.ones(1, 841, 843), torch.zeros(3, 841, 843)])
    seen = Evidence(seen.frame, hole, seen.window, seen.picture, ahead, ahead)
    ((pixels, real),) = (parts(d) for d in complete(iter([seen]), always(AHEAD)))
    assert pixels.shape == (3, 841, 843)
    assert (pixels - fine).abs().max() < 1e-4
    assert torch.equal(real.round(), hole)


@pytest.mark.parametrize(
    "spoil", [None, b"", b"no tensors here", "half"], ids=["missing", "empty", "text", "half"]
)
def test_weights_that_cannot_be_read_are_said(
    spoil: bytes | str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "completion.safetensors"
    if spoil is not None:
        whole = weights.WEIGHTS.read_bytes()
        path.write_bytes(spoil if isinstance(spoil, bytes) else whole[: len(whole) // 2])
    monkeypatch.setattr(weights, "WEIGHTS", path)
    load_completion.cache_clear()
    with pytest.raises(EngineError, match=r"completion\.safetensors cannot be read"):
        load_completion(CPU)


def test_the_net_is_loaded_once_and_left_as_it_is() -> None:
    net = load_completion(CPU)
    assert load_completion(CPU) is net
    assert not any(p.requires_grad for p in net.parameters())
    assert not net.training


def stirred() -> CompletionNet:
    """A net whose every layer says something."""
    net = CompletionNet().eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(0)
    for weight in net.parameters():
        weight.copy_(torch.randn(weight.shape, generator=generator) * 0.05)
    return net


@pytest.mark.parametrize(
    "box",
    [
        Window(32, 52, 40, 72),
        Window(0, 4, 0, 4),
        Window(76, 96, 100, 112),
        Window(0, 96, 44, 48),
        Window(0, 96, 0, 112),
    ],
)
def test_an_answer_for_a_box_is_that_for_the_whole(box: Window) -> None:
    net = stirred()
    seen = torch.rand(1, CHANNELS, 96, 112, generator=torch.Generator().manual_seed(1))
    whole, part = net(seen), net(seen, [box])
    assert whole.abs().mean() > 1e-3
    assert torch.allclose(box.of(part), box.of(whole), atol=1e-5)
    box.of(part)[:] = 0
    assert bool((part == 0).all())


@pytest.mark.parametrize("size", [(90, 150), (900, 1000)])
def test_holes_are_completed_as_if_the_net_had_answered_for_everything(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = torch.Generator().manual_seed(2)
    frame = Frame(0, 1, torch.rand(3, *size, generator=generator), index=0)
    mask = torch.zeros(1, *size)
    mask[:, 16:32, 24:40] = mask[:, 60:63, 101:149] = mask[:, -9:, -1:] = 1
    net = stirred()
    (done,) = complete(gather(iter([(frame, mask)]), "normal", 1), net)
    monkeypatch.setattr("vedit.completion.complete.WORTH", 0)
    (whole,) = complete(gather(iter([(frame, mask)]), "normal", 1), net)
    assert done.pixels is not None
    assert whole.pixels is not None
    assert torch.allclose(done.pixels, whole.pixels, atol=1e-5)
