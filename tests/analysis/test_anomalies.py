"""Faults in films of which it is known where they are, and films without any."""

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.container import OutputContainer
from corpus import Picture, write
from numpy.typing import NDArray

import vedit
from vedit.analysis.anomalies.watching import Anomalies
from vedit.cli.main import main

RATE = 25
SIZE = (160, 96)
DICE = np.random.default_rng(5)


def texture(seed: int, width: int = 900, cell: int = 8) -> Picture:
    dice = np.random.default_rng(seed)
    coarse = dice.integers(0, 256, (SIZE[1] // cell + 1, width // cell, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (width, SIZE[1]), interpolation=cv2.INTER_CUBIC), np.uint8)


SCENE, OTHER, SOFT = texture(1), texture(2), texture(3, cell=24)


def pan(count: int, scene: Picture = SCENE) -> list[Picture]:
    """A camera that pans at three pixels a picture."""
    return [np.ascontiguousarray(scene[:, 3 * i : 3 * i + SIZE[0]]) for i in range(count)]


def passing(number: int) -> Picture:
    """A thing that passes before what stands still."""
    picture = SCENE[:, : SIZE[0]].copy()
    picture[36:58, 4 + number : 26 + number] = OTHER[36:58, 100:122]
    return picture


def film(path: Path, pictures: Sequence[Picture]) -> Path:
    return write(path, range(len(pictures)), draw=lambda number: pictures[number])


def moments(path: Path) -> list[tuple[str, int, int]]:
    found = vedit.analyse(path, anomalies=True).anomalies
    assert found is not None
    return sorted(((one.kind, one.start, one.stop) for one in found), key=lambda one: one[1])


def test_every_kind_of_fault(tmp_path: Path) -> None:
    pictures = pan(240)
    pictures[30:39] = [pictures[29]] * 9
    pictures[64:65] = [np.ascontiguousarray(OTHER[:, 50 : 50 + SIZE[0]])]
    pictures[90:92] = [(p + (255.0 - p) * 0.6).astype(np.uint8) for p in pictures[90:92]]
    for k in (115, 116):
        pictures[k] = pictures[k].copy()
        pictures[k][24:72, 40:104] = DICE.integers(0, 256, (48, 64, 3), np.uint8)
    pictures[140:154] = pictures[140:154][::-1]
    for k in range(180, 240):
        pictures[k] = pictures[k].copy()
        pictures[k][30:62, 50:90] = OTHER[30:62, 300:340]
    path = film(tmp_path / "a.mp4", pictures)
    found = vedit.analyse(path, anomalies=True)
    assert found.anomalies is not None
    assert sorted(((one.kind, one.start, one.stop) for one in found.anomalies), key=lambda one: one[1]) == [
        ("freeze", 29, 39),
        ("foreign frame", 64, 65),
        ("flash", 90, 92),
        ("glitch", 115, 117),
        ("reversal", 140, 154),
        ("appearing object", 180, 181),
    ]
    scores = [one.score for one in found.anomalies]
    assert scores == sorted(scores, reverse=True)
    assert all(0.5 <= score < 1 for score in scores)
    for one in found.anomalies:
        assert (one.begins, one.ends) == (Fraction(one.start, RATE), Fraction(one.stop, RATE))
        assert one.thumbnail is not None
        assert one.thumbnail[:2] == b"\xff\xd8"
    assert "6 anomalies" in found.summary
    facts = json.loads(found.to_json())["anomalies"]
    assert [one["kind"] for one in facts] == [one.kind for one in found.anomalies]
    assert facts[0]["begins"] == str(found.anomalies[0].begins)


def test_missing_pictures(tmp_path: Path) -> None:
    """Whether all of the picture moves or a small thing does."""
    for name, pictures in (("pan", pan(100)), ("thing", [passing(i) for i in range(100)])):
        del pictures[50:54]
        assert moments(film(tmp_path / f"{name}.mp4", pictures)) == [("drop", 50, 51)], name


def swinging(count: int) -> list[Picture]:
    """A hand-held camera that pans to and fro."""
    dice = np.random.default_rng(8)
    places = 60 + 40 * np.sin(2 * np.pi * np.arange(count) / 60) + dice.uniform(-0.6, 0.6, count)
    matrices = [np.array([[1, 0, -place], [0, 1, dice.uniform(-0.6, 0.6)]]) for place in places]
    return [np.asarray(cv2.warpAffine(SOFT, m, SIZE), np.uint8) for m in matrices]


def test_missing_pictures_where_motion_is_uneven(tmp_path: Path) -> None:
    """Where it is as fast as it gets, and where it has slowed down."""
    for at, length in ((58, 3), (51, 4)):
        pictures = swinging(120)
        del pictures[at : at + length]
        assert moments(film(tmp_path / f"{at}.mp4", pictures)) == [("drop", at, at + 1)], at


def test_a_thing_that_appears_and_moves_on(tmp_path: Path) -> None:
    """So that what it covered at first is soon seen again."""
    pictures = [SCENE[:, : SIZE[0]].copy() for _ in range(90)]
    for k in range(45, 90):
        x = 32 + round(1.1 * (k - 45))
        pictures[k][40:56, x : x + 16] = SOFT[40:56, 300:316]
    assert moments(film(tmp_path / "a.mp4", pictures)) == [("appearing object", 45, 46)]


def test_a_large_thing_that_appears_is_not_taken_for_missing_pictures(tmp_path: Path) -> None:
    """Though the paths of many points end where it is."""
    pictures = pan(90, SOFT)
    for k in range(45, 90):
        x, y = min(60 + k - 45, 90), min(22 + int(0.3 * (k - 45)), 30)
        pictures[k][y : y + 60, x : x + 60] = OTHER[:60, 300:360]
    assert moments(film(tmp_path / "a.mp4", pictures)) == [("appearing object", 45, 46)]


def test_a_long_freeze(tmp_path: Path) -> None:
    pictures = pan(160)
    pictures[31:130] = [pictures[30]] * 99
    assert moments(film(tmp_path / "a.mp4", pictures)) == [("freeze", 30, 130)]


def test_what_is_no_fault(tmp_path: Path) -> None:
    def slowing(number: int) -> int:
        return int(40 * (1 - np.cos(np.pi * min(number, 60) / 60)))

    still_and_on = [SCENE[:, slowing(i) : slowing(i) + SIZE[0]] for i in range(90)]
    on_twos = [picture for picture in pan(40) for _ in range(2)]
    fading = [(p * (1 - i / 60)).astype(np.uint8) for i, p in enumerate(pan(50))]
    for name, pictures in {
        "pan": pan(80),
        "swing": swinging(120),
        "cut": [*pan(40), *pan(40, OTHER)],
        "rest": [np.ascontiguousarray(p) for p in still_and_on],
        "twos": on_twos,
        "fade": fading,
        "still": [SCENE[:, : SIZE[0]]] * 60,
        "short": pan(4),
    }.items():
        assert moments(film(tmp_path / f"{name}.mp4", pictures)) == [], name


def test_nothing_is_looked_for_unless_asked(tmp_path: Path) -> None:
    found = vedit.analyse(film(tmp_path / "a.mp4", pan(12)))
    assert found.anomalies is None
    assert json.loads(found.to_json())["anomalies"] is None
    assert "anomal" not in found.summary


def with_sound(samples: NDArray[np.int16]) -> Callable[[OutputContainer], Callable[[], None]]:
    def more(out: OutputContainer) -> Callable[[], None]:
        track = out.add_stream("flac", rate=48000, layout="mono")

        def fill() -> None:
            for start in range(0, len(samples), 4096):
                block = np.ascontiguousarray(samples[None, start : start + 4096])
                frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
                frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
                out.mux(track.encode(frame))
            out.mux(track.encode(None))

        return fill

    return more


def test_faults_of_the_sound(tmp_path: Path) -> None:
    seconds = np.arange(16 * 48000) / 48000
    wave = 0.3 * np.sin(2 * np.pi * 440 * seconds) * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * seconds))
    wave[int(14.5 * 48000) : int(15.5 * 48000)] *= np.abs(np.linspace(1, -1, 48000)) ** 4  # a pause
    beat = np.exp(-seconds / 0.004) * np.sin(2 * np.pi * 2500 * seconds)
    wave[7 * 48000 : 8 * 48000] += 0.6 * beat[:48000]
    faulty = wave.copy()
    faulty[int(1.3 * 48000) : int(1.38 * 48000)] = 0
    faulty[[int(2.25 * 48000), int(12.1 * 48000)]] += 0.4
    still = [SCENE[:, : SIZE[0]]] * (16 * 5)
    for name, sound, wanted in (
        ("clean", wave, []),
        ("faulty", faulty, [("drop-out", 6, 7), ("click", 11, 12), ("click", 60, 61)]),
    ):
        path = write(
            tmp_path / f"{name}.mkv",
            range(len(still)),
            tick=Fraction(1, 5),
            draw=lambda number: still[number],
            more=with_sound((sound * 32767).astype(np.int16)),
        )
        assert moments(path) == wanted
        found = vedit.analyse(path, anomalies=True).anomalies or ()
        begins = sorted(one.begins for one in found)
        assert begins == [pytest.approx(at, abs=0.002) for at in (1.3, 2.25, 12.1)[: len(wanted)]]


def test_few_pictures_are_held() -> None:
    """Whatever is shown, and for however long."""
    watch = Anomalies()
    picture = np.zeros((24, 32, 3), np.uint8)
    for index in range(600):
        watch.take(index, picture, None, cut=False)
        assert len(watch.window) <= 81
    assert watch.suspicions() == []


def test_the_command_tells(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures = pan(70)
    pictures[35] = np.ascontiguousarray(OTHER[:, : SIZE[0]])
    path = str(film(tmp_path / "a.mp4", pictures))
    page = tmp_path / "page.html"
    assert main(["analyse", path, "--anomalies", "--html", str(page)]) == 0
    out = capsys.readouterr().out
    assert "foreign frame" in out
    assert "0:01.400" in out
    text = page.read_text()
    assert "One anomaly" in text
    assert 'data-seconds="1.4"' in text
    assert '<path class="mark" d="M500.00 0V100"/>' in text
    assert "--anomalies --html" in text
    assert main(["analyse", path]) == 0
    assert "foreign" not in capsys.readouterr().out
