"""What is found in films of which it is known what is in them."""

import json
from collections.abc import Callable
from fractions import Fraction
from math import isnan, log10
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from corpus import Picture, Sound, hurt, picture, write
from PIL import Image

import vedit
from vedit.errors import InputError, UsageError

MakeFilm = Callable[..., Path]

DICE = np.random.default_rng(3)
COARSE = DICE.integers(0, 256, (24, 100, 3), np.uint8).repeat(4, 0).repeat(4, 1)
TEXTURE: Picture = np.asarray(cv2.GaussianBlur(COARSE, (0, 0), 1), np.uint8)


def moving(number: int) -> Picture:
    """A texture that stands still for 10 pictures, is panned over for 10, then a square crosses it for 10."""
    left = 40 + 3 * min(max(number - 9, 0), 10)
    rgb = np.ascontiguousarray(TEXTURE[:, left : left + 160])
    if number >= 20:
        at = 10 + 4 * (number - 20)
        rgb[30:70, at : at + 40] = TEXTURE[10:50, 300:340]
    return rgb


def test_shots_and_key_frames(film: MakeFilm) -> None:
    found = vedit.analyse(film(shots=(20, 24, 15)))
    assert [(shot.start, shot.stop) for shot in found.shots] == [(0, 20), (20, 44), (44, 59)]
    rate = Fraction(24000, 1001)
    assert [(shot.begins, shot.ends) for shot in found.shots] == [
        (0, 20 / rate),
        (20 / rate, 44 / rate),
        (44 / rate, 59 / rate),
    ]
    for shot in found.shots:
        assert shot.start <= shot.key_frame < shot.stop
        assert shot.key_seconds == shot.key_frame / rate
        assert shot.thumbnail is not None
        assert shot.thumbnail[:2] == b"\xff\xd8"
    assert sum(shot.duration for shot in found.shots) == found.duration
    assert [i for i, value in enumerate(found.series["motion"]) if isnan(value)] == [0, 20, 44]


def test_a_key_frame_is_sharp_and_typical(tmp_path: Path) -> None:
    def draw(number: int) -> Picture:
        rgb: Picture = TEXTURE[:, 40:200] // np.uint8(4) + np.uint8(96)
        if number == 20:  # sharp and in the middle, but darker than the others
            return rgb - np.uint8(12)
        return rgb if number in (1, 17) else np.asarray(cv2.GaussianBlur(rgb, (0, 0), 2), np.uint8)

    found = vedit.analyse(write(tmp_path / "a.mp4", range(40), draw=draw))
    assert [shot.key_frame for shot in found.shots] == [17]


def test_motion_of_the_camera_and_of_objects(tmp_path: Path) -> None:
    found = vedit.analyse(write(tmp_path / "a.mp4", range(30), draw=moving))
    still, pan, crossing = (
        {name: np.mean(found.series[name][a:b]) for name in ("motion", "camera", "objects")}
        for a, b in ((1, 9), (11, 19), (22, 29))
    )
    assert still["motion"] < 0.02
    assert pan["camera"] == pytest.approx(3 * 25 / 160, rel=0.1)  # pixels a picture, in widths a second
    assert pan["objects"] < 0.2 * pan["camera"]
    assert crossing["camera"] < 0.05
    assert crossing["objects"] > 3 * still["objects"]
    assert crossing["objects"] > 2 * crossing["camera"]


def test_light_sharpness_and_colour(tmp_path: Path) -> None:
    def draw(number: int) -> Picture:
        if number < 10:
            return np.full((64, 96, 3), 102, np.uint8)
        blurred = cv2.GaussianBlur(picture(number), (0, 0), 3)
        rgb = picture(number) if number < 20 else np.asarray(blurred, np.uint8)
        return rgb if number < 30 else rgb.mean(axis=2, keepdims=True).repeat(3, axis=2).astype(np.uint8)

    series = vedit.analyse(write(tmp_path / "a.mp4", range(40), draw=draw)).series
    assert series["brightness"][5] == pytest.approx(102 / 255, abs=0.01)
    assert series["contrast"][5] < 0.01
    assert isnan(series["motion"][5])  # nothing is to be seen
    assert series["sharpness"][15] > 3 * series["sharpness"][25]
    assert series["colourfulness"][25] > 20 > 3 > series["colourfulness"][35]


def test_the_level_of_the_sound(film: MakeFilm, tmp_path: Path) -> None:
    found = vedit.analyse(film(shots=(30,)))
    assert found.sound is not None
    levels = found.sound.values
    assert len(levels) == 13  # of a tenth of a second in 1.25125 s
    tone = 10 * log10(0.2**2 / 2)
    assert all(level == pytest.approx(tone, abs=0.3) for level in levels[1:12])
    assert found.shots[0].level == pytest.approx(tone, abs=0.4)

    late = write(tmp_path / "late.mkv", range(25), sounds=[Sound("flac", 0.3, start=0.5)])
    found = vedit.analyse(late)
    assert found.sound is not None
    heard = [level > -100 for level in found.sound.values]
    assert heard == [False] * 5 + [True] * 3 + [False] * 2
    assert found.sound.values[6] == pytest.approx(10 * log10((6000 / 32768) ** 2 / 2), abs=0.05)


def test_a_film_without_sound_of_varying_rate(tmp_path: Path) -> None:
    pts = [0, 40, 90, 100, 300, 333, 400, 404]
    found = vedit.analyse(write(tmp_path / "a.mkv", pts, tick=Fraction(1, 1000)))
    assert found.sound is None
    assert found.shots[0].level is None
    assert [found.time(i) for i in range(8)] == [Fraction(p, 1000) for p in pts]
    facts = json.loads(found.to_json())
    assert facts["rate"] is None
    assert facts["sound"] is None
    assert facts["shots"][0]["ends"] == str(found.duration)
    assert facts["series"]["motion"][0] is None
    assert len(facts["series"]["brightness"]) == 8


def test_pictures_that_are_not_whole_are_told_of(tmp_path: Path) -> None:
    path = hurt(write(tmp_path / "a.mp4", range(24), options={"g": "8", "bf": "0"}), [11], late=False)
    found = vedit.analyse(path)
    assert found.frames == 24
    assert any("not whole" in remark for remark in found.remarks)


def test_a_storyboard(film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(shots=(8, 12, 10))
    found = vedit.analyse(path, sheet=tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as sheet:
        wide, high = sheet.size
        assert (wide, high) > (600, 400)
        assert len(sheet.convert("RGB").getcolors(1 << 24) or ()) > 1000
    assert found.sheet == tmp_path / "sheet.png"
    monkeypatch.setattr("vedit.analysis.analyse.SHOWN", 2)
    found = vedit.analyse(path, sheet=tmp_path / "less.jpg")
    assert [shot.thumbnail is not None for shot in found.shots] == [False, True, True]
    with Image.open(tmp_path / "less.jpg") as sheet:
        assert sheet.format == "JPEG"
        assert sheet.size[1] < high


def test_what_cannot_be(film: MakeFilm, tmp_path: Path) -> None:
    path, taken = film(), tmp_path / "taken.png"
    taken.write_text("old")
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"sheet": taken}, "exists"),
        ({"sheet": tmp_path / "a.bmp"}, "png"),
        ({"sheet": tmp_path}, "folder"),
        ({"html": path}, "one of the films"),
        ({"html": tmp_path / "a.png", "sheet": tmp_path / "a.png"}, "two files at once"),
    )
    for settings, words in wrong:
        with pytest.raises(UsageError, match=words):
            vedit.analyse(path, **settings)
    with pytest.raises(vedit.OutputError, match="does not exist"):
        vedit.analyse(path, html=tmp_path / "nowhere" / "page.html")
    (tmp_path / "text.mp4").write_text("no film")
    with pytest.raises(InputError):
        vedit.analyse(tmp_path / "text.mp4")
    assert taken.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "taken.png", "text.mp4"]
