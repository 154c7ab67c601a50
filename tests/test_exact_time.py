"""Times stay exact however long the film is: arithmetic over hours, in integers and fractions."""

from fractions import Fraction
from functools import cache
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vedit.edits.ramp import curve_over
from vedit.edits.retime import Grid, Moment, Pieces, Ramp
from vedit.frame import Timing
from vedit.video.timing import exact_rate, presentation_times

CINEMA, NTSC = Fraction(24000, 1001), Fraction(30000, 1001)
HOUR = 3600
MILLION = 10**6
CLOCKS = {"own": None, "matroska": Fraction(1, 1000), "mpeg": Fraction(1, 90000)}
exactly = settings(max_examples=60, derandomize=True, database=None, deadline=None)
rates = st.sampled_from([CINEMA, NTSC, Fraction(60000, 1001), Fraction(25), Fraction(60)])
ticks = st.sampled_from(list(CLOCKS.values()))


def tick_of(rate: Fraction, clock: Fraction | None) -> Fraction:
    """The clock, or one on which every frame of the rate falls on a tick."""
    return clock or Fraction(1, rate.numerator)


@cache
def stamp(number: int, rate: Fraction, tick: Fraction) -> int:
    """When frame ``number`` is shown, rounded to the clock as a muxer does."""
    return round(number / (rate * tick))


@pytest.mark.parametrize("hours", [1, 10])
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("rate", [CINEMA, NTSC], ids=["24000/1001", "30000/1001"])
def test_the_rate_of_hours_is_found_exactly(rate: Fraction, clock: str, hours: int) -> None:
    tick = tick_of(rate, CLOCKS[clock])
    step = 1 / (rate * tick)
    up, down = step.numerator, step.denominator
    count = int(hours * HOUR * rate)
    pts = [(2 * n * up + down) // (2 * down) for n in range(count)]
    for hint in (None, Fraction(24)):
        assert exact_rate(pts, tick, hint) == rate


@exactly
@given(rate=rates, clock=ticks, first=st.integers(0, MILLION), late=st.integers(3, 120), by=st.integers(3, 9))
def test_one_late_frame_makes_the_rate_vary(
    rate: Fraction, clock: Fraction | None, first: int, late: int, by: int
) -> None:
    tick = tick_of(rate, clock)
    pts = [stamp(first + n, rate, tick) for n in range(200)]
    assert exact_rate(pts, tick) == rate or clock == Fraction(1, 1000)  # 200 ms stamps may fit a simpler rate
    pts[late] += by
    assert exact_rate(pts, tick) is None


@exactly
@given(first=st.integers(0, MILLION), count=st.integers(2000, 3000))
def test_a_rate_that_changes_halfway_varies(first: int, count: int) -> None:
    """From 24 to 24000/1001 frames a second: no step gives it away on Matroska's clock, only the sum of them."""
    tick = Fraction(1, 1000)
    pts = [stamp(first + n, Fraction(24), tick) for n in range(count)]
    late = pts[-1] + 42
    pts += [late + stamp(n, CINEMA, tick) for n in range(count)]
    assert exact_rate(pts, tick) is None


@exactly
@given(data=st.data(), rate=rates, clock=ticks, first=st.integers(-100, MILLION))
def test_reordered_pictures_keep_their_times(
    data: st.DataObject, rate: Fraction, clock: Fraction | None, first: int
) -> None:
    tick = tick_of(rate, clock)
    shown = [stamp(first + n, rate, tick) for n in range(24)]
    groups = [data.draw(st.permutations(shown[n : n + 4])) for n in range(0, 24, 4)]
    coded = [pts for group in groups for pts in group]
    times, repair = presentation_times([(p, d) for p, d in zip(coded, shown, strict=True)], step=1)
    assert times == tuple(shown)
    assert repair is None


@exactly
@given(rate=rates, number=st.integers(0, MILLION), factor=st.integers(1, 8), start=st.integers(0, 10**7))
def test_a_piece_of_any_frame_is_where_it_belongs(
    rate: Fraction, number: int, factor: int, start: int
) -> None:
    tick = Fraction(1, rate.numerator)
    film = Timing(tick, rate, start, start + stamp(MILLION + 1, rate, tick))
    retime = Pieces(film, factor)
    clock = retime.timing()
    pts, stop = start + stamp(number, rate, tick), start + stamp(number + 1, rate, tick)
    moments = list(retime.moments(pts, stop, number))
    began = start * tick
    assert clock.rate == rate * factor
    assert [m.pts * clock.time_base for m in moments] == [
        began + Fraction(number * factor + k) / (rate * factor) for k in range(factor)
    ]
    assert clock.end * clock.time_base == film.end * tick


@exactly
@given(
    rate=rates,
    clock=ticks,
    number=st.integers(0, MILLION),
    fps=st.sampled_from([Fraction(24), Fraction(60), Fraction(60000, 1001), Fraction(25, 2)]),
)
def test_a_grid_does_not_drift(rate: Fraction, clock: Fraction | None, number: int, fps: Fraction) -> None:
    tick = tick_of(rate, clock)
    film = Timing(tick, rate, 0, stamp(MILLION + 1, rate, tick))
    grid = Grid(film, fps)
    new = grid.timing()
    pts, stop = stamp(number, rate, tick), stamp(number + 1, rate, tick)
    for m in grid.moments(pts, stop, number):
        time = m.pts * new.time_base
        assert time == m.index / fps
        assert pts * tick - tick < time < stop * tick
        assert m.between == 0 or time == pts * tick + m.between * (stop - pts) * tick
    assert new.end * new.time_base == film.end * tick


@exactly
@given(rate=rates, clock=ticks, number=st.integers(0, MILLION))
def test_a_film_on_its_own_grid_is_itself(rate: Fraction, clock: Fraction | None, number: int) -> None:
    tick = tick_of(rate, clock)
    film = Timing(tick, rate, 0, stamp(MILLION + 1, rate, tick))
    pts, stop = stamp(number, rate, tick), stamp(number + 1, rate, tick)
    (moment,) = Grid(film, rate).moments(pts, stop, number)
    assert (moment.index, moment.between) == (number, Fraction(0))
    assert moment.pts * Grid(film, rate).timing().time_base == number / rate


def places(retime: Grid | Pieces | Ramp, pts: list[int], end: int) -> list[tuple[Moment, Fraction]]:
    """Every frame of the new film, and the source tick it shows."""
    return [
        (moment, a + moment.between * (b - a))
        for index, (a, b) in enumerate(pairwise([*pts, end]))
        for moment in retime.moments(a, b, index)
    ]


def test_sound_and_picture_do_not_drift_apart_in_two_hours() -> None:
    """24000/1001 to 60 frames a second: what is shown at any time is what the sound belongs to, to the last tick."""
    count = int(2 * HOUR * CINEMA)
    film = Timing(Fraction(1, 24000), CINEMA, 0, count * 1001)
    grid = Grid(film, Fraction(60))
    clock = grid.timing()
    assert clock.seconds == film.seconds
    shown = 0
    for first in (0, *range(997, count, 9973), count - 50):
        pts = [n * 1001 for n in range(first, min(first + 50, count))]
        for moment, tick in places(grid, pts, pts[-1] + 1001):
            assert moment.pts * clock.time_base == tick * film.time_base == Fraction(moment.index, 60)
            shown = max(shown, moment.index + 1)
            assert moment.duration == 400 or moment.index == shown - 1
    assert shown == -(-(count * 1001 * 60) // 24000)
    last, _ = places(grid, [(count - 1) * 1001], count * 1001)[-1]
    assert (last.pts + last.duration) * clock.time_base == film.seconds


steps = st.lists(st.integers(1, 700), min_size=2, max_size=30)


@exactly
@given(steps=steps, start=st.integers(-500, 10**6), fps=st.sampled_from([Fraction(25), Fraction(60), CINEMA]))
def test_varying_times_to_a_steady_rate_and_back(steps: list[int], start: int, fps: Fraction) -> None:
    tick = Fraction(1, 1000)
    *pts, end = accumulate(steps, initial=start)
    film = Timing(tick, None, start, end)
    curve = curve_over({Fraction(0): Fraction(0), film.seconds: film.seconds / 3}, film.seconds)
    for retime, stretch in (
        (Grid(film, fps), Fraction(1)),
        (Grid(film, fps, Fraction(7, 3)), Fraction(7, 3)),
        (Pieces(film, 3), Fraction(1)),
        (Pieces(film, 3, Fraction(5, 2)), Fraction(5, 2)),
        (Ramp(film, fps, curve), None),
    ):
        clock, found = retime.timing(), places(retime, pts, end)
        moments = [moment for moment, _ in found]
        assert moments[0].pts == clock.start
        assert [m.pts + m.duration for m in moments] == [*(m.pts for m in moments[1:]), clock.end]
        assert [m.index for m in moments] == list(range(len(moments)))
        assert all(0 <= m.between <= 1 for m in moments)
        for moment, at in found:
            new, old = (moment.pts - clock.start) * clock.time_base, (at - start) * tick
            assert old == (new / stretch if stretch else curve.source(new))
        assert clock.seconds == (film.seconds * stretch if stretch else curve.length)
