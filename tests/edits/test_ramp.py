from fractions import Fraction
from itertools import pairwise

import pytest
import torch

from vedit.clip import Clip
from vedit.edits.interpolate import Interpolate
from vedit.edits.ramp import Curve, curve_over, ramp_keys
from vedit.errors import UsageError
from vedit.frame import Timing

KEYS = "0=0, 2=1, 4=4"


def test_keys_are_met_exactly_and_the_film_goes_on_to_its_end() -> None:
    curve = curve_over(ramp_keys(KEYS), Fraction(6))
    assert [curve.source(Fraction(x)) for x in (0, 2, 4, 6)] == [0, 1, 4, 6]
    assert curve.length == 6
    assert curve_over(ramp_keys({"1/3": "1/7"}), Fraction(1)).keys[1] == (Fraction(1, 3), Fraction(1, 7))


@pytest.mark.parametrize("keys", [KEYS, "1=4,2=5,9=5,10=6", "3=0,4=6", "1/3=1/7,2/3=3,7=6"])
def test_time_never_runs_back_and_its_speed_does_not_jump(keys: str) -> None:
    curve = curve_over(ramp_keys(keys), Fraction(6))
    steps = [curve.source(curve.length * i / 2000) for i in range(2001)]
    speeds = [float((b - a) * 2000 / curve.length) for a, b in pairwise(steps)]
    assert min(speeds) >= 0
    assert max(abs(b - a) for a, b in pairwise(speeds)) < 0.05 * max(speeds)
    assert [steps[0], steps[-1]] == [0, 6]


def test_a_steady_ramp_is_slow_motion() -> None:
    curve = Curve(((Fraction(0), Fraction(0)), (Fraction(4), Fraction(2)), (Fraction(8), Fraction(4))))
    assert all(curve.source(Fraction(i, 7)) == Fraction(i, 14) for i in range(57))


def test_reading_it_backwards_gives_the_time() -> None:
    curve = curve_over(ramp_keys(KEYS), Fraction(6))
    for i in range(60):
        x = Fraction(i, 10)
        assert abs(curve.shown(curve.source(x)) - x) < Fraction(1, 10**8)


def test_the_frames_of_a_ramp() -> None:
    timing = Timing(Fraction(1, 1000), Fraction(25), 40, 4040)
    edit = Interpolate(ramp="0=0,4=2")
    clock = edit.timing(timing)
    assert [clock.rate, clock.seconds, clock.start * clock.time_base] == [25, 6, Fraction(40, 1000)]
    faster = Interpolate(ramp="0=0,4=2", fps=60).timing(timing)
    assert [faster.rate, faster.seconds] == [60, 6]
    pictures = torch.linspace(0, 1, 11)[:, None, None, None].expand(11, 3, 8, 8)  # too small to move: blended
    out = Interpolate(ramp={0: 0, 1: "1/2"}).apply(Clip.at_rate(pictures, 10))
    assert len(out.frames) == 16  # 1.6 s
    assert torch.equal(out.frames[10], pictures[5])
    shown = out.frames[:, 0, 0, 0].diff()
    assert (shown >= 0).all()
    assert shown[:8].mean() < 0.75 * shown[11:14].mean()


def test_a_freeze_shows_one_picture() -> None:
    pictures = torch.linspace(0, 1, 11)[:, None, None, None].expand(11, 3, 8, 8)
    out = Interpolate(ramp="0.5=0.5,1.5=0.5").apply(Clip.at_rate(pictures, 10))
    assert len(out.frames) == 21
    assert all(torch.equal(frame, pictures[5]) for frame in out.frames[5:16])
    assert not torch.equal(out.frames[16], pictures[5])


def test_a_ramp_that_asks_for_too_much_says_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"up to 4 s of a film that lasts 3\.003 s.*exactly 3003/1000"):
        Interpolate(ramp=KEYS).timing(Timing(Fraction(1, 1000), Fraction(25), 0, 3003))
    with pytest.raises(UsageError, match=r"rate varies.*--fps 30"):
        Interpolate(ramp=KEYS).timing(Timing(Fraction(1, 1000), None, 0, 5000))
