"""Dust, scratches, repeats and losses put into films whose truth is known; what is no flaw must stay."""

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import vedit
from vedit.clip import Clip
from vedit.edits import Repair
from vedit.errors import UsageError
from vedit.frame import Frame, Notes, Shot, Timing

HEIGHT, WIDTH = 96, 160
RATE = 25


def pan(count: int = 12, speed: float = 2.0, seed: int = 0) -> Tensor:
    """Pictures ``(F,3,H,W)`` of a textured ground that moves sideways by ``speed`` pixels a frame."""
    return seen_from([speed * number for number in range(count)], seed)


def seen_from(places: Sequence[float], seed: int = 0) -> Tensor:
    """Pictures ``(F,3,H,W)`` of a textured ground that is so many pixels to the left in each."""
    generator = torch.Generator().manual_seed(seed)
    length = WIDTH + 200
    coarse, fine = (torch.rand(1, 3, HEIGHT // n, length // n, generator=generator) for n in (16, 4))
    size = (HEIGHT, length)
    wide = (
        0.25
        + 0.4 * F.interpolate(coarse, size, mode="bicubic")
        + 0.1 * F.interpolate(fine, size, mode="bicubic")
    )
    rows = torch.linspace(-1, 1, HEIGHT)[:, None].expand(HEIGHT, WIDTH)
    out = []
    for place in places:
        columns = ((torch.arange(WIDTH) + place) * 2 / (length - 1) - 1).expand(HEIGHT, WIDTH)
        grid = torch.stack([columns, rows], -1)[None]
        out.append(F.grid_sample(wide, grid, mode="bicubic", align_corners=True).clamp(0, 1)[0])
    return torch.stack(out)


def blot(picture: Tensor, y: int, x: int, level: float, radius: float = 4.0) -> Tensor:
    """A round spot with a soft edge, painted in place; returns where ``(H,W)``."""
    away = ((torch.arange(HEIGHT)[:, None] - y) ** 2 + (torch.arange(WIDTH) - x) ** 2).sqrt()
    share = (radius + 0.5 - away).clamp(0, 1)
    picture.copy_(torch.lerp(picture, torch.full_like(picture, level), share))
    return share > 0.3


def mend(
    pictures: Tensor, edit: Repair | None = None, pts: Sequence[int] | None = None
) -> tuple[list[Frame], list[Frame], Notes]:
    """The frames that went in, those that came out, and what was noted."""
    times = list(range(len(pictures))) if pts is None else list(pts)
    ends = [*times[1:], 2 * times[-1] - times[-2]]
    notes = Notes()
    timing = Timing(Fraction(1, RATE), None, times[0], ends[-1])
    shot = Shot(0, timing, HEIGHT, WIDTH, "cpu", notes)
    frames = [
        Frame(start, end - start, picture, index=i, cut=i == 0, native=f"{i}")
        for i, (picture, start, end) in enumerate(zip(pictures, times, ends, strict=True))
    ]
    return frames, list((edit or Repair()).stream(iter(frames), shot)), notes


def error(picture: Tensor, truth: Tensor, where: Tensor | None = None) -> float:
    """Root mean square difference, in levels of 255."""
    apart = (picture - truth)[:, where] if where is not None else picture - truth
    return 255 * float(apart.square().mean().sqrt())


def kinds(notes: Notes) -> list[tuple[str, int]]:
    return [(finding.kind, finding.index) for finding in notes.findings]


def test_dust_is_found_and_filled_and_nothing_else_changes() -> None:
    truth = pan()
    dirty = truth.clone()
    spots = {(3, 30, 50, 0.95), (3, 70, 120, 0.03), (7, 48, 90, 0.02), (8, 20, 30, 0.98)}
    where = {(n, y, x): blot(dirty[n], y, x, level) for n, y, x, level in spots}
    frames, out, notes = mend(dirty)
    assert kinds(notes) == [("dust", 3), ("dust", 7), ("dust", 8)]
    assert [finding.count for finding in notes.findings] == [2, 1, 1]
    assert notes.findings[0].seconds == 3 / RATE
    assert 0.5 < notes.findings[1].area / float(where[7, 48, 90].sum()) < 2
    for (n, _, _), place in where.items():
        assert error(out[n].pixels, truth[n], place) < 0.1 * error(dirty[n], truth[n], place)
    for n, frame in enumerate(out):
        if n not in (3, 7, 8):
            assert frame is frames[n]
            continue
        assert frame.native == f"{n}"  # all but what is marked as changed stays as the decoder gave it
        assert frame.changed is not None
        assert 0 < float(frame.changed.mean()) < 0.05
        same = frame.changed[0] == 0
        assert torch.equal(frame.pixels[:, same], dirty[n][:, same])


def test_dust_on_a_shots_first_and_last_frame() -> None:
    truth = pan()
    dirty = truth.clone()
    where = {0: blot(dirty[0], 40, 60, 0.97, 5), 11: blot(dirty[11], 50, 80, 0.02, 5)}
    _, out, notes = mend(dirty)
    assert kinds(notes) == [("dust", 0), ("dust", 11)]
    for n, place in where.items():
        assert error(out[n].pixels, truth[n], place) < 0.2 * error(dirty[n], truth[n], place)


def test_a_clean_film_is_left_alone() -> None:
    frames, out, notes = mend(pan())
    assert all(a is b for a, b in zip(frames, out, strict=True))
    assert (notes.findings, notes.found, notes.warnings) == ([], {}, [])


def test_a_thing_that_flies_past_is_no_dust() -> None:
    film = pan()
    for n in range(12):
        blot(film[n], 48, 8 + 13 * n, 0.98)  # further than the flow follows something so small
    _, _, notes = mend(film)
    assert notes.findings == []


def test_dust_that_looks_like_something_in_the_film_is_dust() -> None:
    """What stays with the ground has not come from where the dust is."""
    truth = pan()
    for number, picture in enumerate(truth):
        blot(picture, 60, 100 - 2 * number, 0.02)
    dirty = truth.clone()
    where = blot(dirty[5], 44, 60, 0.02)
    _, out, notes = mend(dirty)
    assert kinds(notes) == [("dust", 5)]
    assert error(out[5].pixels, truth[5], where) < 0.1 * error(dirty[5], truth[5], where)


def test_a_clock_over_a_film_is_no_dust() -> None:
    """Digits change in every frame, at the same place: what two of them have in common the one between may lack."""
    pictures = pan(30, speed=0.5)
    clock = pictures[:, :, 70:90, 20:140]
    clock.zero_()
    for number, picture in enumerate(clock):
        digits = np.zeros((20, 120), np.uint8)
        text = f"00:0{number // 25}:{number % 25:02d}"
        cv2.putText(digits, text, (2, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2, cv2.LINE_AA)
        picture.copy_(torch.from_numpy(digits) / 255)
    dirty = pictures.clone()
    blot(dirty[20], 30, 60, 0.97)
    _, out, notes = mend(dirty)
    assert ("dust", 20) in kinds(notes)
    assert [index for _, index in kinds(notes) if index > 2] == [20]
    assert all(torch.equal(a.pixels, b) for a, b in zip(out[3:20], pictures[3:20], strict=True))


def test_what_is_switched_off_is_not_looked_for() -> None:
    dirty = pan(24)
    blot(dirty[5], 30, 40, 0.95)
    dirty[12] = dirty[11]
    _, _, notes = mend(dirty, Repair(dust=False, duplicates=False, dropped=False))
    assert notes.findings == []


def test_a_repeat_becomes_the_frame_between() -> None:
    truth = pan(24)
    film = truth.clone()
    film[10] = film[9]
    frames, out, notes = mend(film)
    assert kinds(notes) == [("duplicate", 10)]
    assert error(out[10].pixels, truth[10]) < 0.25 * error(film[10], truth[10])
    assert [(f.pts, f.duration, f.index) for f in out] == [(f.pts, f.duration, f.index) for f in frames]
    assert all(out[n] is frames[n] for n in range(24) if n != 10)


def test_repeats_in_a_rhythm_are_left_alone_and_told() -> None:
    film = pan(12, speed=4.0).repeat_interleave(2, 0)
    frames, out, notes = mend(film)
    assert all(a is b for a, b in zip(frames, out, strict=True))
    assert notes.findings == []
    assert any("rhythm" in warning for warning in notes.warnings)


def test_a_still_film_has_no_repeats() -> None:
    frames, out, notes = mend(pan(1).expand(16, -1, -1, -1).clone())
    assert all(a is b for a, b in zip(frames, out, strict=True))
    assert notes.findings == []


def test_frames_missing_in_the_times_are_made() -> None:
    truth = pan(24)
    kept = [n for n in range(24) if n not in (8, 15, 16)]
    frames, out, notes = mend(truth[kept], pts=[40 * n + 7 for n in kept])
    assert [f.pts for f in out] == [40 * n + 7 for n in range(24)]
    assert [f.duration for f in out] == [40] * 24
    assert [f.index for f in out] == list(range(24))
    assert kinds(notes) == [("dropped", 8), ("dropped", 14)]  # the source frames that follow the holes
    assert [finding.count for finding in notes.findings] == [1, 2]
    assert notes.added == 3
    for n in (8, 15, 16):
        assert error(out[n].pixels, truth[n]) < 0.3 * error(truth[n - 1], truth[n])
    assert all(torch.equal(out[n].pixels, truth[n]) for n in kept)
    assert all(f.native is not None for f in out if f.pts in {g.pts for g in frames})


def test_a_film_of_varying_rate_is_no_film_with_holes() -> None:
    generator = torch.Generator().manual_seed(1)
    steps = (torch.rand(23, generator=generator) * 80 + 20).int().tolist()
    pts = [sum(steps[:n]) for n in range(24)]
    frames, out, notes = mend(pan(24), Repair(dust=False, scratches=False, duplicates=False), pts)
    assert [f.pts for f in out] == pts
    assert all(a is b for a, b in zip(frames, out, strict=True))
    assert notes.findings == []


def test_a_loss_that_shows_in_the_motion_alone_is_told() -> None:
    truth = pan(25)
    kept = [n for n in range(25) if n != 12]
    frames, out, notes = mend(truth[kept])
    assert kinds(notes) == [("dropped", 12)]
    assert not notes.findings[0].mended
    assert all(a is b for a, b in zip(frames, out, strict=True))


def test_hardly_a_step_of_a_hand_that_shakes_is_taken_for_a_loss() -> None:
    told = 0
    for seed in range(6):
        generator = torch.Generator().manual_seed(seed)
        steps = 1 + 3 * torch.rand(40, generator=generator)  # some go four times as far as others
        frames, out, notes = mend(seen_from(steps.cumsum(0).tolist(), seed))
        assert all(a is b for a, b in zip(frames, out, strict=True))
        told += len(notes.findings)
    assert told <= 3, "of 240 steps, ten of which go so far that they are looked at closely"


def test_frames_between_a_repeat_and_a_loss_are_put_right() -> None:
    truth = pan(24)
    shown = [*range(10), 9, 10, 11, 12, *range(14, 24)]  # 9 is shown twice, 10 to 12 a frame late, 13 is lost
    _, out, notes = mend(truth[shown])
    assert kinds(notes) == [("duplicate", 10), ("dropped", 14)]
    assert all(finding.mended for finding in notes.findings)
    assert all(torch.equal(out[n].pixels, truth[n]) for n in range(24) if n != 13)
    assert error(out[13].pixels, truth[13]) < 0.25 * error(truth[12], truth[13])
    early = [*range(10), 11, 12, 13, 13, *range(14, 24)]  # 10 is lost, 11 and 12 come a frame early
    _, out, notes = mend(truth[early])
    assert kinds(notes) == [("dropped", 10), ("duplicate", 13)]
    assert all(torch.equal(out[n].pixels, truth[n]) for n in range(24) if n != 10)


@pytest.mark.parametrize("level", [0.95, 0.05])
def test_a_scratch_is_filled_and_a_pole_is_not(level: float) -> None:
    truth = pan(10)
    for n in range(10):
        truth[n, :, :, 130 - 2 * n : 134 - 2 * n] = (
            0.9  # goes along with the ground, and is not all of the height
        )
        truth[n, :, :40, 130 - 2 * n : 134 - 2 * n] = 0.2
    film = truth.clone()
    for n in range(10):
        film[n, :, :, 40 + n % 2 : 42 + n % 2] = 0.4 * film[n, :, :, 40 + n % 2 : 42 + n % 2] + 0.6 * level
    _, out, notes = mend(film)
    assert kinds(notes) == [("scratch", n) for n in range(10)]
    where = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    where[:, 39:45] = True
    for n in range(1, 9):
        assert error(out[n].pixels, truth[n], where) < 0.4 * error(film[n], truth[n], where)
        changed = out[n].changed
        assert changed is not None
        assert not changed[0, :, 80:].any()


def test_a_preview_draws_what_is_found_and_changes_no_time() -> None:
    film = pan(24)
    place = blot(film[5], 30, 50, 0.95)
    film[10] = film[9]
    kept = [n for n in range(24) if n != 16]
    frames, out, notes = mend(film[kept], Repair(preview=True), pts=[40 * n for n in kept])
    assert [(f.pts, f.duration) for f in out] == [(f.pts, f.duration) for f in frames]
    assert sorted(kinds(notes)) == [("dropped", 16), ("duplicate", 10), ("dust", 5)]
    assert not any(finding.mended for finding in notes.findings)
    red = (out[5].pixels[0] > 0.95) & (out[5].pixels[1] < 0.15)
    assert red[place].all()
    assert float(red.float().mean()) < 0.03
    blue, magenta = out[10].pixels[:, 0, 0], out[16].pixels[:, 0, 0]
    assert blue[2] > 0.9 > blue[0]
    assert magenta[0] > 0.9 > magenta[1]
    assert torch.equal(out[10].pixels[:, 5:-5, 5:-5], film[10][:, 5:-5, 5:-5])
    assert all(out[n] is frames[n] for n in range(23) if n not in (5, 10, 16))


def test_short_clips_and_alpha() -> None:
    for count in (2, 3, 4):
        clip = Clip.at_rate(pan(count), RATE)
        assert torch.equal(Repair().apply(clip).frames, clip.frames)
    dirty = pan()
    blot(dirty[6], 40, 60, 0.97)
    alpha = torch.rand(12, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    out = Repair().apply(Clip.at_rate(torch.cat([dirty, alpha], 1), RATE)).frames
    assert torch.equal(out[:, 3:], alpha)
    assert not torch.equal(out[6, :3], dirty[6])


def test_something_has_to_be_repaired() -> None:
    with pytest.raises(UsageError, match="nothing"):
        Repair(dust=False, scratches=False, dropped=False, duplicates=False)


def write(path: Path, pictures: Tensor, pts: Sequence[int]) -> Path:
    """A film without loss of the pictures, shown at these milliseconds."""
    with av.open(path, "w") as out:
        stream = out.add_stream("ffv1", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv444p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, picture in zip(pts, pictures, strict=True):
            rgb = np.ascontiguousarray((picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = at, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def test_a_film_is_repaired_and_the_report_says_what_was_found(tmp_path: Path) -> None:
    film = pan(24)
    for n in (4, 13):
        blot(film[n], 40, 60, 0.97)
    kept = [n for n in range(24) if n not in (9, 18)]
    src = write(tmp_path / "in.mkv", film[kept], [40 * n for n in kept])
    report = vedit.repair(src, tmp_path / "out.mkv", codec="ffv1")
    assert (report.frames_in, report.frames_out) == (22, 24)
    assert report.duration_in == report.duration_out
    assert vedit.probe(tmp_path / "out.mkv").pts == tuple(40 * n for n in range(24))
    assert {kind: (f.frames, f.count, f.left) for kind, f in report.found.items()} == {
        "dropped": (2, 2, 0),
        "dust": (2, 2, 0),
    }
    assert sorted((f.kind, f.index, f.seconds) for f in report.findings) == [
        ("dropped", 9, 0.4),
        ("dropped", 17, 0.76),
        ("dust", 4, 0.16),
        ("dust", 12, 0.52),
    ]
    assert "dust: 2 in 2 frames, at 0.16, 0.52 s" in report.repairs
    assert " · 2 dropped · 2 dust · " in report.proof
    facts = json.loads(report.to_json())
    assert facts["found"]["dust"] == {"frames": 2, "count": 2, "left": 0}
    assert {fact["index"] for fact in facts["findings"]} == {4, 9, 12, 17}
    with av.open(tmp_path / "out.mkv") as out:
        after = [frame.to_ndarray(format="rgb24") for frame in out.decode(video=0)]
    with av.open(src) as before:
        given = [frame.to_ndarray(format="rgb24") for frame in before.decode(video=0)]
    for place, n in enumerate(kept):
        if n not in (4, 13):
            np.testing.assert_array_equal(after[n], given[place])


def test_an_interrupted_repair_goes_on_and_tells_all(tmp_path: Path) -> None:
    film = torch.cat([pan(60, speed=2.0), 1 - pan(60, speed=1.5, seed=1)])
    for n in (20, 50, 80):
        blot(film[n], 40, 60, 0.97 if n < 60 else 0.03)
    kept = [n for n in range(120) if n not in (30, 90)]
    src = write(tmp_path / "in.mkv", film[kept], [40 * n for n in kept])
    whole = vedit.repair(src, tmp_path / "whole.mkv", codec="ffv1")
    assert (whole.shots, whole.frames_out) == (2, 120)

    def stop(done: int, total: int) -> None:
        if done > 75:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vedit.repair(src, tmp_path / "out.mkv", codec="ffv1", progress=stop)
    report = vedit.repair(src, tmp_path / "out.mkv", codec="ffv1")
    assert report.frames_kept > 0
    assert report.findings == whole.findings
    assert report.found == whole.found
    assert {f.kind for f in whole.findings} == {"dust", "dropped"}
    shown = []
    for path in (tmp_path / "whole.mkv", tmp_path / "out.mkv"):
        with av.open(path) as out:
            shown.append([(f.pts, f.to_ndarray(format="rgb24").tobytes()) for f in out.decode(video=0)])
    assert shown[0] == shown[1]


def test_flicker_is_evened_and_fades_and_flashes_stay() -> None:
    truth = pan(24) * torch.linspace(1, 0.7, 24).view(-1, 1, 1, 1)  # a fade
    generator = torch.Generator().manual_seed(2)
    unsteady = 1 + 0.05 * torch.randn(24, 1, 1, 1, generator=generator)
    edit = Repair(dust=False, scratches=False, dropped=False, duplicates=False, flicker=True)
    _, out, notes = mend((truth * unsteady).clamp(0, 1), edit)
    assert len(notes.findings) > 18
    assert {finding.kind for finding in notes.findings} == {"flicker"}
    level = torch.stack([frame.pixels.mean() for frame in out]) / truth.mean((1, 2, 3))
    assert level.diff().std() < 0.35 * unsteady.flatten().diff().std()
    truth[12] *= 1.15  # a flash
    frames, out, notes = mend(truth, edit)
    assert notes.findings == []
    assert all(a is b for a, b in zip(frames, out, strict=True))
