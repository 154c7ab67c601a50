from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from vedit.clip import Clip
from vedit.edits.interpolate import Interpolate
from vedit.errors import UsageError
from vedit.frame import Frame, Notes, Shot, Timing
from vedit.workers import MOST


def panning(frames: int, step: int = 4, height: int = 48, width: int = 64) -> Tensor:
    """A textured picture that moves to the left by ``step`` pixels a frame, ``(F,3,H,W)``."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 3, height // 6, (width + step * frames) // 6, generator=generator)
    wide = F.interpolate(coarse, (height, width + step * frames), mode="bicubic").clamp(0, 1)[0]
    return torch.stack([wide[:, :, i * step : i * step + width] for i in range(frames)])


def film(pts: list[int], end: int, cuts: tuple[int, ...] = (0,), native: bool = False) -> list[list[Frame]]:
    """A film's frames by shot; each shot shows a pan of its own."""
    pictures = panning(len(pts))
    frames = [
        Frame(p, stop - p, picture, index=i, cut=i in cuts, native=f"picture {i}" if native else None)
        for i, (p, stop, picture) in enumerate(zip(pts, [*pts[1:], end], pictures, strict=True))
    ]
    return [frames[a:b] for a, b in zip(cuts, [*cuts[1:], len(frames)], strict=True)]


def run(edit: Interpolate, shots: list[list[Frame]], timing: Timing) -> list[Frame]:
    out: list[Frame] = []
    for i, frames in enumerate(shots):
        shot = Shot(i, timing, 48, 64, "cpu", Notes())
        out += edit.stream(iter(frames), shot)
    return out


def check_clock(out: list[Frame], timing: Timing) -> None:
    """Every frame is followed at once by the next, and the last one closes the film."""
    assert out[0].pts == timing.start
    assert [f.end for f in out] == [f.pts for f in out[1:]] + [timing.end]
    assert all(f.duration > 0 for f in out)
    assert [f.index for f in out] == list(range(len(out)))


@pytest.mark.parametrize("quality", ["draft", "normal"])
def test_a_new_frame_shows_the_motion_half_way(quality: str) -> None:
    truth = panning(5, step=4)
    out = Interpolate(factor=2, quality=quality).apply(Clip.at_rate(truth[::2], 10))  # type: ignore[arg-type]
    assert torch.equal(out.frames[::2], truth[::2]), "source frames are bit-exact"
    assert out.rate == 20
    inner = slice(12, -12)
    for i in (1, 3):
        error = (out.frames[i] - truth[i])[:, inner, inner].abs().mean()
        blend = ((truth[i - 1] + truth[i + 1]) / 2 - truth[i])[:, inner, inner].abs().mean()
        assert error < blend / 5
        brighter = (out.frames[i] - truth[i])[:, inner, inner].mean()
        assert abs(float(brighter)) < 0.001, "no brightness flicker"


@pytest.mark.parametrize("quality", ["draft", "normal", "best"])
def test_new_frames_are_about_as_sharp_as_those_beside_them(quality: str) -> None:
    """Half a pixel further, where a mean of two pictures is softest: else a film would pulse between new and real."""
    noise = torch.rand(1, 3, 100, 140, generator=torch.Generator().manual_seed(0))
    wide = F.avg_pool2d(F.avg_pool2d(noise, 3, 1, 1), 3, 1, 1)[0]
    pan = torch.stack([wide[:, 4:-4, i : i + 128] for i in (4, 5, 6)])
    out = Interpolate(factor=2, quality=quality).apply(Clip.at_rate(pan, 10)).frames  # type: ignore[arg-type]
    energy = out[:, :, 12:-12, 12:-12].diff(dim=-1).square().mean((1, 2, 3))
    for new in (1, 3):
        assert 0.88 < energy[new] / energy[new - 1] < 1.05


def test_a_clip_of_varying_rate_gets_all_its_frames_and_is_no_view_of_more() -> None:
    pan = panning(4)
    clip = Clip(pan, (0, 3, 4, 9), Fraction(1, 30))
    out = Interpolate(factor=3, quality="draft").apply(clip)
    assert out.pts == (0, 3, 6, 9, 10, 11, 12, 17, 22, 27, 32, 37)
    assert torch.equal(out.frames[::3], pan)
    assert out.frames.untyped_storage().nbytes() == out.frames.nbytes


def test_factor_cuts_every_gap_of_a_film_of_varying_rate() -> None:
    shots, timing = film([100, 110, 140, 145], 155), Timing(Fraction(1, 90), None, 100, 155)
    edit = Interpolate(factor=3)
    out, clock = run(edit, shots, timing), edit.timing(timing)
    check_clock(out, clock)
    assert clock == Timing(Fraction(1, 270), None, 300, 465)
    assert len(out) == 12
    assert [f.pts for f in out[3:7]] == [330, 360, 390, 420]
    assert all(torch.equal(out[3 * i].pixels, shots[0][i].pixels) for i in range(4))
    assert [f.pts for f in out[9:]] == [435, 445, 455]


def test_factor_one_passes_every_frame_through() -> None:
    shots, timing = film([0, 1, 5], 6, native=True), Timing(Fraction(1, 25), None, 0, 6)
    edit = Interpolate(factor=1)
    assert edit.timing(timing) is timing
    assert all(a is b for a, b in zip(run(edit, shots, timing), shots[0], strict=True))


def test_fps_grid_is_exact_from_ntsc_film_to_60() -> None:
    timing = Timing(Fraction(1, 24000), Fraction(24000, 1001), 0, 9 * 1001)
    shots, edit = film([i * 1001 for i in range(9)], 9 * 1001, native=True), Interpolate(fps=60)
    out, clock = run(edit, shots, timing), edit.timing(timing)
    check_clock(out, clock)
    assert (clock.end - clock.start) * clock.time_base == Fraction(9 * 1001, 24000), "no drift, not by a tick"
    assert [f.pts * clock.time_base for f in out] == [Fraction(m, 60) for m in range(len(out))]
    assert len(out) == 23  # 22.5225 sixtieths
    assert [f.index for f in out if f.native is not None] == [0], "only the start meets a source frame"


def test_grid_points_on_source_frames_are_those_frames() -> None:
    timing = Timing(Fraction(1, 30000), Fraction(30000, 1001), 5005, 5005 + 6 * 1001)
    shots = film([5005 + i * 1001 for i in range(6)], 5005 + 6 * 1001, native=True)
    out = run(Interpolate(fps="60000/1001"), shots, timing)
    assert len(out) == 12
    assert [f.native for f in out[::2]] == [f"picture {i}" for i in range(6)]
    assert all(f.native is None for f in out[1:-1:2])
    fewer = run(Interpolate(fps=Fraction(15000, 1001)), shots, timing)
    assert [f.native for f in fewer] == ["picture 0", "picture 2", "picture 4"]


@pytest.mark.parametrize("fps", [30000 / 1001, "29.97003", "29.970029970029970"])
def test_a_printed_rate_is_the_one_it_was_printed_from(fps: float | str) -> None:
    assert Interpolate(fps=fps).fps == Fraction(30000, 1001)
    assert Interpolate(fps="29.97").fps == Fraction(2997, 100)


def test_times_rounded_to_milliseconds_still_meet_their_frames() -> None:
    pts = [round(Fraction(i * 1000, 24)) for i in range(13)]
    timing = Timing(Fraction(1, 1000), Fraction(24), 0, pts[-1])
    edit = Interpolate(fps=48)
    out = run(edit, film(pts[:-1], pts[-1], native=True), timing)
    check_clock(out, edit.timing(timing))
    assert len(out) == 24
    assert [f.native for f in out[::2]] == [f"picture {i}" for i in range(12)]
    assert all(f.native is None for f in out[1:-1:2])


def test_nothing_is_made_across_a_cut() -> None:
    timing = Timing(Fraction(1, 24), Fraction(24), 0, 8)
    shots, edit = film(list(range(8)), 8, cuts=(0, 3), native=True), Interpolate(fps=60)
    out = run(edit, shots, timing)
    check_clock(out, edit.timing(timing))
    assert [f.index for f in out if f.cut] == [0, 8]  # 8/60 s is the first grid point after the cut at 7.5/60
    for alone, of in ((shots[:1], out[:8]), (shots[1:], out[8:])):
        pairs = zip(run(edit, alone, timing), of, strict=True)
        assert all(torch.equal(a.pixels, b.pixels) for a, b in pairs), "shots do not know each other"
    doubled = run(Interpolate(factor=2), shots, timing)
    assert len(doubled) == 16
    assert [f.index for f in doubled if f.cut] == [0, 6]
    assert doubled[6].native == "picture 3"


@pytest.mark.parametrize("edit", [Interpolate(factor=2), Interpolate(fps=48), Interpolate(slowmo=2)])
def test_the_motion_goes_on_up_to_a_cut_and_to_the_end(edit: Interpolate) -> None:
    timing = Timing(Fraction(1, 24), Fraction(24), 0, 6)
    truth = panning(7, step=4)
    frames = [Frame(i, 1, truth[i], index=i, cut=i == 0) for i in range(6)]
    new = run(edit, [frames], timing)[-1].pixels
    held, meant = truth[5], panning(14, step=2)[11]
    inner = slice(12, -12)
    error, stutter = ((p - meant)[:, inner, inner].abs().mean() for p in (new, held))
    assert error < stutter / 4
    # Each of its own alone: what comes before the last two does not matter.
    assert torch.equal(new, run(edit, [frames[4:]], replace(timing, start=4))[-1].pixels)


def test_a_shot_of_one_frame_is_held() -> None:
    timing = Timing(Fraction(1, 24), Fraction(24), 0, 2)
    out = run(Interpolate(factor=3), film([0, 1], 2, cuts=(0, 1), native=True), timing)
    assert [f.native for f in out] == ["picture 0"] * 3 + ["picture 1"] * 3


def test_slow_motion_stretches_time_at_the_same_rate() -> None:
    timing = Timing(Fraction(1, 1000), Fraction(25), 40, 240)
    shots, edit = film([40, 80, 120, 160, 200], 240, native=True), Interpolate(slowmo="2.5")
    out, clock = run(edit, shots, timing), edit.timing(timing)
    check_clock(out, clock)
    assert clock.rate == 25
    assert clock.start * clock.time_base == Fraction(40, 1000)
    assert (clock.end - clock.start) * clock.time_base == Fraction(500, 1000)
    assert len(out) == 13  # 12.5 frame times
    assert [f.native for f in out[:6]] == ["picture 0", None, None, None, None, "picture 2"]
    doubled = Interpolate(slowmo="2.5", fps=50)
    twice = run(doubled, shots, timing)
    check_clock(twice, doubled.timing(timing))
    assert len(twice) == 25
    assert doubled.timing(timing).rate == 50
    assert all(torch.equal(a.pixels, b.pixels) for a, b in zip(out, twice[::2], strict=True))


def test_slow_motion_of_a_film_of_varying_rate() -> None:
    timing = Timing(Fraction(1, 1000), None, 10, 250)
    edit = Interpolate(slowmo=Fraction(3, 2))
    out, clock = run(edit, film([10, 50, 170, 200], 250, native=True), timing), edit.timing(timing)
    check_clock(out, clock)
    assert clock.start * clock.time_base == Fraction(10, 1000)
    assert (clock.end - clock.start) * clock.time_base == Fraction(360, 1000)
    assert [f.native for f in out] == [
        "picture 0",
        None,
        "picture 1",
        None,
        "picture 2",
        None,
        "picture 3",
        None,
    ]


def test_motion_goes_on_to_the_end_and_draft_holds_it() -> None:
    pan = panning(4, step=2, height=96, width=128)
    for quality in ("draft", "normal"):
        made = Interpolate(factor=2, quality=quality).apply(Clip.at_rate(pan[:3], 10)).frames
        assert torch.equal(made[4], pan[2])
        assert torch.equal(made[5], pan[2]) == (quality == "draft")


def test_it_reads_as_far_ahead_as_it_has_workers() -> None:
    alive = 0

    def frames() -> Iterator[Frame]:
        nonlocal alive
        for frame in film(list(range(20)), 20)[0]:
            alive += 1
            yield frame

    timing = Timing(Fraction(1, 25), Fraction(25), 0, 20)
    shot = Shot(0, timing, 48, 64, "cpu", Notes())
    for made, _ in enumerate(Interpolate(factor=2, quality="draft").stream(frames(), shot), 1):
        assert alive <= min(20, (made + 1) // 2 + 2 + MOST)
    assert made == 40


def test_frames_that_stay_do_not_pile_up_behind_a_new_one() -> None:
    taken = 0
    pts = [0, *range(2, 60)]  # one is missing

    def frames() -> Iterator[Frame]:
        nonlocal taken
        for frame in film(pts, 60)[0]:
            taken += 1
            yield frame

    shot = Shot(0, Timing(Fraction(1, 25), None, 0, 60), 48, 64, "cpu", Notes())
    made = Interpolate(fps=25, quality="draft").stream(frames(), shot)
    ahead = max(taken - frame.index for frame in made)
    assert ahead <= 2 * MOST + 4


def test_what_stands_still_stays_on_a_moving_ground() -> None:
    clip = panning(2, step=6)
    strokes = torch.zeros(48, 64, dtype=torch.bool)
    for column in (8, 15, 26, 33, 44, 55):
        strokes[20:36, column : column + 3] = True  # a burned-in caption
    clip[:, :, strokes] = 1
    out = Interpolate(factor=2).apply(Clip.at_rate(clip, 25))
    assert (out.frames[1] - clip[0])[:, strokes].abs().max() < 0.01


def test_alpha_moves_with_the_colours() -> None:
    truth = panning(3, step=4)
    alpha = truth.mean(1, keepdim=True)
    out = Interpolate(factor=2).apply(Clip.at_rate(torch.cat([truth, alpha], 1)[::2], 25))
    assert out.frames.shape == (4, 4, 48, 64)
    assert (out.frames[1, 3] - alpha[1, 0])[12:-12, 12:-12].abs().mean() < 0.02


def test_a_tiny_picture_is_blended() -> None:
    clip = torch.stack([torch.zeros(3, 4, 5), torch.ones(3, 4, 5)])
    out = Interpolate(factor=4).apply(Clip.at_rate(clip, 25))
    torch.testing.assert_close(out.frames[:4, 0, 0, 0], torch.tensor([0, 0.25, 0.5, 0.75]))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "neither fps, factor, slowmo nor ramp"),
        ({"dedupe": True}, "neither fps, factor, slowmo nor ramp"),
        ({"slowmo": 2, "ramp": "0=0,1=2"}, "slowmo and ramp"),
        ({"ramp": "0=0,1=x"}, "the key 1=x"),
        ({"ramp": "0=0,1=2,2=1"}, "backwards, from 1=2 to 2=1"),
        ({"ramp": "0=1,1=2"}, "begins with 0=1"),
        ({"ramp": {0: 0}}, "no key but the start"),
        ({"ramp": "0=0,1=1,1=2"}, "two moments for 1 s"),
        ({"fps": 60, "factor": 2}, "fps and factor"),
        ({"factor": 0}, "factor is 0"),
        ({"factor": 1.5}, "factor is 1.5"),
        ({"fps": -24}, "fps is -24"),
        ({"fps": "1/0"}, "fps is '1/0'"),
        ({"fps": "fast"}, "fps is 'fast'"),
        ({"slowmo": 0}, "slowmo is 0"),
        ({"slowmo": float("inf")}, "slowmo is inf"),
        ({"factor": 2, "quality": "perfect"}, "quality is 'perfect'"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Interpolate(**settings)  # type: ignore[arg-type]
