"""What texts and numbers hold at which frame: the grammar, the way between keys."""

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from vedit.diffusion.prompting import parse
from vedit.diffusion.ramps import parse_ramp
from vedit.errors import UsageError

RATE = Fraction(24000, 1001)


def at(spec: str | Mapping[int | str, str], index: int, shot: int = 1) -> dict[str, Fraction]:
    """The texts of a frame of a film of 24000/1001 frames per second."""
    return dict(parse(spec).at(index, index / RATE, shot))


@pytest.mark.parametrize(
    "text",
    [
        "a forest",
        "a forest: burning; ashes: grey",
        "0: a forest; and more",
        "2049: a city in neon",
        "1920s: a jazz club",
        "16:9 film still; 4:3 too",
        "0:48 on a clock",
        "2.5: the sequel",
        "-1: below zero",
        "close shot: a face; 2: b",
        "shot 7: a man",
    ],
)
def test_a_plain_text_stays_one(text: str) -> None:
    schedule = parse(f"  {text}\n")
    assert schedule.texts == (text,)
    assert schedule.at(5, Fraction(1)) == ((text, Fraction(1)),)


def test_between_keys_the_way_is_straight_and_outside_it_is_held() -> None:
    spec = "12: a forest; 48: a burning forest; 60: ashes"
    assert at(spec, 0) == {"a forest": 1}
    assert at(spec, 12) == {"a forest": 1}
    assert at(spec, 21) == {"a forest": Fraction(3, 4), "a burning forest": Fraction(1, 4)}
    assert at(spec, 48) == {"a burning forest": 1}
    assert at(spec, 59) == {"a burning forest": Fraction(1, 12), "ashes": Fraction(11, 12)}
    assert at(spec, 6000) == {"ashes": 1}


def test_times_are_exact_seconds() -> None:
    spec = "0s: a; 1:00: b; 00:02:00.5: c"
    assert parse(spec).at(0, Fraction(30)) == (("a", Fraction(1, 2)), ("b", Fraction(1, 2)))
    assert parse(spec).at(0, Fraction(60)) == (("b", Fraction(1)),)
    assert parse(spec).at(0, Fraction(241, 2)) == (("c", Fraction(1)),)


def test_frames_and_times_go_together() -> None:
    """48 frames last 2.002 s; from there to 4.004 s are 48 more, from then to frame 120 the last 24."""
    spec = "0: a; 48: b; 4.004s: c; 120: d"
    assert at(spec, 72) == {"b": Fraction(1, 2), "c": Fraction(1, 2)}
    assert at(spec, 96) == {"c": 1}
    assert at(spec, 108) == {"c": Fraction(1, 2), "d": Fraction(1, 2)}
    with pytest.raises(UsageError, match="1s comes before key 48 in this film"):
        at("0: a; 48: b; 1s: c", 30)


def test_a_shot_has_its_text_to_the_cut() -> None:
    spec = "shot 1: a street; Shot 3: a room"
    assert at(spec, 10, 1) == at(spec, 20, 2) == {"a street": 1}
    assert at(spec, 30, 3) == at(spec, 40, 9) == {"a room": 1}
    assert at("shot 2: a; shot 3: b", 0, 1) == {"a": 1}


def test_a_table_means_the_same_in_any_order() -> None:
    string = parse("0: a; 48: b; 120: c")
    assert parse({0: "a", 48: "b", 120: "c"}) == string
    assert parse({"0": "a", "120": "c", "48": "b"}) == string
    assert hash(parse({"0": " a ", 48: "b", "120": "c"})) == hash(string)
    assert parse({"shot 1": "a; b", "shot 2": "16:9"}).texts == ("a; b", "16:9")
    assert parse({48: "a"}) == parse("0: a") == parse("a")


def test_the_same_text_twice_is_one() -> None:
    schedule = parse("0: a; 10: b; 20: a; 30: a")
    assert schedule.texts == ("a", "b")
    assert schedule.at(25, Fraction(1)) == (("a", Fraction(1)),)


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        ("", "no text"),
        ("  ", "no text"),
        ({}, "empty table"),
        ("0: a; 48: ; 60: b", "at 48 is '', which is no text"),
        ("0: a; 0: b", "key 0 twice"),
        ("0: a; 60s: b; 1:00: c", "key 60s twice"),
        ("0: a; 48: b; 24: c", "key 24 after 48"),
        ("0: a; 2s: b; 1s: c", "key 1s after 2s"),
        ("-4: a; 8: b", "'-4'"),
        ("0: a; 2.5: b", "'2.5', which is no frame's index. For seconds, write 2.5s"),
        ("0: a; 1:75: b", "'1:75'"),
        ("0: a; 1:75:00: b", "'1:75:00'"),
        ("shot 0: a; shot 1: b", "Count shots from 1"),
        ("shot 1: a; 48: b", "by shot and others"),
        ("0: a; dark; 48: b", "part 'dark', which says neither"),
        ({"soon": "a"}, "'soon', which is no frame"),
        ({True: "a"}, "True, which is no frame"),
        ({0: "a", "00": "b"}, "key 0 twice"),
        ({0: 3}, "3, which is no text"),
    ],
)
def test_what_cannot_be_meant_is_refused(spec: str | Mapping[int | str, str], problem: str) -> None:
    with pytest.raises(UsageError) as told:
        parse(spec)
    assert problem in str(told.value)
    assert told.value.remedy


always = settings(max_examples=200, derandomize=True, database=None, deadline=None)
words = some.text(min_size=1).map(str.strip).filter(bool)
seconds = some.decimals(0, 9999, places=3, allow_nan=False).map(lambda s: f"{s}s")
tables = some.one_of(
    some.dictionaries(some.integers(0, 10**6), words, min_size=1),
    some.dictionaries(seconds, words, min_size=1),
    some.dictionaries(some.integers(1, 99).map("shot {}".format), words, min_size=1),
)


@always
@given(tables)
def test_a_keyed_text_says_what_a_table_says(table: Mapping[int | str, str]) -> None:
    schedule = parse(table)
    pairs = zip(schedule.timeline.keys, schedule.values, strict=True)
    text = "; ".join(f"{key}: {value.replace(';', chr(92) + ';')} " for key, value in pairs)
    assert len(table) == 1 or parse(text) == schedule


@always
@given(
    some.dictionaries(some.integers(0, 300), words, min_size=1),
    some.fractions(1, 120),
    some.integers(0, 400),
)
def test_weights_add_up_and_never_jump(table: Mapping[int | str, str], rate: Fraction, index: int) -> None:
    """From one frame to the next no text gains or loses more than the nearest keys' distance allows."""
    schedule = parse(table)
    now, then = (dict(schedule.at(i, i / rate)) for i in (index, index + 1))
    assert sum(now.values()) == sum(then.values()) == 1
    assert all(weight > 0 for weight in now.values())
    places = sorted(int(key) for key in table)
    step = min([Fraction(1, b - a) for a, b in pairwise(places) if a <= index < b], default=Fraction(0))
    assert all(
        abs(now.get(text, Fraction(0)) - then.get(text, Fraction(0))) <= step for text in schedule.texts
    )


@always
@given(some.integers(1, 200), some.fractions(Fraction(1, 10), 20), some.fractions(1, 60))
def test_the_way_from_a_frame_to_a_time_only_goes_on(frame: int, more: Fraction, rate: Fraction) -> None:
    end = f"{float(frame / rate + more):.3f}s"
    schedule = parse({0: "a", frame: "b", end: "c"})
    weights = [dict(schedule.at(i, i / rate)).get("c", Fraction(0)) for i in range(frame, frame + 50)]
    assert weights[0] == 0
    assert weights == sorted(weights)


def test_a_ramp_is_a_number_for_every_frame() -> None:
    ramp = parse_ramp("strength", "0: 0.3; 48: 0.8")
    assert [ramp.at(i, i / RATE) for i in (0, 24, 48, 99)] == [0.3, 0.55, 0.8, 0.8]
    assert parse_ramp("strength", {"48": 0.8, "0": 0.3}) == parse_ramp("strength", "0:0.3;48:.80;") == ramp
    assert parse_ramp("strength", 0.6).at(7, Fraction(1)) == parse_ramp("strength", "0.6").at(0, Fraction(0))
    assert parse_ramp("strength", "shot 1: 0.2; shot 2: 1").at(0, Fraction(0), 2) == 1
    assert parse_ramp("strength", "0s: 0.2; 2s: 1").at(24, Fraction(1)) == 0.6


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (1.2, "strength is 1.2"),
        (float("nan"), "strength is nan"),
        ("much", "'much', which is no number"),
        ("", "'', which is no number"),
        ({}, "strength is empty"),
        ("0: 0.3; 48: 1.8", "strength is 1.8"),
        ("0: 0.3; 48: high", "'high', which is no number"),
        ("48: 0.3; 0: 0.5", "key 0 after 48"),
        ("soon: 0.3; 48: 0.5", "'soon', which is no frame"),
        ("0: 0.3; 0.5", "no frame, time or shot"),
    ],
)
def test_a_wrong_ramp_is_refused(given: float | str | Mapping[int | str, float], problem: str) -> None:
    with pytest.raises(UsageError) as told:
        parse_ramp("strength", given)
    assert problem in str(told.value)
    assert told.value.remedy
