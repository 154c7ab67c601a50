"""Clips written with vedit's writer, and with MoviePy's."""

import runpy
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import corpus
import numpy as np
import proglog  # type: ignore[import-untyped]
import pytest
from moviepy import AudioArrayClip, ColorClip, VideoFileClip, afx, vfx  # type: ignore[import-untyped]

import vedit
from vedit.fx import Interpolate, Repair

MakeFilm = Callable[..., Path]
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

SMOOTH = Interpolate(fps=60, quality="draft")


def packets(path: Path, kind: str, number: int = 0) -> list[tuple[int | None, bytes]]:
    with av.open(str(path)) as film:
        stream = film.streams.get({kind: number})[0]
        return [(packet.pts, bytes(packet)) for packet in film.demux(stream) if packet.size]


def pitch(path: Path) -> float:
    """The loudest frequency of a film's sound, in hertz."""
    with av.open(str(path)) as film:
        rate = film.streams.audio[0].rate
        sound = np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * rate / len(sound))


@pytest.mark.parametrize("opened", [vedit.load, VideoFileClip])
def test_a_chain_on_a_film_is_rendered_as_the_file_api_does(
    opened: Callable[[str], Any], film: MakeFilm, tmp_path: Path
) -> None:
    path = film(shots=(6, 8), tracks=2)
    by_file, by_clip = tmp_path / "file.mp4", tmp_path / "clip.mp4"
    vedit.interpolate(path, by_file, fps=60, quality="draft")
    with opened(str(path)) as clip:
        report = vedit.write(clip.with_effects([SMOOTH]), by_clip, logger=None)
    assert "audio 2/2 bit-exact" in report.proof
    assert packets(by_clip, "video") == packets(by_file, "video")
    for track in range(2):
        assert packets(by_clip, "audio", track) == packets(path, "audio", track)


def test_slow_motion_is_written_with_stretched_sound(film: MakeFilm, tmp_path: Path) -> None:
    path, out = film(shots=(12,)), tmp_path / "slow.mp4"
    with vedit.load(path) as clip:
        slow = clip.with_effects([Interpolate(slowmo=2, quality="draft")])
        report = vedit.write(slow, out, logger=None)
    assert report.frames_out == 24
    assert report.duration_out == 2 * report.duration_in
    assert pitch(out) == pytest.approx(220, abs=5)


def test_moviepys_effects_on_the_picture_leave_the_sound(film: MakeFilm, tmp_path: Path) -> None:
    path, out = film(shots=(12,)), tmp_path / "dark.mp4"
    with vedit.load(path) as clip:
        edited = clip.with_effects(
            [vfx.MultiplyColor(0.5), Interpolate(factor=2, quality="draft"), vfx.MirrorX()]
        )
        report = vedit.write(edited, out, logger=None)
        expected = edited.get_frame(5 / edited.fps)
    assert packets(out, "audio") == packets(path, "audio")
    source = vedit.probe(out)
    assert source.frames == 24
    assert source.rate == Fraction(48000, 1001)
    assert report.rate == source.rate
    with vedit.load(out) as written:
        assert np.abs(written.get_frame(5 / edited.fps).astype(int) - expected).mean() < 6


def test_changed_sound_is_rendered_and_the_picture_stays_exact(film: MakeFilm, tmp_path: Path) -> None:
    path, out = film(shots=(12,)), tmp_path / "loud.mkv"
    with vedit.load(path) as clip:
        tone = np.sin(np.arange(24000) * (2 * np.pi * 500 / 48000))[:, None].repeat(2, 1) / 4
        report = vedit.write(clip.with_audio(AudioArrayClip(tone, 48000)), out, codec="ffv1", logger=None)
        assert "audio 0/1 bit-exact, 1 converted" in report.proof
        pairs = zip(clip.iter_frames(), vedit.load(out).iter_frames(), strict=True)
        assert all(np.array_equal(a, b) for a, b in pairs)
    assert pitch(out) == pytest.approx(500, abs=5)
    assert vedit.probe(out).duration == pytest.approx(report.duration_in, abs=0.002)


def test_quieter_sound_stays_changed_through_later_effects(film: MakeFilm, tmp_path: Path) -> None:
    path = film(shots=(12,))
    with vedit.load(path) as clip:
        quiet = clip.with_effects([afx.MultiplyVolume(0), SMOOTH])
        vedit.write(quiet, tmp_path / "quiet.mp4", logger=None)
        vedit.write(clip.without_audio().with_effects([SMOOTH]), tmp_path / "silent.mp4", logger=None)
    with av.open(str(tmp_path / "quiet.mp4")) as film_:
        assert max(np.abs(frame.to_ndarray()).max() for frame in film_.decode(audio=0)) < 1e-4
    assert not vedit.probe(tmp_path / "silent.mp4").streams


def test_a_part_of_a_film_has_its_part_of_the_sound(tmp_path: Path) -> None:
    path, out = corpus.FILMS["from_5_s.mkv"](tmp_path / "late.mkv"), tmp_path / "part.mp4"
    with vedit.load(path) as clip:
        part = clip.subclipped(0.2, 0.52).with_effects([Interpolate(factor=2, quality="draft")])
        report = vedit.write(part, out, logger=None)
        first = clip.get_frame(5 / clip.fps)
    source = vedit.probe(out)
    assert (report.frames_out, source.frames, source.pts[0]) == (16, 16, 0)
    assert source.duration == Fraction(8, 25)
    with vedit.load(out) as written:
        assert np.abs(written.get_frame(0).astype(int) - first).mean() < 4
        assert written.audio.duration == pytest.approx(0.32, abs=0.05)


def test_a_clip_without_a_film_and_its_mask(tmp_path: Path) -> None:
    clip = ColorClip((65, 47), (200, 40, 90), duration=0.5).with_fps(29.97)
    report = vedit.write(clip.with_effects([Repair()]), tmp_path / "plain.mp4", logger=None)
    assert report.frames_out == 15
    assert report.rate == Fraction(30000, 1001)
    source = vedit.probe(tmp_path / "plain.mp4")
    assert (source.width, source.height, source.streams) == (65, 47, ())
    mask = ColorClip((65, 47), 0.5, is_mask=True, duration=0.5).with_fps(29.97)
    vedit.write(clip.with_mask(mask), tmp_path / "glass.mov", logger=None)
    with vedit.load(tmp_path / "glass.mov") as glass:
        assert glass.mask.get_frame(0.2) == pytest.approx(0.5, abs=0.01)
        assert np.abs(glass.get_frame(0.2).astype(int) - (200, 40, 90)).max() <= 3


def test_progress_goes_through_moviepys_logger(film: MakeFilm, tmp_path: Path) -> None:
    class Told(proglog.ProgressBarLogger):  # type: ignore[misc]
        seen: list[tuple[str, str, int]]

        def bars_callback(self, bar: str, attr: str, value: int, old_value: int | None = None) -> None:
            self.seen.append((bar, attr, value))

    path = film(shots=(8,))
    with vedit.load(path) as clip:
        for name, edited in {
            "a": clip.with_effects([SMOOTH]),
            "b": clip.with_effects([vfx.MirrorX()]),
        }.items():
            logger = Told()
            logger.seen = []
            vedit.write(edited, tmp_path / f"{name}.mp4", logger=logger)
            told = [(attr, value) for bar, attr, value in logger.seen if bar == "frame_index"]
            assert told[0] == ("total", 8)
            assert told[-1] == ("index", 8)


def test_moviepys_own_writer_still_works(film: MakeFilm, tmp_path: Path) -> None:
    out = tmp_path / "moviepy.mp4"
    with VideoFileClip(str(film(shots=(6, 6)))) as clip:
        edited = clip.with_effects([Interpolate(fps=48, quality="draft")])
        edited.write_videofile(str(out), audio_codec="aac", logger=None)
        frames, length = int(edited.duration * 48), edited.duration
    source = vedit.probe(out)
    assert source.frames == frames
    assert source.rate == 48
    assert source.duration == pytest.approx(length, abs=1 / 48)
    with vedit.load(out) as written:
        assert written.audio.duration == pytest.approx(length, abs=0.05)


def test_what_cannot_be_written_is_said_and_leaves_nothing(film: MakeFilm, tmp_path: Path) -> None:
    path, out = film(shots=(6,)), tmp_path / "out.mp4"
    with vedit.load(path) as clip:
        mirrored = clip.with_effects([vfx.MirrorX()])
        with pytest.raises(vedit.UsageError, match="resume, but the clip is more"):
            vedit.write(mirrored, out, logger=None, resume=False)
        with pytest.raises(vedit.UsageError, match="ending"):
            vedit.write(mirrored, tmp_path / "out.txt", logger=None)
        with pytest.raises(vedit.UsageError, match="source itself"):
            vedit.write(mirrored, path, logger=None, overwrite=True)
        with pytest.raises(vedit.UsageError, match="source itself"):
            vedit.write(clip.with_effects([afx.MultiplyVolume(2)]), path, logger=None, overwrite=True)

        def broken(frame: Any) -> Any:
            raise ValueError("no such luck")

        class Fails:
            def __call__(self, t: float) -> Any:
                return clip.get_frame(t) if t < 0.1 else broken(t)

        failing = clip.copy()
        failing.frame_function = Fails()
        with pytest.raises(ValueError, match="no such luck"):
            vedit.write(failing.with_effects([SMOOTH]), out, logger=None)
    with pytest.raises(vedit.UsageError, match="without a rate"):
        vedit.write(ColorClip((64, 48), (0, 0, 0), duration=1), out, logger=None)
    assert [p.name for p in tmp_path.iterdir()] == ["film.mp4"]


def test_the_mask_of_a_chain_is_not_written_over(film: MakeFilm, tmp_path: Path) -> None:
    mask = film().rename(tmp_path / "mask.mp4")
    before = mask.read_bytes()
    clip = vedit.load(film()).with_effects([vedit.fx.Inpaint(mask=str(mask))])
    for changed in (clip, clip.with_volume_scaled(0.5)):  # one renders as a film does, one is written
        with pytest.raises(vedit.UsageError, match="needed to make the film"):
            vedit.write(changed, mask, overwrite=True)
    assert mask.read_bytes() == before


def test_the_sample_script(film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(vedit.__file__).parent.parent / "samples" / "moviepy_chain.py"
    path = film("tiny.mp4", shots=(6,))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(script), str(path), "box:20,20,12,12"])
    runpy.run_path(str(script), run_name="__main__")
    source = vedit.probe("tiny-chain.mp4")
    assert source.rate == 30
    assert packets(source.path, "audio") == packets(path, "audio")
