"""Drift is taken out of a restyled shot; its look and its source's own changes stay."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.edits.colour_lock import FARTHEST, colour_lock

WINDOW, COUNT = 8, 40
MIX = torch.tensor([[0.6, 0.25, 0.05], [0.1, 0.7, 0.1], [0.05, 0.2, 0.55]])
LIFT = torch.tensor([0.06, 0.04, 0.1])


@pytest.fixture(scope="module")
def source() -> Tensor:
    """40 frames 48x64 (rows, columns) of a coloured texture that passes by."""
    dice = torch.Generator().manual_seed(3)
    coarse = F.interpolate(torch.rand(1, 3, 8, 20, generator=dice), scale_factor=8.0, mode="bicubic")[0]
    fine = 0.1 * torch.rand(3, 64, 160, generator=dice)
    world = (0.1 + 0.7 * coarse.clamp(0, 1) + fine).clamp(0, 1)
    return torch.stack([world[:, :48, 2 * i : 2 * i + 64] for i in range(COUNT)])


def styled(source: Tensor) -> Tensor:
    """A look that no affine map of colours is: mixed, lifted, posterised and rough."""
    mixed = torch.einsum("ij,fjyx->fiyx", MIX, source) + LIFT.view(3, 1, 1)
    dice = torch.Generator().manual_seed(1)
    rough = 0.04 * (torch.rand(mixed.shape, generator=dice) - 0.5)
    return (0.8 * mixed + 0.2 * (mixed * 6).round() / 6 + rough).clamp(0, 1)


def locked(source: Tensor, result: Tensor) -> Tensor:
    return torch.stack(list(colour_lock(iter(zip(source, result, strict=True)), WINDOW)))


def drift(result: Tensor) -> Tensor:
    """Every window a little lighter, redder and of more contrast than the one before."""
    windows = (torch.arange(len(result)) // WINDOW).view(-1, 1, 1, 1)
    gain = torch.tensor([1.03, 1.01, 0.98]).view(3, 1, 1) ** windows
    return result * gain + torch.tensor([0.012, 0.006, -0.012]).view(3, 1, 1) * windows


def off(result: Tensor, truth: Tensor) -> Tensor:
    """How far the mean of each channel of each frame is off ``(F,3)``, of 255."""
    return 255 * (result - truth).mean((2, 3)).abs()


def test_where_nothing_drifts_the_pictures_pass_as_they_are(source: Tensor) -> None:
    result = styled(source)
    assert torch.equal(locked(source, result), result)


def test_the_first_window_sets_the_look_and_is_not_touched(source: Tensor) -> None:
    result = drift(styled(source))
    assert torch.equal(locked(source, result)[:WINDOW], result[:WINDOW])


def test_drift_from_window_to_window_goes(source: Tensor) -> None:
    truth = styled(source)
    result = drift(truth)
    before, after = off(result, truth), off(locked(source, result), truth)
    assert float(before[-1].max()) > 20
    assert float(after.max()) < 5
    assert float(after[WINDOW:].mean()) < 0.2 * float(before[WINDOW:].mean())
    joins = torch.arange(WINDOW, COUNT, WINDOW)
    assert float((after[joins] - after[joins - 1]).abs().mean()) < 0.3 * float(
        (before[joins] - before[joins - 1]).abs().mean()
    )


def test_contrast_that_drifts_is_held_too(source: Tensor) -> None:
    truth = styled(source)
    middle = truth.mean((2, 3), keepdim=True)
    result = truth.clone()
    result[WINDOW:] = (middle + 1.2 * (truth - middle))[WINDOW:]
    out = locked(source, result)
    ratio = out[WINDOW:].std((2, 3)) / truth[WINDOW:].std((2, 3))
    assert float((ratio - 1).abs().max()) < 0.05


def test_whites_are_not_tinted(source: Tensor) -> None:
    """A white that could not become any redder is not taken for one that did."""
    lit = source.clone()
    lit[..., :20] = 1
    result = lit.clone()
    result[WINDOW:, 0] += 0.1
    result.clamp_(0, 1)
    out = locked(lit, result)
    assert float((out - lit)[WINDOW:, 0, :, 20:].mean().abs()) < 0.03
    assert float((out - lit)[WINDOW:, ..., :20].abs().max()) < 0.01


@pytest.mark.parametrize("change", ["fade", "flash", "blink"])
def test_fades_and_flashes_of_the_source_stay(change: str, source: Tensor) -> None:
    """To some 3/255 of a change of 80 and more; an edit may fade with its source, or keep what it adds."""
    ramp = torch.ones(COUNT, 1, 1, 1)
    lift = torch.zeros(COUNT, 1, 1, 1)
    if change == "fade":
        ramp[10:] = torch.linspace(1, 0, 30).view(-1, 1, 1, 1)
    elif change == "flash":
        lift[20:22] = 0.3
    else:
        ramp[25] = 0.2
    changed = (source * ramp + lift).clamp(0, 1)
    for truth in (styled(changed), (styled(source) * ramp + lift).clamp(0, 1)):
        assert float(off(locked(changed, truth), truth).max()) < 4
        drifted = drift(truth)
        error = off(locked(changed, drifted), truth)[WINDOW:].mean() / off(drifted, truth)[WINDOW:].mean()
        assert float(error) < 0.5


def test_a_render_that_goes_on_gives_the_same_pictures(source: Tensor) -> None:
    """What became of frames between the first window and those wanted makes no difference."""
    result = drift(styled(source))
    whole = locked(source, result)
    skipped = result.clone()
    skipped[WINDOW:24] = source[WINDOW:24]
    assert torch.equal(locked(source, skipped)[24:], whole[24:])


def test_corrections_are_bounded(source: Tensor) -> None:
    result = 0.5 * styled(source)
    result[WINDOW:] += 0.4
    moved = locked(source, result) - result
    assert 0.9 * FARTHEST < float(moved.mean((2, 3)).abs().max()) < FARTHEST + 1e-4


def test_colours_that_were_never_seen_are_left_alone(source: Tensor) -> None:
    """A relation learned from dark greys says nothing of a bright scene."""
    dark = source * 0.1
    later = torch.cat([dark[:20], 0.9 + 0.1 * source[20:]])
    result = torch.cat([dark[:20], source[20:]])
    assert torch.equal(locked(later, result), result)


def test_no_more_than_a_window_is_held(source: Tensor) -> None:
    taken = 0

    def pairs() -> Iterator[tuple[Tensor, Tensor]]:
        nonlocal taken
        for picture in source:
            taken += 1
            yield picture, picture

    for given, _ in enumerate(colour_lock(pairs(), WINDOW), start=1):
        assert taken == max(WINDOW, given)
    assert given == COUNT


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_shot_shorter_than_a_window_passes(count: int, source: Tensor) -> None:
    pairs = iter(zip(source[:count], source[:count], strict=True))
    assert len(list(colour_lock(pairs, WINDOW))) == count


def test_plain_and_tiny_pictures_do_no_harm() -> None:
    for size in ((1, 1), (2, 50)):
        grey = torch.full((20, 3, *size), 0.5)
        assert torch.equal(locked(grey, 0.5 * grey), 0.5 * grey)
