"""Numbers as lines: axes that hold them, and the worst of a long film still to be seen."""

import re
from math import nan

import pytest

from vedit.pages.plots import POINTS, axis, time_ticks
from vedit.pages.words import clock
from vedit.report.measures import MEASURES, Series
from vedit.report.plots import DRAWN, plot, plots


def series(**values: list[float]) -> Series:
    """A second for every 25 pictures; what is not given was not measured."""
    made = Series()
    count = len(next(iter(values.values())))
    made.seconds.extend(i / 25 for i in range(count))
    for name in MEASURES:
        made.values[name].extend(values.get(name, [nan] * count))
    return made


def points(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML]([\d.-]+) ([\d.-]+)", path)]


def test_a_line_goes_through_every_picture() -> None:
    drawn = plot("psnr", series(psnr=[30, 40, 35, 30]), 4 / 25)
    assert points(drawn.lines[0].path) == [(0, 100), (250, 0), (500, 50), (750, 100)]
    assert drawn.lines[0].values == (30, 40, 35, 30)
    assert [(tick.at, tick.text) for tick in drawn.ticks] == [(1, "30"), (0.5, "35"), (0, "40")]
    assert drawn.summary == "PSNR over time: result from 30.0 to 40.0 dB"


def test_a_line_breaks_where_nothing_was_measured() -> None:
    drawn = plot("warp", series(warp_reference=[nan, 1, 1, nan, 1], warp_result=[nan, 2, 2, nan, 2]), 0.2)
    assert [line.whose for line in drawn.lines] == ["reference", "result"]
    assert drawn.lines[1].path.count("M") == 2
    assert drawn.lines[1].values == (None, 2, 2, None, 2)


def test_the_worst_of_a_long_film_is_drawn() -> None:
    values = [40.0] * 100_000
    values[77_777] = 21.0
    errors = [1.0] * 100_000
    errors[33_333] = 9.0
    low, high = (
        plot("psnr", series(psnr=values), 4000),
        plot("warp", series(warp_reference=errors[::-1], warp_result=errors), 4000),
    )
    assert len(low.seconds) <= POINTS
    assert min(v for v in low.lines[0].values if v is not None) == 21
    assert low.seconds[low.lines[0].values.index(21)] == 77_777 / 25
    assert max(v for v in high.lines[1].values if v is not None) == 9
    assert high.seconds[high.lines[1].values.index(9)] == pytest.approx(33_333 / 25, abs=1e-4)
    assert all(len(line.path) < 30 * POINTS for line in high.lines)


def test_what_was_never_measured_is_left_out() -> None:
    assert [one.name for one in plots(series(psnr=[30.0, 31.0]), ("psnr", "ssim", "warp"), 0.08)] == ["psnr"]


@pytest.mark.parametrize("name", DRAWN)
def test_equal_values_are_a_level_line(name: str) -> None:
    measures = [measure for *_, measure in DRAWN[name].lines]
    drawn = plot(name, series(**{measure: [1.0] * 3 for measure in measures}), 0.12)
    assert len({y for line in drawn.lines for _, y in points(line.path)}) == 1
    assert 2 <= len(drawn.ticks) <= 5


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 0.0), (0.93, 0.971), (0, 3.4), (12, 49.9), (-3, 2), (0, 1e-9)]
)
def test_an_axis_holds_its_values(low: float, high: float) -> None:
    bottom, top, ticks = axis(low, high, from_zero=False)
    assert bottom <= low
    assert top >= high
    assert ticks[0] == pytest.approx(bottom)
    assert 2 <= len(ticks) <= 6


def test_time_is_written_as_on_a_clock() -> None:
    assert [clock(s) for s in (0, 3.5, 61.04, 3723)] == ["0:00.000", "0:03.500", "1:01.040", "1:02:03.000"]
    assert [tick.text for tick in time_ticks(2.6)] == [
        "0:00.0",
        "0:00.5",
        "0:01.0",
        "0:01.5",
        "0:02.0",
        "0:02.5",
    ]
    assert len(time_ticks(7200)) <= 9
    assert len(time_ticks(60000)) <= 9
