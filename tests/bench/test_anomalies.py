"""`vedit bench anomalies` on a small film, and its faults by themselves."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from vedit.analysis.anomalies.moment import Anomaly, Kind
from vedit.bench.anomalies import Clean, Planted, spoiled, tallies
from vedit.bench.faults import FAULTS, Dice, Fault, Picture, Pictures
from vedit.bench.jumps import visible
from vedit.bench.sound_faults import spoiled_sound
from vedit.cli.main import main


def pan(count: int, seed: int = 0) -> Pictures:
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4 + count // 8, 3), np.uint8)
    scene = cv2.resize(coarse, (96 + 3 * count, 64), interpolation=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(scene[:, 3 * i : 3 * i + 96]) for i in range(count)]


def alike(picture: Picture, other: Picture) -> bool:
    """But for a thing that was pasted in."""
    return float((picture == other).mean()) > 0.6


def test_faults_are_where_they_are_said_to_be() -> None:
    pictures, others = pan(600), pan(20, seed=1)
    counts: Counter[Kind] = Counter()
    film, faults = spoiled(pictures, [0, 300], others, Dice(3), counts)
    assert counts == Counter(fault.kind for fault in faults)
    assert set(counts) == set(FAULTS)
    lost = 0
    for fault in faults:
        source = fault.start + lost
        assert not 290 <= source < 310
        if fault.kind == "drop":
            missing = int(fault.detail.split()[0])
            assert alike(film[fault.start - 1], pictures[source - 1])
            assert alike(film[fault.start], pictures[source + missing])
            lost += missing
        elif fault.kind == "freeze":
            assert all(alike(film[k], pictures[source]) for k in range(fault.start, fault.stop))
        elif fault.kind == "reversal":
            run = pictures[source : source + fault.stop - fault.start]
            held = film[fault.start : fault.stop]
            assert all(alike(a, b) for a, b in zip(held, run[::-1], strict=True))
        elif fault.kind != "appearing object":
            assert not alike(film[fault.start], pictures[source]) or fault.kind == "glitch"
            assert not np.array_equal(film[fault.start], film[fault.stop])
    assert len(film) == 600 - lost
    again, same = spoiled(pictures, [0, 300], others, Dice(3), Counter())
    assert same == faults
    assert all(np.array_equal(a, b) for a, b in zip(film, again, strict=True))


def test_nothing_is_dropped_where_nothing_moves() -> None:
    still: list[Picture] = pan(1) * 300
    _, faults = spoiled(still, [0], pan(20, seed=1), Dice(0), Counter())
    assert faults
    assert not {"freeze", "drop", "reversal"} & {fault.kind for fault in faults}


def test_what_is_lost_is_visible_where_it_leaps() -> None:
    scene = pan(1, seed=2)[0]
    scene = np.asarray(cv2.resize(scene, (400, 64), interpolation=cv2.INTER_CUBIC), np.uint8)

    def seen(places: Sequence[int], length: int) -> bool:
        return visible([np.ascontiguousarray(scene[:, at : at + 96]) for at in places], 12, length)

    even = [2 * k for k in range(30)]
    shaking = [40 + (8 if k % 4 < 2 else -8) + k for k in range(30)]
    assert seen(even, 3)
    assert not seen(shaking, 3)
    assert not seen([10 + k // 6 for k in range(30)], 3)


def test_faults_of_the_sound() -> None:
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (5 * 8000, 2)).astype(np.float32)
    made, faults = spoiled_sound(8000, samples, Fraction(25), Dice(0))
    assert {fault.kind for fault in faults} == {"drop-out", "click"}
    for fault in faults:
        part = slice(8000 * fault.start // 25, 8000 * fault.stop // 25)
        assert not np.array_equal(made[part], samples[part])
        if fault.kind == "drop-out":
            assert (made[part] == 0).all(axis=1).sum() >= 0.03 * 8000


def test_what_is_counted() -> None:
    def told(kind: Kind, start: int) -> Anomaly:
        return Anomaly(kind, start, start + 1, Fraction(start), Fraction(start + 1), 0.7, None)

    results: list[Planted | Clean] = [
        Clean("a", 1000, 60.0, False, (told("drop", 5),)),
        Clean("b", 1000, 60.0, True, ()),
        Planted(
            "a",
            (Fault("drop", 50, 51, visible=False), Fault("flash", 90, 92)),
            (told("drop", 53), told("glitch", 92)),
        ),
        Planted("b", (Fault("drop", 50, 51),), (told("drop", 60),)),
    ]
    of = {tally.kind: tally for tally in tallies(results)}
    drop, flash = of["drop"], of["flash"]
    assert (drop.planted, drop.right, drop.any, drop.told, drop.true, drop.alarms) == (2, 1, 1, 2, 1, 1)
    assert (drop.visible, drop.seen, flash.visible, flash.recall_of_visible) == (1, 0, 1, 0)
    assert (drop.recall, drop.precision, drop.per_minute) == (0.5, 0.5, 0.5)
    assert (flash.planted, flash.right, flash.any, flash.recall, flash.precision) == (1, 0, 1, 0, None)
    assert (of["click"].minutes, of["click"].recall) == (1, None)


def test_the_command(film: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    clip = str(film(shots=(60,)))
    assert main(["bench", "anomalies", clip, "--passes", "1", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["event"] for line in lines[:2]] == ["protocol", "clean"]
    assert lines[1]["frames"] == 60
    kinds = {line["kind"]: line for line in lines if line["event"] == "kind"}
    assert set(FAULTS) < set(kinds)
    planted = [line for line in lines if line["event"] == "planted"]
    assert sum(kind["planted"] for kind in kinds.values()) == sum(len(line["faults"]) for line in planted) > 0
    assert main(["bench", "anomalies", clip, str(film("b.mp4", shots=(12,))), "--json"]) != 0
    said = capsys.readouterr()
    assert said.err.startswith("error: b.mp4 has 12 pictures, too few for a fault")
    assert [json.loads(line)["event"] for line in said.out.splitlines()] == ["protocol", "error"]
    assert main(["bench", "anomalies", clip, "--passes", "0"]) != 0
    capsys.readouterr()
    assert main(["bench", "anomalies", clip, "--passes", "1", "--quiet"]) == 0
    rows = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, rows)) <= 80
    assert {kind for kind in kinds if any(row.startswith(f"{kind}  ") for row in rows)} == set(kinds)
