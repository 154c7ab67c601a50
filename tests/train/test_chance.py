"""The noise that painters read: white, and local."""

from itertools import pairwise

import numpy as np
import pytest

from vedit.train.painters import Chance
from vedit.train.painters.chance import CELL


def chance(seed: int = 0, height: int = 384, width: int = 512) -> Chance:
    return Chance.seeded(height, width, seed)


def with_another_cell(before: Chance, row: int, column: int) -> Chance:
    noise = before.noise.copy()
    noise[:, row, column] += 5
    return Chance(noise, before.height, before.width)


def test_the_same_seed_gives_the_same_noise_on_the_latents_grid() -> None:
    assert np.array_equal(chance().noise, chance().noise)
    assert not np.array_equal(chance().noise, chance(1).noise)
    assert Chance.seeded(97, 161, 0).noise.shape == (8, 25, 41)


@pytest.mark.parametrize("size", [3, 5, 7.5, 8, 12, 20, 40])
def test_grain_has_mean_0_and_deviation_1_at_every_size(size: float) -> None:
    grain = np.stack([chance(seed).grain(size, channel) for seed in range(3) for channel in (0, 5)])
    assert grain.shape[1:] == (384, 512)
    assert abs(grain.mean()) < 0.1
    assert grain.std() == pytest.approx(1, abs=0.25)


def test_a_cloud_has_deviation_1_too() -> None:
    clouds = np.stack([chance(seed).cloud(40, 2) for seed in range(4)])
    assert clouds.std() == pytest.approx(1, abs=0.25)


def test_larger_grain_changes_more_slowly() -> None:
    slopes = [np.abs(np.diff(chance().grain(size, 0), axis=1)).mean() for size in (4, 8, 16, 32)]
    assert all(a > 1.4 * b for a, b in pairwise(slopes))


def test_channels_are_independent() -> None:
    a, b = (chance().grain(10, channel).ravel() for channel in (1, 2))
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.15


@pytest.mark.parametrize("size", [4, 10, 24])
def test_a_cell_changes_what_is_near_it_and_nothing_far_away(size: float) -> None:
    before, row, column = chance(), 40, 60
    after = with_another_cell(before, row, column)
    changed = before.grain(size, 3) != after.grain(size, 3)
    assert changed[row * CELL + 1, column * CELL + 1]
    reach = int(3 * size) + 4 * CELL
    near = np.zeros_like(changed)
    near[row * CELL - reach : row * CELL + reach, column * CELL - reach : column * CELL + reach] = True
    assert not changed[~near].any()


@pytest.mark.parametrize("spacing", [8, 16, 30])
def test_spots_are_about_so_far_apart_and_never_on_each_other(spacing: float) -> None:
    spots = chance().spots(spacing, 1)
    assert spots.dtype == np.float32
    apart = np.hypot(*(spots[:, None] - spots[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(spots))
    nearest = apart.min(1)
    assert nearest.min() >= 0.35 * spacing
    assert 0.6 * spacing < np.median(nearest) < 1.5 * spacing
    assert 0.3 < len(spots) / (384 * 512 / spacing**2) < 1.3


def test_spots_move_with_their_noise() -> None:
    before, down, right, margin = chance(), 2, 3, 64
    after = Chance(np.roll(before.noise, (down, right), (1, 2)), before.height, before.width)

    def inner(spots: np.ndarray) -> set[tuple[float, float]]:
        x, y = spots.T
        kept = (x > margin) & (x < 512 - margin) & (y > margin) & (y < 384 - margin)
        return {(float(a), float(b)) for a, b in spots[kept]}

    moved = inner(before.spots(14, 1) + np.array([right * CELL, down * CELL], np.float32))
    assert len(moved) > 100
    assert moved == inner(after.spots(14, 1))


def test_a_point_reads_its_cell_and_what_lies_outside_the_nearest_one() -> None:
    noise = chance()
    points = np.array([[CELL * 7 + 1, CELL * 2 + 3], [-5, -5], [9999, 9999]], np.float32)
    read = noise.at(points, 6)
    assert read.tolist() == [noise.noise[6, 2, 7], noise.noise[6, 0, 0], noise.noise[6, -1, -1]]


def test_uniform_numbers_are_spread_evenly() -> None:
    y, x = np.mgrid[0:384:CELL, 0:512:CELL]
    values = chance().uniform(np.stack([x.ravel(), y.ravel()], -1).astype(np.float32), 4)
    assert np.abs(values).max() <= 1
    share, _ = np.histogram(values, bins=4, range=(-1, 1))
    assert share / len(values) == pytest.approx([0.25] * 4, abs=0.02)
