import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from hashlib import md5
from pathlib import Path
from threading import active_count

import av
import corpus
import numpy as np
import pytest
import torch

from vedit.clip import Clip
from vedit.edits import Interpolate, Restyle
from vedit.edits.edit import Edit, apply_to_clip
from vedit.errors import InputError, OutputError, UsageError
from vedit.frame import Frame, Shot, Timing
from vedit.planning import plan
from vedit.render import render

MakeFilm = Callable[..., Path]


class KeepsTime:
    memoryless = False

    def timing(self, timing: Timing) -> Timing:
        return timing

    def apply(self, clip: Clip) -> Clip:
        return apply_to_clip(self, clip)

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        yield from frames


@dataclass
class Watch(KeepsTime):
    """Changes nothing; remembers what it was given."""

    shots: list[list[tuple[int, bool]]] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    seen: int = 0

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        self.shots.append([])
        self.timings.append(shot.timing)
        for frame in frames:
            self.seen += 1
            self.shots[-1].append((frame.index, frame.cut))
            yield frame


@dataclass(frozen=True)
class Level(KeepsTime):
    """Moves the grey of every pixel: value * scale + shift."""

    scale: float
    shift: float

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        for frame in frames:
            yield frame.edited(frame.pixels * self.scale + self.shift)


class LosesOne(KeepsTime):
    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        next(frames)
        yield from frames


@dataclass(frozen=True)
class Remembers(KeepsTime):
    """Shows the mean of all pictures of the shot so far: as much memory as an edit can have."""

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        total = torch.zeros(())
        for count, frame in enumerate(frames, 1):
            total = total + frame.pixels
            shot.notes.hole_pixels += 1
            yield frame.edited(total / count)


@dataclass(frozen=True)
class Stops(KeepsTime):
    """Works for a few frames, then fails as if something outside had happened."""

    error: BaseException

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        for _ in range(3):
            yield next(frames)
        raise self.error


@dataclass(frozen=True)
class Clock(KeepsTime):
    """Shows every frame ``copies`` times, each for ``slower / copies`` of its own time."""

    copies: int
    slower: int

    def timing(self, timing: Timing) -> Timing:
        rate = timing.rate * self.copies / self.slower if timing.rate else None
        start = timing.start * self.copies
        end = start + (timing.end - timing.start) * self.copies * self.slower
        return Timing(timing.time_base / self.copies, rate, start, end)

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        start = shot.timing.start
        for frame in frames:
            for copy in range(self.copies):
                later = (frame.pts - start) * self.copies + copy * frame.duration
                pts = start * self.copies + later * self.slower
                index = frame.index * self.copies + copy
                yield frame.at(pts, frame.duration * self.slower, index, cut=frame.cut and copy == 0)


def times(path: Path) -> list[Fraction]:
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        return [Fraction(f.pts or 0) * stream.time_base for f in container.decode(stream)]


def sound(path: Path) -> list[str]:
    """The md5 of the packets of each sound track."""
    with av.open(path) as container:
        sums = {stream.index: md5(usedforsecurity=False) for stream in container.streams.audio}
        for packet in container.demux(audio=list(range(len(sums)))) if sums else ():
            sums[packet.stream.index].update(bytes(packet))
        return [s.hexdigest() for s in sums.values()]


def grey(path: Path) -> list[float]:
    with av.open(path) as container:
        return [float(np.mean(f.to_ndarray(format="gray"))) for f in container.decode(video=0)]


def test_without_edits_the_film_stays_as_it_is(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(tracks=2), tmp_path / "out.mp4"
    report = render(src, dst, [])
    assert times(dst) == times(src)
    assert sound(dst) == sound(src)
    assert len(sound(dst)) == 2
    np.testing.assert_allclose(grey(dst), grey(src), atol=1)
    assert (report.frames_in, report.frames_out, report.shots, report.pts_identical) == (10, 10, 1, True)
    assert report.duration_in == report.duration_out == Fraction(10 * 1001, 24000)
    assert report.proof.startswith("10/10 frames · pts identical · audio 2/2 bit-exact · ")


def test_each_shot_is_its_own_stream(film: MakeFilm, tmp_path: Path) -> None:
    watch = Watch()
    report = render(film(shots=(20, 24)), tmp_path / "out.mp4", [watch])
    first = [(i, i == 0) for i in range(20)]
    second = [(i, i == 20) for i in range(20, 44)]
    assert watch.shots == [first, second]
    assert report.shots == 2


def test_edits_run_in_order(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(), tmp_path / "out.mp4"
    render(src, dst, [Level(0, 0.25), Level(2, 0.25)])
    np.testing.assert_allclose(grey(dst), 0.75 * 255, atol=2)
    render(src, dst, [Level(2, 0.25), Level(0, 0.25)], overwrite=True)
    np.testing.assert_allclose(grey(dst), 0.25 * 255, atol=2)


def test_frames_are_read_as_they_are_written(film: MakeFilm, tmp_path: Path) -> None:
    watch = Watch()
    ahead = []
    render(
        film(), tmp_path / "out.mp4", [watch], progress=lambda done, total: ahead.append(watch.seen - done)
    )
    assert ahead == [0] * 10


def test_progress_counts_source_frames(film: MakeFilm, tmp_path: Path) -> None:
    ticks: list[tuple[int, int]] = []
    render(film(), tmp_path / "out.mp4", [Clock(2, 1)], progress=lambda *tick: ticks.append(tick))
    assert ticks == [(i // 2, 10) for i in range(1, 21)]


def test_each_edit_gets_the_clock_of_the_one_before(film: MakeFilm, tmp_path: Path) -> None:
    src, dst, watch = film(), tmp_path / "out.mp4", Watch()
    report = render(src, dst, [Clock(2, 1), watch])
    assert watch.timings[0].rate == report.rate == Fraction(48000, 1001)
    assert times(dst) == [Fraction(i * 1001, 48000) for i in range(20)]
    assert sound(dst) == sound(src)
    assert report.proof.startswith("20 frames from 10 · 47.952 fps · duration equal · audio 1/1 bit-exact · ")


def test_a_longer_film_stretches_its_sound_and_says_so(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(tracks=2), tmp_path / "out.mp4"
    report = render(src, dst, [Clock(1, 4)])
    assert report.duration_out == 4 * report.duration_in
    assert len(sound(dst)) == 2
    assert len([warning for warning in report.warnings if "stretched" in warning]) == 2
    assert "4x as long · audio 0/2 bit-exact, 2 converted" in report.proof


def test_a_longer_film_keeps_or_leaves_out_its_sound_when_asked(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(), tmp_path / "out.mp4"
    kept = render(src, dst, [Clock(1, 4)], audio="keep")
    assert sound(dst) == sound(src)
    assert any("own speed" in warning for warning in kept.warnings)
    assert "audio 1/1 bit-exact" in kept.proof
    left_out = render(src, dst, [Clock(1, 4)], audio="none", overwrite=True)
    assert sound(dst) == []
    assert "4x as long · audio left out (0/1)" in left_out.proof


def test_sound_of_a_film_that_keeps_its_length_is_copied_whatever_was_said_of_longer_ones(
    film: MakeFilm, tmp_path: Path
) -> None:
    src, dst = film(), tmp_path / "out.mp4"
    for audio in ("stretch", "keep"):
        render(src, dst, [Clock(2, 1)], audio=audio, overwrite=True)
        assert sound(dst) == sound(src)


def test_a_silent_film_is_not_warned_about_sound(film: MakeFilm, tmp_path: Path) -> None:
    report = render(film(tracks=0), tmp_path / "out.mp4", [Clock(1, 2)])
    assert not [warning for warning in report.warnings if "sound" in warning]
    assert "no audio in the source" in report.proof


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (LosesOne(), OutputError),
        (Stops(KeyboardInterrupt()), KeyboardInterrupt),
        (Stops(InputError("x", "y")), InputError),
        (Stops(ValueError("x")), ValueError),
    ],
)
def test_a_failed_render_leaves_nothing(
    film: MakeFilm, tmp_path: Path, edit: KeepsTime, error: type[BaseException]
) -> None:
    src, threads = film(shots=(40,)), active_count()
    with pytest.raises(error):
        render(src, tmp_path / "out.mp4", [edit])
    assert list(tmp_path.iterdir()) == [src]
    assert active_count() <= threads


def test_a_failed_render_keeps_the_file_it_was_to_replace(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(), tmp_path / "out.mp4"
    dst.write_bytes(b"precious")
    with pytest.raises(OutputError):
        render(src, dst, [LosesOne()], overwrite=True)
    with pytest.raises(UsageError):
        render(src, dst, [])
    assert dst.read_bytes() == b"precious"


@pytest.mark.parametrize("begin", [render, plan])
def test_what_a_film_is_made_of_is_not_written_over(
    begin: Callable[..., object], film: MakeFilm, tmp_path: Path
) -> None:
    src = film()
    mask = src.rename(tmp_path / "mask.mp4")
    src, before = film(), mask.read_bytes()
    link = tmp_path / "link.mp4"
    link.symlink_to(mask)
    edits = [Restyle(look="ink", mask=f"track:0=box:0,0,9,9 - {mask}")]
    for dst in (mask, link):
        with pytest.raises(UsageError, match="is needed to make the film"):
            begin(src, dst, edits, overwrite=True)
    assert mask.read_bytes() == before


@pytest.mark.parametrize("begin", [render, plan])
def test_a_clock_too_coarse_for_the_rate_is_refused(
    begin: Callable[..., object], film: MakeFilm, tmp_path: Path
) -> None:
    for ending in ("mkv", "webm"):
        with pytest.raises(UsageError, match=f".{ending} counts milliseconds"):
            begin(film(tracks=0), tmp_path / f"out.{ending}", [Interpolate(fps=1200, quality="draft")])


def test_pictures_that_get_one_time_are_told(tmp_path: Path) -> None:
    """Matroska counts milliseconds; between two frames that are one apart there is no room."""
    src = corpus.write(tmp_path / "a.mkv", [0, 40, 41, 80, 120], tick=Fraction(1, 1000))
    told = "5 pictures have the time of the one before"
    report = render(src, tmp_path / "b.mkv", [Interpolate(factor=4, quality="draft")])
    assert any(told in warning for warning in report.warnings)
    report = render(src, tmp_path / "b.mp4", [Interpolate(factor=4, quality="draft")])
    assert not any("time of the one before" in warning for warning in report.warnings)
    with av.open(tmp_path / "b.mp4") as out:
        times = [packet.pts for packet in out.demux(video=0) if packet.pts is not None]
    assert len(set(times)) == len(times) == 20


def test_the_report_is_json(film: MakeFilm, tmp_path: Path) -> None:
    report = render(film(), tmp_path / "out.mp4", [])
    facts = json.loads(report.to_json())
    assert facts["rate"] == "24000/1001"
    assert facts["streams"][0]["kind"] == "audio"
    assert facts["peak_memory"] > 10_000_000
    assert facts["coverage"] is None
    half = replace(report, hole_pixels=200, recovered_pixels=150)
    assert half.coverage == 0.75
    assert "75% of the hole from other frames" in half.proof


class Interrupted(Exception):
    pass


def interrupted_at(frame: int) -> Callable[[int, int], None]:
    def progress(done: int, total: int) -> None:
        if done >= frame:
            raise Interrupted

    return progress


def pictures(path: Path) -> list[bytes]:
    with av.open(path) as container:
        return [f.to_ndarray().tobytes() for f in container.decode(video=0)]


RESTYLE = Restyle(look="ink", steps=1)


@pytest.mark.parametrize(
    ("shots", "edits", "stop", "kept"),
    [
        ((60, 200), [], 250, 240),
        ((20, 45), [Interpolate(fps=100, quality="normal")], 63, 242),
        ((121, 60), [Interpolate(factor=2, quality="draft")], 160, 240),  # goes on at a shot's last frame
        ((20, 56), [Interpolate(ramp="0=0,8=0.8", quality="draft")], 70, 240),
        ((48, 12), [RESTYLE], 52, 48),
        ((50, 50), [RESTYLE, Interpolate(factor=2, quality="draft")], 98, 192),
        ((60, 190), [Interpolate(factor=1), Remembers()], 230, 156),
    ],
    ids=lambda value: "+".join(type(e).__name__ for e in value) if isinstance(value, list) else None,
)
def test_an_interrupted_render_goes_on_and_ends_the_same(
    film: MakeFilm, tmp_path: Path, shots: tuple[int, ...], edits: list[Edit], stop: int, kept: int
) -> None:
    src, whole, dst = film(shots=shots), tmp_path / "whole.mkv", tmp_path / "out.mkv"
    expected = render(src, whole, edits, codec="ffv1")
    with pytest.raises(Interrupted):
        render(src, dst, edits, codec="ffv1", progress=interrupted_at(stop))
    assert not dst.exists()
    report = render(src, dst, edits, codec="ffv1")
    assert report.frames_kept == kept
    assert pictures(dst) == pictures(whole)
    assert times(dst) == times(whole)
    assert sound(dst) == sound(whole)
    same = {"seconds": 0, "peak_memory": 0, "frames_kept": 0, "output": 0}
    assert replace(report, **same) == replace(expected, **same)  # type: ignore[arg-type]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["film.mp4", "out.mkv", "whole.mkv"]
