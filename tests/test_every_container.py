"""One behaviour for every container and codec that can be written: the film comes out as it went in."""

from fractions import Fraction
from pathlib import Path

import av
import pytest
import torch
from corpus import FILM_RATE, VARYING, Sound, number_of, write
from torch import Tensor

import vedit
from vedit.errors import UsageError
from vedit.frame import Notes
from vedit.video.encode import CONTAINERS, SETTINGS
from vedit.video.read import read
from vedit.video.source import Source

CODECS = (*SETTINGS, "prores_ks")
PACES = ("even", "varying")
REFUSED = {
    *((".webm", codec) for codec in CODECS if codec not in ("libvpx-vp9", "libsvtav1")),
    *((".mov", codec) for codec in ("libvpx-vp9", "libsvtav1", "ffv1")),
    (".mp4", "prores_ks"),
    (".m4v", "prores_ks"),
}
"""Containers that cannot hold a codec."""
PAIRS = [(ending, codec) for ending in CONTAINERS for codec in CODECS if (ending, codec) not in REFUSED]
JPEG = (5, 2)
"""Matrix and range of every Motion JPEG."""


def film(path: Path, pace: str, ending: str) -> Path:
    """24 pictures with sound: at 24000/1001 a second, or at varying times."""
    sounds = [Sound("libopus" if ending == ".webm" else "aac", 0.9)]
    pts, tick = (range(24), 1 / FILM_RATE) if pace == "even" else (VARYING[:24], Fraction(1, 60))
    return write(path, pts, tick=tick, sounds=sounds, sar=Fraction(4, 3))


def seconds(source: Source) -> list[Fraction]:
    """When each picture is shown, counted from the first."""
    return [(pts - source.pts[0]) * source.time_base for pts in source.pts]


def sound_start(source: Source) -> Fraction:
    """When the first packet of sound plays, counted from the first picture."""
    with av.open(source.path) as film:
        packet = next(p for p in film.demux(audio=0) if p.size)
        return Fraction(packet.pts or 0) * packet.time_base - source.pts[0] * source.time_base


def pixels(source: Source) -> list[Tensor]:
    return [frame.pixels for frame in read(source, Notes())]


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize(("ending", "codec"), PAIRS)
def test_identity(ending: str, codec: str, pace: str, tmp_path: Path) -> None:
    path, out = film(tmp_path / "film.mp4", pace, ending), tmp_path / f"out{ending}"
    if (codec, pace) == ("mpeg2video", "varying"):  # it knows a dozen rates and nothing between
        with pytest.raises(UsageError, match=codec):
            vedit.interpolate(path, out, factor=1, codec=codec)
        return
    report = vedit.interpolate(path, out, factor=1, codec=codec)
    before, after = vedit.probe(path), vedit.probe(out)
    tick = after.time_base

    assert after.frames == before.frames == 24
    assert max(abs(a - b) for a, b in zip(seconds(after), seconds(before), strict=True)) <= tick
    assert abs(after.duration - before.duration) <= tick
    assert after.rate == before.rate
    assert report.pts_identical

    assert (after.width, after.height) == (before.width, before.height)
    assert after.video.sar == before.video.sar or "not square" in " ".join(report.warnings)
    old, new = before.video.colour, after.video.colour
    assert (new.primaries, new.transfer) == (old.primaries, old.transfer)
    assert (new.matrix, new.range or 1) == (JPEG if codec == "mjpeg" else (old.matrix, old.range))

    assert [stream.kind for stream in after.streams] == ["audio"]
    assert abs(sound_start(after) - sound_start(before)) <= tick

    was, is_now = pixels(before), pixels(after)
    assert [number_of(p.permute(1, 2, 0).numpy()) for p in is_now] == list(range(24))
    assert max(float((a - b).abs().mean()) for a, b in zip(was, is_now, strict=True)) < 0.02
    shift = torch.stack([(a - b).mean((1, 2)) for a, b in zip(was, is_now, strict=True)])
    assert float(shift.abs().max()) < 0.01  # no channel is lighter or darker than it was


@pytest.mark.parametrize(("ending", "codec"), sorted(REFUSED))
def test_an_impossible_pair_is_refused_before_any_work(ending: str, codec: str, tmp_path: Path) -> None:
    path, out = film(tmp_path / "film.mp4", "even", ending), tmp_path / f"out{ending}"
    worked: list[int] = []
    with pytest.raises(UsageError, match=codec):
        vedit.interpolate(path, out, factor=1, codec=codec, progress=lambda done, total: worked.append(done))
    assert worked == []
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
