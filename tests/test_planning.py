import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

import vedit
from vedit.edits import Inpaint, Interpolate, Restyle
from vedit.edits.edit import Edit
from vedit.frame import Frame, Notes, Shot
from vedit.planning import frames_out

MakeFilm = Callable[..., Path]


def stepping(path: Path, times: list[int], *, time_base: Fraction = Fraction(1, 1000)) -> Path:
    """A film of noise that moves, its pictures shown at the given ticks."""
    texture = np.random.default_rng(0).integers(0, 256, (64, 256, 3), np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.time_base = time_base
        for i, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(texture[:, i : i + 96]))
            frame.pts, frame.time_base = pts, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


EVEN_IN_MILLISECONDS = [round(i * 1000 / 24) for i in range(50)]
UNEVEN = [i * 40 + (i % 3) * 7 for i in range(50)]


@pytest.mark.parametrize("times", [EVEN_IN_MILLISECONDS, UNEVEN], ids=["even", "uneven"])
@pytest.mark.parametrize(
    "settings",
    [
        {"fps": 60},
        {"fps": 7},
        {"factor": 1},
        {"factor": 3},
        {"slowmo": "2.5"},
        {"slowmo": 2, "fps": 50},
        {"ramp": "0=0,0.4=0.2", "fps": 30},
        {"factor": 1, "dedupe": True},
    ],
    ids=str,
)
def test_as_many_frames_as_the_render_makes(
    times: list[int], settings: dict[str, Any], tmp_path: Path
) -> None:
    src, dst = stepping(tmp_path / "film.mkv", times), tmp_path / "out.mkv"
    plan = vedit.plan(src, dst, [Interpolate(quality="draft", **settings)])
    report = vedit.interpolate(src, dst, quality="draft", **settings)
    assert plan.frames_out == report.frames_out
    assert (plan.rate, plan.duration) == (report.rate, report.duration_out)
    found = tuple(w for w in report.warnings if "repeats the one before" not in w)  # known once all is seen
    assert plan.warnings == found


def test_a_frame_shown_for_less_than_a_tick_is_none(tmp_path: Path) -> None:
    film = vedit.probe(stepping(tmp_path / "film.mkv", EVEN_IN_MILLISECONDS))
    film = replace(film, end=film.pts[0] + 2084)  # 50 frames last 2083.3 ticks
    edit, still = Interpolate(fps=12), torch.zeros(3, 8, 8)
    frames = [Frame(a, b - a, still) for a, b in pairwise([*film.pts, film.end])]
    made = sum(1 for _ in edit.stream(iter(frames), Shot(0, film.timing, 8, 8, "cpu", Notes())))
    assert frames_out(film, edit.timing(film.timing), 0.5) == made == 25


def test_what_becomes_of_the_film(film: MakeFilm, tmp_path: Path) -> None:
    plan = vedit.plan(film(tracks=2), tmp_path / "out.mkv", [Interpolate(fps=60)], codec="ffv1")
    assert (plan.container, plan.codec, plan.pix_fmt) == ("matroska", "ffv1", "yuv420p")
    assert [(stream.facts.kind, stream.how, stream.codec) for stream in plan.streams] == [
        ("audio", "copy", "aac"),
        ("audio", "copy", "aac"),
    ]
    assert plan.warnings == ()
    assert plan.resume is None
    assert list(tmp_path.iterdir()) == [tmp_path / "film.mp4"], "nothing is written"
    facts = json.loads(plan.to_json())
    assert (facts["frames_in"], facts["rate"], facts["output"]) == (10, "60", str(tmp_path / "out.mkv"))


def test_dropped_streams_have_a_reason(film: MakeFilm, tmp_path: Path) -> None:
    plan = vedit.plan(film(), tmp_path / "out.mp4", [Interpolate(slowmo=2)], audio="none")
    assert [stream.how for stream in plan.streams] == ["drop"]
    assert plan.streams[0].reason in plan.warnings


def test_shots_are_counted_when_asked_for(film: MakeFilm, tmp_path: Path) -> None:
    src = film(shots=(20, 24))
    assert vedit.plan(src, tmp_path / "out.mp4", []).shots is None
    assert vedit.plan(src, tmp_path / "out.mp4", [], shots=True).shots == 2


@pytest.mark.parametrize("codec", ["libx264", "ffv1"])
def test_the_size_is_about_right(codec: str, film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(shots=(150,)), tmp_path / "out.mkv"
    plan = vedit.plan(src, dst, [], codec=codec)
    vedit.interpolate(src, dst, factor=1, codec=codec)
    assert dst.stat().st_size / 2 < plan.size < dst.stat().st_size * 2
    assert plan.size < plan.disk < 2 * plan.size, "segments and film, but the sound only once"


def test_a_disk_that_is_too_small(film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(100, 90, 10))
    plan = vedit.plan(film(), tmp_path / "out.mp4", [])
    assert plan.free == 10
    assert any("free where the film goes" in warning for warning in plan.warnings)


def test_every_edit_is_tried_on_the_middle_of_the_film(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(shots=(60,)), tmp_path / "out.mp4"
    masks = torch.zeros(60, 1, 64, 96)
    masks[:, :, 20:40, 30:60] = 1
    chain: list[Edit] = [
        Restyle(look="ink", steps=1, mask=masks),
        Inpaint(mask=masks, quality="draft"),
    ]
    plan = vedit.plan(src, dst, chain)
    assert plan.frames_out == 60
    assert plan.seconds > vedit.plan(src, dst, []).seconds


def standing(path: Path, frames: int) -> Path:
    """A film of noise that does not move."""
    picture = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
    return path


def test_what_is_hidden_in_a_film_that_moves_is_seen_in_other_frames(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(shots=(60,)), tmp_path / "out.mp4"
    plan = vedit.plan(src, dst, [Inpaint(mask="box:40,24,10,16")])
    assert plan.coverage is not None
    assert plan.coverage.mask_share == pytest.approx(160 / (96 * 64), abs=1e-6)
    assert plan.coverage.marked == plan.coverage.looked >= 33
    assert plan.coverage.seen > 0.8
    assert plan.coverage.sure > 0.3
    assert 4 <= plan.coverage.near <= 10, "1 pixel a frame, and at most 5 to the nearer edge"
    facts = json.loads(plan.to_json())["coverage"]
    assert (facts["seen"], facts["near"]) == (plan.coverage.seen, plan.coverage.near)
    large = vedit.plan(src, dst, [Inpaint(mask="box:20,4,60,56", quality="draft")]).coverage
    assert large is not None
    assert 0 < large.seen < 0.4, "6 frames do not show what is further than 6 pixels from the edge"


def test_what_is_hidden_in_a_film_that_stands_still_is_never_seen(tmp_path: Path) -> None:
    src = standing(tmp_path / "film.mp4", 40)
    coverage = vedit.plan(src, tmp_path / "out.mp4", [Inpaint(mask="box:40,24,10,16")]).coverage
    assert coverage is not None
    assert (coverage.seen, coverage.sure, coverage.near) == (0, 0, 0)
    assert coverage.marked == coverage.looked >= 33, "as many stretches as there was time for"


def test_a_mask_of_some_frames_is_counted_in_those(film: MakeFilm, tmp_path: Path) -> None:
    masks = torch.zeros(30, 1, 64, 96)
    masks[20:, :, 24:40, 40:50] = 1
    plan = vedit.plan(film(shots=(30,)), tmp_path / "out.mp4", [Inpaint(mask=masks)])
    assert plan.coverage is not None
    assert (plan.coverage.looked, plan.coverage.marked) == (30, 10)
    assert plan.coverage.mask_share == pytest.approx(160 / (96 * 64), abs=1e-6)
    assert plan.coverage.seen > 0.9, "the frames before show all of it"


@pytest.mark.parametrize("mask", ["auto:caption", torch.zeros(30, 1, 64, 96)], ids=["found", "given"])
def test_a_mask_that_marks_nothing_covers_nothing(
    mask: str | torch.Tensor, film: MakeFilm, tmp_path: Path
) -> None:
    plan = vedit.plan(film(shots=(30,)), tmp_path / "out.mp4", [Inpaint(mask=mask, quality="draft")])
    assert plan.coverage is not None
    assert (plan.coverage.marked, plan.coverage.mask_share, plan.coverage.seen) == (0, 0, 0)


def test_a_mask_outside_the_frames_that_are_tried_costs_what_it_does_elsewhere(
    film: MakeFilm, tmp_path: Path
) -> None:
    masks = torch.zeros(60, 1, 64, 96)
    src, dst = film(shots=(60,)), tmp_path / "out.mp4"
    nothing = vedit.plan(src, dst, [Inpaint(mask=masks, quality="draft")])
    masks[:10, :, 8:56, 8:88] = 1
    plan = vedit.plan(src, dst, [Inpaint(mask=masks, quality="draft")])
    assert plan.seconds > 3 * nothing.seconds
    assert plan.warnings == ()


def test_where_nothing_is_filled_there_is_no_coverage(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(shots=(20,)), tmp_path / "out.mp4"
    assert vedit.plan(src, dst, []).coverage is None
    retimed: list[Edit] = [Interpolate(factor=2), Inpaint(mask="box:40,24,10,16", quality="draft")]
    assert vedit.plan(src, dst, retimed).coverage is None, "the mask is of the film with more frames"
    assert json.loads(vedit.plan(src, dst, []).to_json())["coverage"] is None


def test_a_mask_that_does_not_fit_is_refused_as_by_the_render(film: MakeFilm, tmp_path: Path) -> None:
    src, dst, mask = film(), tmp_path / "out.mp4", torch.ones(1, 1, 32, 32)
    with pytest.raises(vedit.UsageError) as planned:
        vedit.plan(src, dst, [Inpaint(mask=mask)])
    with pytest.raises(vedit.UsageError) as rendered:
        vedit.inpaint(src, dst, mask=mask)
    assert str(planned.value) == str(rendered.value)


def test_an_unknown_keyword_is_a_type_error(film: MakeFilm, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="'speed'"):
        vedit.plan(film(), tmp_path / "out.mp4", [], speed=2)  # type: ignore[call-arg]


def test_an_interrupted_render_is_mentioned(film: MakeFilm, tmp_path: Path) -> None:
    src, dst = film(shots=(500,)), tmp_path / "out.mp4"

    def stop(done: int, total: int) -> None:
        if done == 450:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        vedit.interpolate(src, dst, factor=1, progress=stop)
    plan = vedit.plan(src, dst, [Interpolate(factor=1)])
    assert plan.resume is not None
    assert str(dst) in plan.resume
    assert vedit.plan(src, dst, [Interpolate(factor=1)], resume=False).resume is None
    assert vedit.resume(dst).frames_out == 500
    assert vedit.plan(src, dst, [], overwrite=True).resume is None
