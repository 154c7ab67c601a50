from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.codec import Codec

from vedit.errors import UsageError
from vedit.video.encode import AUTO, CONTAINERS, SETTINGS, Encoding, choose_encoding, muxer_options
from vedit.video.probe import probe


@pytest.mark.parametrize("codec", sorted({*SETTINGS, *(name for names in AUTO.values() for name in names)}))
def test_settings_name_options_that_the_encoder_has(codec: str) -> None:
    options = Codec(codec, "w").create().supported_options
    known = {option.name: option for option in (*options.generic, *options.private)}
    for name, value in SETTINGS.get(codec, {}).items():
        option = known[name]  # FFmpeg takes any name and says nothing
        if not option.choices and name not in ("preset", "x265-params"):
            assert option.min <= float(value) <= option.max


@pytest.mark.parametrize(
    ("pix_fmt", "alpha", "container", "codec", "chosen"),
    [
        ("yuv420p", False, "mp4", "libx264", "yuv420p"),
        ("yuv420p", False, "webm", "libvpx-vp9", "yuv420p"),
        ("yuv422p10le", False, "mp4", "libx264", "yuv422p10le"),
        ("yuv420p10le", False, "webm", "libsvtav1", "yuv420p10le"),
        ("yuv420p12le", False, "mov", "libx265", "yuv420p12le"),
        ("gray16le", False, "matroska", "ffv1", "gray16le"),
        ("gray", False, "webm", "libvpx-vp9", "yuv444p"),
        ("pal8", False, "mp4", "libx264", "yuv444p"),
        ("bgra", False, "mov", "libx264", "yuv444p"),
        ("bgra", True, "mov", "prores_ks", "yuva444p10le"),
        ("yuva420p", True, "matroska", "libvpx-vp9", "yuva420p"),
        ("yuva444p10le", True, "matroska", "ffv1", "yuva444p10le"),
        ("yuva444p10le", True, "webm", "libvpx-vp9", "yuva420p"),
    ],
)
def test_auto_keeps_depth_and_transparency(
    film: Callable[..., Path], pix_fmt: str, alpha: bool, container: str, codec: str, chosen: str
) -> None:
    source = probe(film())
    bits = max(c.bits for c in av.VideoFormat(pix_fmt).components)
    video = replace(source.video, pix_fmt=pix_fmt, alpha=alpha, bit_depth=bits)
    encoding = choose_encoding(replace(source, video=video), container, "auto", None)
    assert (encoding.codec, encoding.pix_fmt) == (codec, chosen)
    unusual = codec != AUTO[container][0]
    assert unusual == any("is used because" in loss for loss in encoding.losses)


def test_what_cannot_be_kept_is_told(film: Callable[..., Path]) -> None:
    source = probe(film())

    def losses(pix_fmt: str, alpha: bool, container: str) -> str:
        video = replace(source.video, pix_fmt=pix_fmt, alpha=alpha)
        return "; ".join(choose_encoding(replace(source, video=video), container, "auto", None).losses)

    assert "transparency is lost" in losses("yuva420p", True, "mp4")
    assert ".webm keep it" in losses("yuva420p", True, "mp4")
    assert "bit depth is reduced" in losses("yuva444p10le", True, "webm")
    assert "lower resolution" in losses("yuv422p10le", False, "webm")
    assert losses("yuva420p", False, "mp4") == ""


@pytest.mark.parametrize("container", sorted(set(CONTAINERS.values())))
def test_crf_is_checked_against_the_encoder(film: Callable[..., Path], container: str) -> None:
    source = probe(film())
    chosen: Encoding = choose_encoding(source, container, "auto", 30)
    assert chosen.options["crf"] == "30"
    with pytest.raises(UsageError, match="out of range"):
        choose_encoding(source, container, "auto", 64)
    if container != "webm":
        with pytest.raises(UsageError, match="has no crf"):
            choose_encoding(source, container, "mjpeg", 20)


def test_sound_is_counted_finely_whatever_its_rates() -> None:
    ticks = [Fraction(1, 25)]
    for rates, film_ticks in (([48000], 48000), ([48000, 44100], 10**6), ([], 25)):
        options = muxer_options("mp4", ticks, [Fraction(1, rate) for rate in rates])
        assert options == {"video_track_timescale": "25", "movie_timescale": str(film_ticks)}
    assert muxer_options("mov", [Fraction(1, 999_999)], [])["movie_timescale"] == "999999"
    assert muxer_options("mov", [Fraction(1, 2**30)], [Fraction(1, 48000)])["movie_timescale"] == str(10**6)
