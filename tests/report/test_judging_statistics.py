"""Intervals and strengths against values worked out by hand, and what must hold of any."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedit.report.judging_statistics import T, Z, bradley_terry, mean_estimate, wilson


def test_wilson_as_worked_out_by_hand() -> None:
    found = wilson(8, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 0.4902, 0.9433), abs=1e-4)
    found = wilson(0, 10)
    assert (found.value, found.low, found.high) == pytest.approx((0, 0, 0.2775), abs=1e-4)
    found = wilson(4.5, 9)
    assert (found.value, found.low, found.high) == pytest.approx((0.5, 0.2265, 0.7735), abs=1e-4)


@given(st.integers(1, 500).flatmap(lambda count: st.tuples(st.integers(0, 2 * count), st.just(count))))
def test_wilson_holds_the_share_and_knows_no_side(answers: tuple[int, int]) -> None:
    halves, count = answers
    ours, theirs = wilson(halves / 2, count), wilson(count - halves / 2, count)
    assert ours.low is not None
    assert ours.high is not None
    assert theirs.high is not None
    assert 0 <= ours.low <= ours.value + 1e-12
    assert ours.value - 1e-12 <= ours.high <= 1
    assert ours.low == pytest.approx(1 - theirs.high)
    more = wilson(4 * halves / 2, 4 * count)
    assert more.high is not None
    assert more.low is not None
    assert more.high - more.low < ours.high - ours.low


def test_a_mean_as_worked_out_by_hand() -> None:
    found = mean_estimate([2, 3, 4], 1, 5)
    assert (found.value, found.low, found.high) == pytest.approx((3, 1, 5))
    found = mean_estimate([3, 3, 4, 4], 1, 5)
    half = 3.1824 * sqrt(1 / 3) / 2
    assert (found.value, found.low, found.high) == pytest.approx((3.5, 3.5 - half, 3.5 + half))
    assert mean_estimate([4], 1, 5).low is None


def test_the_quantiles_are_those_of_student() -> None:
    stats = pytest.importorskip("scipy.stats")
    assert list(T) == pytest.approx([stats.t.ppf(0.975, freedom) for freedom in range(1, 31)], abs=1e-3)
    for count in (32, 50, 200):
        found = mean_estimate([0, 1] * (count // 2), -9, 9)
        assert found.high is not None
        half = stats.t.ppf(0.975, count - 1) * 0.5 / sqrt(count - 1)
        assert found.high - 0.5 == pytest.approx(half, rel=1e-4)


def test_two_candidates_as_worked_out_by_hand() -> None:
    """7 of 10 and a tie: 7.5 of 11. The difference is its log odds, of variance 1 / (11 p q); a score is half of it."""
    better, worse = bradley_terry(np.array([[0, 7.0], [3, 0]]))
    p = 7.5 / 11
    half = Z / 2 / sqrt(11 * p * (1 - p))
    assert better.value == pytest.approx(log(p / (1 - p)) / 2)
    assert (better.low, better.high) == pytest.approx((better.value - half, better.value + half))
    assert worse.value == pytest.approx(-better.value)


def test_known_strengths_are_found_again() -> None:
    strengths = np.array([1.2, 0.3, -0.4, -1.1])
    chance = 1 / (1 + np.exp(strengths[None] - strengths[:, None]))
    wins = 2000 * chance * (1 - np.eye(4))
    assert [one.value for one in bradley_terry(wins)] == pytest.approx(strengths, abs=0.01)


counts = st.integers(2, 5).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 60), min_size=n, max_size=n), min_size=n, max_size=n)
)


@given(counts)
def test_scores_explain_the_wins(table: list[list[int]]) -> None:
    """At the greatest likelihood everybody wins as often as the scores foretell, and the order given plays no part."""
    wins = np.array(table, float)
    np.fill_diagonal(wins, 0)
    found = bradley_terry(wins)
    scores = np.array([one.value for one in found])
    assert np.isfinite(scores).all()
    assert scores.sum() == pytest.approx(0, abs=1e-9)
    won = wins + 0.5 * (1 - np.eye(len(wins)))
    foretold = (won + won.T) / (1 + np.exp(scores[None] - scores[:, None]))
    np.fill_diagonal(foretold, 0)
    assert foretold.sum(1) == pytest.approx(won.sum(1), abs=1e-4)
    again = bradley_terry(wins[::-1, ::-1])
    assert [one.value for one in again][::-1] == pytest.approx(list(scores), abs=1e-5)


def test_a_candidate_that_always_wins_has_a_finite_score() -> None:
    first, second, third = bradley_terry(np.array([[0, 9.0, 9], [0, 0, 9], [0, 0, 0]]))
    assert first.value > second.value > third.value
    assert first.high is not None
    assert first.high < 20
