"""Highlight reels: what is in them is what they say, to the picture and the sample."""

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.container import OutputContainer
from corpus import Picture, Sound, drawing, number_of, picture, write
from numpy.typing import NDArray

import vedit
from vedit.errors import OutputError, UsageError

SHOTS = (70, 60, 50, 60)
SOUND_RATE = 48000
NOISE = np.cumsum(np.random.default_rng(1).normal(0, 500, 10 * SOUND_RATE)).astype(np.float64)
NOISE = (NOISE - np.convolve(NOISE, np.ones(99) / 99, "same")).clip(-30000, 30000).astype(np.int16)
"""Low noise: two places of it are never alike, and AAC keeps it."""


def with_noise(out: OutputContainer) -> Callable[[], None]:
    track = out.add_stream("flac", rate=SOUND_RATE, layout="mono")

    def fill() -> None:
        for start in range(0, 10 * SOUND_RATE, 4096):
            block = np.ascontiguousarray(NOISE[None, start : min(start + 4096, 10 * SOUND_RATE)])
            frame = av.AudioFrame.from_ndarray(block, format="s16", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
            out.mux(track.encode(frame))
        out.mux(track.encode(None))

    return fill


def black_third(number: int) -> Picture:
    """Numbered pictures, but the third shot is black."""
    return np.zeros((64, 96, 3), np.uint8) if 130 <= number < 180 else drawing(shots=SHOTS)(number)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "source.mkv"
    return write(path, range(sum(SHOTS)), draw=black_third, more=with_noise)


def numbers(path: Path) -> list[int]:
    with av.open(path) as film:
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    return [number_of(rgb.astype(np.float32) / np.float32(255)) for rgb in pictures]


def heard(path: Path) -> NDArray[np.float64]:
    """The sound from time 0 on, in [-1, 1]."""
    with av.open(path) as film:
        frames = list(film.decode(audio=0))
        first = round((frames[0].time or 0) * frames[0].sample_rate)
        sound = np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)
    return sound[-first:] if first < 0 else np.concatenate([np.zeros(first), sound])


def test_a_reel_is_what_it_says(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "reel.mp4"
    reel = vedit.summarise(film, out, seconds=4)
    assert numbers(out) == [n for piece in reel.pieces for n in range(piece.start, piece.stop)]
    assert reel.frames == 100
    assert reel.duration == 4
    assert len(reel.pieces) > 1
    assert all(before.stop < after.start for before, after in pairwise(reel.pieces))
    assert all(before.ends == after.begins for before, after in pairwise(reel.pieces))
    for piece in reel.pieces:
        assert piece.film_begins == Fraction(piece.start, 25)
        assert piece.film_ends == Fraction(piece.stop, 25)
        assert piece.ends - piece.begins == piece.film_ends - piece.film_begins
        assert not set(range(piece.start, piece.stop)) & set(range(130, 180))  # black
    facts = json.loads(reel.to_json())
    assert [(p["start"], p["stop"]) for p in facts["pieces"]] == [(p.start, p.stop) for p in reel.pieces]
    assert facts["duration"] == "4"
    assert "100 of 240 frames" in reel.proof
    with av.open(out) as container:
        stream = container.streams.video[0]
        assert (stream.duration or 0) * (stream.time_base or 0) == 4
    source = vedit.probe(out)
    assert [p * source.time_base for p in source.pts] == [Fraction(n, 25) for n in range(100)]


def test_its_sound_is_cut_to_the_sample_and_faded(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "reel.mp4"
    reel = vedit.summarise(film, out, seconds=4)
    sound = heard(out)
    assert len(sound) >= 4 * SOUND_RATE
    for piece in reel.pieces:
        first, begins = piece.film_begins * SOUND_RATE, piece.begins * SOUND_RATE
        length = int((piece.ends - piece.begins) * SOUND_RATE)
        wanted = NOISE[int(first) : int(first) + length] / 32768
        fits = [
            np.corrcoef(wanted[2000:-2000], sound[int(begins) + 2000 + lag :][: length - 4000])[0, 1]
            for lag in (-1, 0, 1)
        ]
        assert max(fits) == fits[1] > 0.9
        edge = np.abs(sound[int(begins) : int(begins) + 60]).mean()
        assert edge < 0.35 * np.abs(wanted).mean()


def test_shots_differ_and_what_moves_is_preferred(tmp_path: Path) -> None:
    def draw(number: int) -> Picture:
        """The square moves in pictures 50 to 99 only."""
        rgb = drawing(shots=(100, 100))(number)
        still = picture(0, shot=int(number >= 100))
        if not 50 <= number < 100:
            rgb[10:] = still[10:]
        return rgb

    path = write(tmp_path / "a.mp4", range(200), draw=draw)
    reel = vedit.summarise(path, tmp_path / "one.mp4", seconds=Fraction(3, 2))
    assert 45 <= reel.pieces[0].start < reel.pieces[0].stop <= 100
    assert "no sound" in reel.proof
    assert vedit.probe(tmp_path / "one.mp4").streams == ()


def test_no_shot_takes_all(tmp_path: Path) -> None:
    def draw(number: int) -> Picture:
        return picture(number) if number < 200 else picture(200, shot=1)  # the second shot stands still

    path = write(tmp_path / "a.mp4", range(400), draw=draw)
    reel = vedit.summarise(path, tmp_path / "reel.mp4", seconds=6)
    assert len([piece for piece in reel.pieces if piece.start >= 200]) == 2


def test_black_is_left_out(tmp_path: Path) -> None:
    def draw(number: int) -> Picture:
        """A dull shot, a bright one that is too short, and black, of which alone something is heard."""
        if number >= 70:
            return np.zeros((64, 96, 3), np.uint8)
        rgb = picture(0)
        return 255 - rgb // 4 * 3 if number >= 60 else rgb // 8 + np.uint8(60)

    path = write(tmp_path / "a.mkv", range(110), draw=draw, sounds=[Sound("flac", 1.6, start=2.8)])
    reel = vedit.summarise(path, tmp_path / "reel.mp4", seconds=1)
    assert all(piece.stop <= 70 for piece in reel.pieces)


@pytest.mark.parametrize(("seconds", "frames"), [("1", 24), (2.5, 60), (Fraction(1, 100), 1)])
def test_its_length_is_exact(seconds: Any, frames: int, tmp_path: Path) -> None:
    rate = Fraction(24000, 1001)
    path = write(tmp_path / "a.mkv", range(90), tick=1 / rate, draw=drawing(shots=(50, 40)))
    reel = vedit.summarise(path, tmp_path / "reel.mp4", seconds=seconds)
    assert reel.frames == frames
    assert reel.duration == frames / rate
    source = vedit.probe(tmp_path / "reel.mp4")
    assert (source.frames, source.rate, source.duration) == (frames, rate, frames / rate)


def test_a_film_of_varying_rate(tmp_path: Path) -> None:
    steps = np.random.default_rng(2).integers(20, 60, 120)
    pts = [0, *map(int, np.cumsum(steps))]
    path = write(tmp_path / "a.mkv", pts, tick=Fraction(1, 1000), draw=drawing(shots=(60, 61)))
    out = tmp_path / "reel.mkv"
    reel = vedit.summarise(path, out, seconds=2, otio=tmp_path / "a.otio")
    assert abs(reel.duration - 2) <= Fraction(30, 1000)
    assert numbers(out) == [n for piece in reel.pieces for n in range(piece.start, piece.stop)]
    wanted = [
        piece.begins + Fraction(pts[n] - pts[piece.start], 1000)
        for piece in reel.pieces
        for n in range(piece.start, piece.stop)
    ]
    source = vedit.probe(out)
    assert [p * source.time_base for p in source.pts] == wanted
    with pytest.raises(UsageError, match=r"rate of a\.mkv varies"):
        vedit.summarise(path, tmp_path / "b.mkv", seconds=2, edl=tmp_path / "b.edl")
    assert not (tmp_path / "b.mkv").exists()


def test_pictures_that_stay_longer_than_the_reel(tmp_path: Path) -> None:
    """The last one is shown for a moment only, which is nearest to what was asked for."""
    path = write(
        tmp_path / "a.mkv", [0, 5000, 9000, 15000, 20000], tick=Fraction(1, 1000), draw=drawing(shots=(5,))
    )
    reel = vedit.summarise(path, tmp_path / "reel.mkv", seconds=1)
    assert [(piece.start, piece.stop) for piece in reel.pieces] == [(4, 5)]


def test_a_short_film_is_kept_whole(film: Path, tmp_path: Path) -> None:
    told: list[str] = []
    reel = vedit.summarise(film, tmp_path / "reel.mp4", seconds=60, warn=told.append)
    assert numbers(tmp_path / "reel.mp4")[:100] == list(range(100))
    assert (len(reel.pieces), reel.frames) == (1, 240)
    assert any("less than was asked for" in line for line in told)


def test_cut_lists(film: Path, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    names = tmp_path / "reel.otio", tmp_path / "reel.edl"
    reel = vedit.summarise(film, tmp_path / "reel.mp4", seconds=4, otio=names[0], edl=names[1])
    timeline = otio.adapters.read_from_file(str(names[0]))
    assert [track.kind for track in timeline.tracks] == ["Video", "Audio"]
    for track in timeline.tracks:
        ranges = [clip.source_range for clip in track]
        assert [(r.start_time.value, r.end_time_exclusive().value) for r in ranges] == [
            (piece.start, piece.stop) for piece in reel.pieces
        ]
        assert {r.start_time.rate for r in ranges} == {25}
        assert track.duration().value == 100
        for clip, piece in zip(track, reel.pieces, strict=True):
            assert clip.media_reference.target_url == film.as_uri()
            assert Fraction(clip.metadata["vedit"]["film_begins"]) == piece.film_begins

    def picture_of(code: str) -> int:
        hours, minutes, seconds, rest = map(int, code.split(":"))
        return 25 * (3600 * hours + 60 * minutes + seconds) + rest

    events = [line.split() for line in names[1].read_text().splitlines() if line[:3].isdigit()]
    assert [event[:4] for event in events] == [
        [f"{n:03}", "AX", "B", "C"] for n in range(1, len(reel.pieces) + 1)
    ]
    assert [tuple(map(picture_of, event[4:])) for event in events] == [
        (p.start, p.stop, 90000 + int(p.begins * 25), 90000 + int(p.ends * 25)) for p in reel.pieces
    ]


def test_a_timeline_needs_its_extra(film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentimelineio", None)
    with pytest.raises(UsageError, match=r"\[timeline\]"):
        vedit.summarise(film, tmp_path / "reel.mp4", seconds=4, otio=tmp_path / "reel.otio")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be(film: Path, tmp_path: Path) -> None:
    taken = tmp_path / "taken.mp4"
    taken.write_text("old")
    wrong: tuple[tuple[Path, dict[str, Any], str], ...] = (
        (taken, {"seconds": 2}, "exists"),
        (film, {"seconds": 2}, "the source itself"),
        (tmp_path / "a.txt", {"seconds": 2}, "not a film ending"),
        (tmp_path / "a.mp4", {"seconds": 0}, "seconds is 0"),
        (tmp_path / "a.mp4", {"seconds": "soon"}, "seconds is 'soon'"),
        (tmp_path / "a.mp4", {"seconds": float("nan")}, "seconds is nan"),
        (tmp_path / "a.mp4", {"seconds": 2, "edl": taken}, "exists"),
        (tmp_path / "a.mp4", {"seconds": 2, "edl": tmp_path / "a.mp4"}, "two files at once"),
        (tmp_path / "a.mp4", {"seconds": 2, "edl": film}, "one of the films"),
    )
    for out, settings, words in wrong:
        with pytest.raises(UsageError, match=words):
            vedit.summarise(film, out, **settings)
    assert [p.name for p in tmp_path.iterdir()] == ["taken.mp4"]
    assert taken.read_text() == "old"


def test_an_interrupted_reel_leaves_nothing(film: Path, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vedit.summarise(film, tmp_path / "reel.mp4", seconds=4, progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_goes_away_meanwhile(film: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(write(tmp_path / "b.mp4", range(60)).read_bytes())

    def remove(name: str, done: float) -> None:
        if done == 1:
            path.unlink(missing_ok=True)

    with pytest.raises((OutputError, vedit.InputError)):
        vedit.summarise(path, tmp_path / "reel.mp4", seconds=1, phase=remove)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["b.mp4"]
