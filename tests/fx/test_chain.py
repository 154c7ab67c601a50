"""Frames of clips with vedit's effects: which, when they are made, and how often the source is read."""

import gc
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from moviepy import VideoClip, VideoFileClip, vfx  # type: ignore[import-untyped]
from numpy.typing import NDArray

import vedit
from vedit.edits.edit import Edit
from vedit.frame import Notes, Shot
from vedit.fx import Inpaint, Interpolate, Repair, Restyle
from vedit.fx.chain import JUMPS
from vedit.streaming import clocks, edited_shot, split_at_cuts
from vedit.video.read import read

MakeFilm = Callable[..., Path]
Picture = NDArray[np.uint8]
# MoviePy's sound reader does not close its pipes when its process ended by itself.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")

BOX = "box:30,20,20,12"
CHAIN = [Inpaint(BOX, quality="draft"), Interpolate(fps=40, quality="draft")]


def by_the_file_api(path: Path, edits: Sequence[Edit]) -> list[tuple[float, Picture]]:
    """What a render of these edits hands to the encoder: seconds from the start, and the picture in 8 bits."""
    source, notes = vedit.probe(path), Notes()
    timings, _, _ = clocks(source, edits, "copy", notes)
    clock = timings[-1]
    out = []
    for number, pictures in enumerate(split_at_cuts(read(source, notes))):
        shot = Shot(number, source.timing, source.height, source.width, "auto", notes)
        for frame in edited_shot(pictures, edits, timings, shot):
            rounded = (frame.pixels.clamp(0, 1) * 255).round().byte()
            seconds = float((frame.pts - clock.start) * clock.time_base)
            out.append((seconds, rounded.permute(1, 2, 0).numpy()))
    return out


class Moving:
    """A clip without a file that counts how often each frame is asked for: a square on noise, a cut at frame 8."""

    def __init__(self, frames: int = 16, fps: int = 20) -> None:
        self.asked: list[int] = []
        self.threads: set[str] = set()
        self.noise = np.random.default_rng(0).integers(0, 120, (2, 48, 64 + frames, 3), np.uint8)
        self.fps = fps
        self.clip = VideoClip()
        self.clip.frame_function = self
        self.clip.size, self.clip.fps = (64, 48), fps
        self.clip = self.clip.with_duration(frames / fps)

    def __call__(self, t: float) -> Picture:
        index = int(t * self.fps)
        self.asked.append(index)
        self.threads.add(threading.current_thread().name)
        shot = int(index >= 8)
        return np.ascontiguousarray(self.noise[shot, :, index : index + 64] + np.uint8(120 * shot))


def test_building_a_chain_reads_nothing_and_reading_it_reads_once() -> None:
    others = set(threading.enumerate())
    moving = Moving()
    edited = moving.clip.with_effects([Repair(), *CHAIN])
    assert moving.asked == []
    assert len(list(edited.iter_frames())) == 32
    assert moving.asked == list(range(16))
    assert moving.threads == {"MainThread"}  # whatever threads the edits use: readers are not made for two
    half = moving.clip.with_effects(CHAIN)
    half.get_frame(0)
    assert any(thread.name == "vedit-edits" for thread in set(threading.enumerate()) - others)
    del half, edited
    gc.collect()
    assert not any(thread.name.startswith("vedit-") for thread in set(threading.enumerate()) - others)


def test_effects_join_the_chain_before_them() -> None:
    moving = Moving()
    together = moving.clip.with_effects(CHAIN)
    one_by_one = moving.clip.with_effects(CHAIN[:1]).with_effects(CHAIN[1:])
    frames = list(together.iter_frames())
    moving.asked.clear()
    assert all(np.array_equal(a, b) for a, b in zip(frames, one_by_one.iter_frames(), strict=True))
    assert moving.asked == list(range(16))


@pytest.mark.parametrize("opened", [vedit.load, VideoFileClip])
def test_the_pixels_are_those_of_the_file_api(opened: Callable[[str], VideoClip], film: MakeFilm) -> None:
    path = film(shots=(5, 7))
    effects = [Repair(), *CHAIN]
    expected = by_the_file_api(path, [effect.edit() for effect in effects])
    with opened(str(path)) as clip:
        edited = clip.with_effects(effects)
        for seconds, picture in expected:
            assert np.array_equal(edited.get_frame(seconds), picture)


def test_a_look_has_the_noise_of_the_file_api(film: MakeFilm) -> None:
    path = film(shots=(3, 4))
    effect = Restyle(look="ink", size=64, steps=1)
    expected = by_the_file_api(path, [effect.edit()])
    with vedit.load(path) as clip:
        frames = list(clip.with_effects([effect]).iter_frames())
    assert all(np.array_equal(a, b) for a, (_, b) in zip(frames, expected, strict=True))


@pytest.mark.parametrize(
    "effects",
    [
        [],
        [Interpolate(fps=60, quality="draft")],
        [Interpolate(fps=8)],
        [Interpolate(slowmo=2.5, quality="draft")],
        [Interpolate(fps=30, dedupe=True, quality="draft")],
        [Repair(), Interpolate(factor=2, quality="draft")],
        [Interpolate(factor=2, quality="draft"), Interpolate(fps=25, quality="draft")],
        [Interpolate(fps=12, quality="draft"), Interpolate(fps=25, dedupe=True, quality="draft")],
    ],
)
def test_any_order_gives_the_same_frames(
    effects: list[Interpolate | Repair], film: MakeFilm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vedit.fx.chain.KEPT", 0)  # a few frames, as of large pictures
    monkeypatch.setattr("vedit.fx.chain.NEAR", 3)
    monkeypatch.setattr("vedit.fx.chain.JUMPS", -1)
    path = film(shots=(6, 14))
    with vedit.load(path) as clip:
        edited = clip.with_effects(effects)
        frames = list(edited.iter_frames())
    count = len(frames)
    with vedit.load(path) as clip:
        again = clip.with_effects(effects)
        order = [count - 1, 2, count // 2, count // 2 + 1, *range(count // 2 - 1, max(0, count // 2 - 5), -1)]
        for index in order:
            assert np.array_equal(again.get_frame(index / again.fps), frames[index]), index


def test_a_new_beginning_knows_how_things_moved_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Moving(frames=14)
    coarse = np.random.default_rng(2).integers(0, 255, (6, 40, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    moving.clip.frame_function = lambda t: np.ascontiguousarray(coarse[:, int(t * 20) ** 2 :][:, :64])
    effect = Interpolate(factor=2)
    frames = list(moving.clip.with_effects([effect]).iter_frames())
    monkeypatch.setattr("vedit.fx.chain.BACK", 0)  # too few, which is found out
    for index in (19, 13):
        assert np.array_equal(moving.clip.with_effects([effect]).get_frame(index / 40), frames[index])


def test_jumping_about_is_told_once(film: MakeFilm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vedit.fx.chain.KEPT", 0)
    monkeypatch.setattr("vedit.fx.chain.NEAR", 0)
    with vedit.load(film(shots=(6, 6))) as clip:
        edited = clip.with_effects([Repair()])

        def jump(times: int) -> None:
            for index in range(times):
                edited.get_frame((7 if index % 2 else 1) / clip.fps)

        jump(JUMPS)
        with pytest.warns(UserWarning, match="out of order"):
            jump(4)
        jump(4)


def test_no_edit_crosses_a_cut_that_is_found_in_a_clip() -> None:
    moving = Moving()
    edited = moving.clip.with_effects([Interpolate(factor=2, quality="draft")])
    before, after = edited.get_frame(15 / 40), edited.get_frame(16 / 40)
    assert before.max() < 125
    assert after.min() >= 115
    assert np.array_equal(after, moving(8 / 20))


def test_moviepys_effects_before_between_and_after(film: MakeFilm) -> None:
    path = film(shots=(6, 6))
    with vedit.load(path) as clip:
        small = clip.with_effects([vfx.Crop(x1=0, y1=0, width=64, height=48)])
        edited = small.with_effects(
            [
                Inpaint(BOX, quality="draft"),
                vfx.MirrorX(),
                Interpolate(factor=2, quality="draft"),
                vfx.InvertColors(),
            ]
        )
        assert (edited.size, edited.duration) == ((64, 48), clip.duration)
        assert edited.fps == pytest.approx(2 * clip.fps)
        frames, source = list(edited.iter_frames()), list(clip.iter_frames())
    assert len(frames) == 24
    flipped = 255 - frames[10][:, ::-1]
    outside = np.ones((48, 64), bool)
    outside[20:32, 30:50] = False
    assert np.array_equal(flipped[outside], source[5][:48, :64][outside])
    assert not np.array_equal(flipped, source[5][:48, :64])


def test_two_clips_of_one_clip_do_not_disturb_each_other() -> None:
    moving = Moving()
    one = moving.clip.with_effects([Interpolate(factor=2, quality="draft")])
    other = one.with_effects([vfx.MirrorX()])
    frames = list(one.iter_frames())
    pairs = [(one.get_frame(i / 40), other.get_frame(i / 40)) for i in range(32)]
    assert all(
        np.array_equal(a, b[:, ::-1]) and np.array_equal(a, f)
        for (a, b), f in zip(pairs, frames, strict=True)
    )


def test_a_clip_that_changes_its_size_is_refused() -> None:
    moving = Moving()
    growing = moving.clip.with_effects([vfx.Resize(lambda t: 1 + t)])
    with pytest.raises(vedit.UsageError, match="Resize the clip to one size"):
        list(growing.with_effects([Interpolate(factor=2)]).iter_frames())
