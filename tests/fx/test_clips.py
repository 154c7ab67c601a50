"""What becomes of a clip's rate, length, sound and mask; opening films; what cannot work."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import corpus
import numpy as np
import pytest
from moviepy import AudioClip, ColorClip, Effect, VideoClip, VideoFileClip, vfx  # type: ignore[import-untyped]
from numpy.typing import NDArray

import vedit
from vedit import edits
from vedit.flow.quality import Quality
from vedit.fx import Extend, Inpaint, Interpolate, Repair, Restyle
from vedit.fx.rate import exact_rate

MakeFilm = Callable[..., Path]
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
DRAFT: Quality = "draft"


def heard(clip: VideoClip) -> NDArray[np.float64]:
    """A clip's sound, mono, asked for as MoviePy's writer does."""
    rate = clip.audio.fps
    count = round(clip.audio.duration * rate)
    parts = [clip.audio.get_frame(np.arange(i, min(count, i + 2000)) / rate) for i in range(0, count, 2000)]
    return np.concatenate(parts)[:, 0]


def pitch(sound: NDArray[np.float64], rate: float) -> float:
    """The loudest frequency, in hertz."""
    return float(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))).argmax() * rate / len(sound))


def test_a_film_opens_with_its_exact_times(film: MakeFilm) -> None:
    path = film(shots=(10, 13))
    source = vedit.probe(path)
    with vedit.load(path) as clip:
        assert (clip.size, clip.n_frames, clip.fps) == ((96, 64), 23, 24000 / 1001)
        assert (clip.pts, clip.time_base, clip.rate) == (source.pts, source.time_base, Fraction(24000, 1001))
        assert clip.duration == pytest.approx(float(source.duration), abs=1e-3)
        assert clip.audio.duration == pytest.approx(clip.duration, abs=0.05)
        assert pitch(heard(clip), clip.audio.fps) == pytest.approx(220, abs=3)


def test_sound_that_begins_late_is_heard_late(tmp_path: Path) -> None:
    path = corpus.FILMS["late_sound.mp4"](tmp_path / "late.mp4")
    with vedit.load(path) as clip:
        sound, rate = heard(clip), clip.audio.fps
        begins = np.flatnonzero(np.abs(sound) > 0.02)[0] / rate
        assert begins == pytest.approx(0.48, abs=0.005)
        back = clip.audio.get_frame(np.arange(int(0.6 * rate), int(0.6 * rate) + 500) / rate)[:, 0]
        assert np.allclose(back, sound[int(0.6 * rate) :][:500], atol=1e-4)


def test_a_turned_film_is_upright_and_a_varying_one_in_time(tmp_path: Path) -> None:
    with vedit.load(corpus.FILMS["turned_90.mp4"](tmp_path / "turned.mp4")) as clip:
        assert clip.get_frame(0).shape == (*clip.size[::-1], 3)
    path = corpus.FILMS["vfr.mkv"](tmp_path / "varying.mkv")
    source = vedit.probe(path)
    with vedit.load(path) as clip:
        assert clip.rate is None
        for index in (0, 1, 7, source.frames - 1):
            seconds = float((source.pts[index] - source.pts[0]) * source.time_base)
            rgb = clip.get_frame(seconds).astype(np.float32) / 255
            assert corpus.number_of(rgb) == index


def test_rate_and_length_follow_the_edit(film: MakeFilm) -> None:
    with vedit.load(film(shots=(12,))) as clip:
        for effect, fps, count, stretch in [
            (Interpolate(fps=60, quality=DRAFT), 60, 30, 1),
            (Interpolate(fps="60000/1001", quality=DRAFT), 60000 / 1001, 30, 1),
            (Interpolate(factor=3, quality=DRAFT), 3 * clip.fps, 36, 1),
            (Interpolate(slowmo=2, quality=DRAFT), clip.fps, 24, 2),
            (Interpolate(slowmo=2, fps=48, quality=DRAFT), 48, 48, 2),
            (Repair(), clip.fps, 12, 1),
        ]:
            edited = clip.with_effects([effect])
            assert edited.fps == pytest.approx(fps, rel=1e-12)
            assert edited.duration == pytest.approx(stretch * clip.duration, abs=1e-3)
            assert edited.n_frames == count
            assert edited.size == clip.size
        kept = clip.with_effects([Interpolate(fps=60, quality=DRAFT)])
        assert kept.audio.frame_function is clip.audio.frame_function


def test_sound_goes_along_with_slow_motion_at_its_own_pitch(film: MakeFilm) -> None:
    with vedit.load(film(shots=(24,))) as clip:
        slow = clip.with_effects([Interpolate(slowmo=2, quality=DRAFT)])
        assert slow.audio.duration == pytest.approx(2 * clip.audio.duration, abs=0.001)
        assert slow.audio.duration == pytest.approx(slow.duration, abs=0.05)
        sound = heard(slow)
        assert pitch(sound, slow.audio.fps) == pytest.approx(220, abs=3)
        assert np.array_equal(heard(slow), sound)  # going back to its start
        still = clip.with_effects([Interpolate(ramp="0=0,0.5=0.5,0.8=0.5", quality=DRAFT)])
        assert still.audio.duration == pytest.approx(clip.audio.duration + 0.3, abs=0.01)


def test_a_mask_moves_with_the_picture() -> None:
    dice = np.random.default_rng(1).integers(0, 255, (64, 160, 3), np.uint8)

    def shown(t: float) -> NDArray[np.uint8]:
        return np.ascontiguousarray(dice[:, int(t * 10) * 8 :][:, :96].repeat(1, 0))

    def opaque(t: float) -> NDArray[np.float64]:
        mask = np.zeros((64, 96))
        mask[:, : 72 - 8 * int(t * 10)] = 1
        return mask

    clip = ColorClip((96, 64), (0, 0, 0), duration=0.6).with_fps(10)
    clip.frame_function = shown
    mask = ColorClip((96, 64), 1.0, is_mask=True, duration=0.6).with_fps(10)
    mask.frame_function = opaque
    clip = clip.with_mask(mask)
    same = clip.with_effects([Repair()])
    assert same.mask.frame_function is opaque
    edited = clip.with_effects([Interpolate(factor=2)])
    assert (edited.mask.fps, edited.mask.duration) == (20, 0.6)
    edges = [float(edited.mask.get_frame(i / 20).mean(0).sum()) for i in range(11)]
    assert edges[::2] == [72, 64, 56, 48, 40, 32]
    assert edges[5] == pytest.approx(52, abs=2)


def test_transparency_becomes_the_mask(tmp_path: Path) -> None:
    with vedit.load(corpus.FILMS["alpha.webm"](tmp_path / "clear.webm")) as clip:
        opacity = clip.mask.get_frame(0)
        assert (opacity.shape, clip.mask.is_mask) == (clip.size[::-1], True)
        assert opacity.min() < 0.2
        assert opacity.max() > 0.8
        assert clip.with_effects([Repair()]).mask.get_frame(0) == pytest.approx(opacity)


def test_a_film_can_be_copied_and_sent(film: MakeFilm) -> None:
    with vedit.load(film()) as clip:
        frame = clip.get_frame(0.2)
        sent = pickle.loads(pickle.dumps(clip))  # noqa: S301 - our own
        assert np.array_equal(sent.get_frame(0.2), frame)
        assert np.array_equal(copy.deepcopy(clip).get_frame(0.2), frame)
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(clip.with_effects([Repair()]))
        with pytest.raises(TypeError, match="only a film"):
            pickle.dumps(clip.with_effects([vfx.MirrorX()]))
    assert np.array_equal(clip.get_frame(0.2), frame)  # it opens again


def test_a_film_that_goes_on_is_longer_and_its_sound_is_not(film: MakeFilm) -> None:
    with vedit.load(film(shots=(12,))) as clip:
        longer = clip.with_effects([Extend("1/4", kind="rnn")])
        assert (longer.n_frames, longer.fps) == (18, clip.fps)
        assert longer.duration == pytest.approx(18 * 1001 / 24000)
        assert np.array_equal(longer.get_frame(0), clip.get_frame(0))
        assert len(list(longer.iter_frames())) == 18
        assert longer.audio.duration == clip.audio.duration


def test_settings_are_those_of_the_edits() -> None:
    for effect in (Restyle, Interpolate, Inpaint, Repair, Extend):
        edit = getattr(edits, effect.__name__)
        assert issubclass(effect, Effect)
        assert [(f.name, f.default) for f in fields(effect)] == [(f.name, f.default) for f in fields(edit)]
    with pytest.raises(vedit.UsageError, match="neither fps"):
        Interpolate()
    with pytest.raises(vedit.UsageError, match="quality"):
        Inpaint("box:1,1,4,4", quality="superb")  # type: ignore[arg-type]


def test_what_cannot_work_is_said_at_once(film: MakeFilm, tmp_path: Path) -> None:
    endless = ColorClip((64, 48), (1, 2, 3))
    effect = Interpolate(fps=60)
    with pytest.raises(vedit.UsageError, match="without an end"):
        endless.with_effects([effect])
    with pytest.raises(vedit.UsageError, match="without a rate"):
        endless.with_duration(1).with_effects([effect])
    with pytest.raises(vedit.UsageError, match="given a mask"):
        ColorClip((64, 48), 1.0, is_mask=True, duration=1).with_fps(5).with_effects([effect])
    with pytest.raises(vedit.UsageError, match="AudioClip"):
        AudioClip(lambda t: t * 0, duration=1, fps=100).with_effects([effect])
    with pytest.raises(vedit.InputError, match="does not exist"):
        vedit.load(tmp_path / "none.mp4")
    small = ColorClip((10, 10), 1.0, is_mask=True, duration=1)
    masked = endless.with_duration(1).with_fps(5).with_mask(small).with_effects([effect])
    with pytest.raises(vedit.UsageError, match=r"the clip's mask gives an array of shape \(10, 10\)"):
        masked.get_frame(0)


def test_hdr_is_refused_or_tone_mapped(tmp_path: Path) -> None:
    path = corpus.FILMS["hdr_pq.mp4"](tmp_path / "hdr.mp4")
    with pytest.raises(vedit.UsageError, match="HDR"):
        vedit.load(path)
    with VideoFileClip(str(path)) as clip, pytest.raises(vedit.UsageError, match=r"vedit\.load"):
        clip.with_effects([Repair()])
    with vedit.load(path, hdr="tonemap") as clip:
        assert clip.get_frame(0).dtype == np.uint8


@pytest.mark.parametrize(
    ("fps", "rate"),
    [
        (25, "25"),
        (24000 / 1001, "24000/1001"),
        (23.98, "24000/1001"),
        (29.97, "30000/1001"),
        (59.94, "60000/1001"),
        (12.5, "25/2"),
        (119.88, "120000/1001"),
        (100 / 7, "100/7"),
        (24.01, "2401/100"),
    ],
)
def test_the_exact_rate_behind_a_float(fps: float, rate: str) -> None:
    assert exact_rate(fps) == Fraction(rate)
