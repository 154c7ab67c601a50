from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

SRT = """1
00:00:00,200 --> 00:00:00,900
Hello, <i>world</i>

2
00:00:01,000 --> 00:00:01,700
1 < 2 & naïve
two lines

3
00:00:01,300 --> 00:00:01,900
meanwhile
"""
CODEC = {"mp4": "mov_text", "mov": "mov_text", "mkv": "subrip", "webm": "webvtt"}


def cues(path: Path) -> list[tuple[int, int, str]]:
    """Start, end (milliseconds) and words of every cue."""
    found = []
    with av.open(path) as film:
        stream = film.streams.subtitles[0]
        for packet in film.demux(stream):
            if packet.size and packet.pts is not None and bytes(packet) != b"\0\0":
                text = b"\n".join(part.dialogue for part in packet.decode()).decode()  # type: ignore[union-attr]
                for code in (r"{\i1}", r"{\i0}", r"{\r}", "\r"):
                    text = text.replace(code, "")
                start, end = packet.pts, packet.pts + (packet.duration or 0)
                found.append(
                    (round(1000 * start * packet.time_base), round(1000 * end * packet.time_base), text)
                )
    return found


ONE, TWO, THREE = "Hello, world", "1 < 2 & naïve\ntwo lines", "meanwhile"
APART = [(200, 900, ONE), (1000, 1700, TWO), (1300, 1900, THREE)]
TOGETHER = [(200, 900, ONE), (1000, 1300, TWO), (1300, 1700, f"{TWO}\n{THREE}"), (1700, 1900, THREE)]


@pytest.mark.parametrize("ending", CODEC)
def test_cues_keep_words_start_and_end(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    path, out = clicking("in.mkv", srt=SRT), tmp_path / f"out.{ending}"
    written, warnings = identity(path, out)
    assert cues(path) == APART
    # MP4 shows one cue at a time.
    assert cues(out) == (TOGETHER if CODEC[ending] == "mov_text" else APART)
    assert written.streams[0].codec == CODEC[ending]
    assert written.streams[0].converted == (ending != "mkv")
    assert len(warnings) == (ending != "mkv")
    assert all(f"is converted to {CODEC[ending]}" in warning for warning in warnings)


@pytest.mark.parametrize("ending", CODEC)
@pytest.mark.parametrize("between", ["mp4", "webm"])
def test_and_back_again(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, between: str, ending: str
) -> None:
    path, middle, out = (
        clicking("in.mkv", srt=SRT),
        tmp_path / f"middle.{between}",
        tmp_path / f"out.{ending}",
    )
    identity(path, middle)
    written, _ = identity(middle, out)
    together = CODEC[between] == "mov_text" or CODEC[ending] == "mov_text"
    assert cues(out) == (TOGETHER if together else APART)
    assert written.streams[0].converted == (
        CODEC[between] != CODEC[ending] and not (between == "webm" and ending == "mkv")
    )


def test_styled_subtitles_lose_their_styling_with_a_word_and_drawings_are_not_text(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path
) -> None:
    script = tmp_path / "in.ass"
    script.write_text(
        "[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize\n"
        "Style: Default,Arial,20\n\n[Events]\n"
        "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
        "Dialogue: 0,0:00:00.20,0:00:00.90,Default,,0,0,0,,{\\pos(10,20)}Sign\n"
        "Dialogue: 0,0:00:01.00,0:00:01.50,Default,,0,0,0,,{\\p1}m 0 0 l 100 0 100 100{\\p0}\n"
    )

    def add(out: Any) -> list[Any]:
        with av.open(script) as text:
            stream = out.add_stream_from_template(text.streams[0])
            packets = [packet for packet in text.demux() if packet.size]
        for packet in packets:
            packet.stream = stream
        return packets

    path = clicking("in.mkv", finish=add)
    _, (warning,) = identity(path, tmp_path / "out.mp4")
    assert "positions and effects are lost" in warning
    assert cues(tmp_path / "out.mp4") == [(200, 900, "Sign")]


def test_pictures_of_text_are_left_out_with_a_word(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path
) -> None:
    def add(out: Any) -> list[Any]:
        stream = out.add_mux_stream("hdmv_pgs_subtitle")
        packet = av.Packet(b"\x80\0\0")
        packet.time_base = Fraction(1, 1000)
        packet.stream, packet.pts, packet.dts, packet.duration = stream, 0, 0, 500
        return [packet]

    path = clicking("in.mkv", finish=add)
    written, (warning,) = identity(path, tmp_path / "out.mp4")
    assert "pictures cannot become text" in warning
    assert written.streams == ()
    written, warnings = identity(path, tmp_path / "out.mkv")
    assert not warnings
    assert written.streams[0].packets == 1
