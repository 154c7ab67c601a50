from fractions import Fraction

import pytest

from vedit.video.timing import common_time_base, exact_rate, presentation_times

MS = Fraction(1, 1000)


@pytest.mark.parametrize(
    "rate", [Fraction(24), Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60), Fraction(50, 3)]
)
def test_rate_is_found_behind_millisecond_stamps(rate: Fraction) -> None:
    stamps = [round(i / rate / MS) + 3 for i in range(400)]
    assert exact_rate(stamps, MS) == rate


def test_short_clips_are_told_apart_by_the_hint() -> None:
    stamps = [round(i * Fraction(1001, 24000) / MS) for i in range(12)]
    assert exact_rate(stamps, MS, hint=Fraction(24000, 1001)) == Fraction(24000, 1001)


def test_even_ticks_need_no_hint_and_ignore_a_wrong_one() -> None:
    assert exact_rate([0, 1001, 2002, 3003], Fraction(1, 30000), hint=Fraction(25)) == Fraction(30000, 1001)


@pytest.mark.parametrize("steps", [[2] * 15 + [3] * 10, [33, 33, 34, 41, 33, 33], [8, 12] * 8])
def test_varying_stamps_have_no_rate(steps: list[int]) -> None:
    stamps = [sum(steps[:i]) for i in range(len(steps) + 1)]
    assert exact_rate(stamps, Fraction(1, 60)) is None


def test_one_stamp_has_no_rate() -> None:
    assert exact_rate([7], MS) is None


def test_common_time_base_divides_both() -> None:
    base = common_time_base(Fraction(1001, 24000), Fraction(1, 60))
    assert base == Fraction(1, 24000)


@pytest.mark.parametrize(
    ("stamps", "shown", "repaired"),
    [
        ([(0, -2), (4, 0), (2, 2)], (0, 2, 4), False),
        ([(None, 0), (None, 2), (None, 4)], (0, 2, 4), True),
        ([(None, None)] * 3, (0, 2, 4), True),
        ([(None, None), (None, None), (0, 0), (2, 2)], (-4, -2, 0, 2), True),
        ([(0, 0), (0, 0), (0, 0)], (0, 2, 4), True),
        ([(0, 0), (2, 2), (2, 4), (4, 6)], (0, 2, 3, 4), True),
        ([(0, 0), (2, 2), (9999, 4), (6, 6)], (0, 2, 4, 6), True),
        ([(0, 0), (2, 2), (9999, 4), (10001, 6)], (0, 2, 9999, 10001), False),
    ],
)
def test_presentation_times(
    stamps: list[tuple[int | None, int | None]], shown: tuple[int, ...], repaired: bool
) -> None:
    times, repair = presentation_times(stamps, 2)
    assert times == shown
    assert (repair is not None) == repaired
