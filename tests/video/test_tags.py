from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition


def tags(path: Path, audio: int | None = None) -> dict[str, str]:
    with av.open(path) as film:
        found = film.metadata if audio is None else film.streams.audio[audio].metadata
        return {key.lower(): value for key, value in found.items()}


def tagged(out: Any) -> list[Any]:
    first, second = out.streams.audio
    first.metadata.update(language="deu", title="Ton")
    second.metadata.update(language="fra", title="commentaire")
    second.disposition = Disposition.comment | Disposition.default
    out.metadata.update(title="Film", artist="Somebody", mood="blue")
    return []


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("source", ["mkv", "mp4"])
def test_titles_and_languages_are_kept_and_what_is_lost_is_said(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, source: str, ending: str
) -> None:
    path, out = clicking(f"in.{source}", "libopus", "libopus", finish=tagged), tmp_path / f"out.{ending}"
    _, warnings = identity(path, out, "auto")
    warnings = [warning for warning in warnings if "is converted" not in warning]
    assert tags(out)["title"] == "Film"
    assert tags(out)["artist"] == "Somebody"
    for track, (languages, title) in enumerate(((("deu", "ger"), "Ton"), (("fra",), "commentaire"))):
        assert tags(out, track)["language"] in languages
        assert tags(out, track)["name" if ending in ("mp4", "mov") else "title"] == title
    lost = source == "mkv" and ending in ("mp4", "mov")
    assert ("mood" in tags(out)) == (source == "mkv" and not lost)
    assert any("tags of the film" in w and w.endswith("mood") for w in map(str.lower, warnings)) == lost
    with av.open(out) as film:
        kept = bool(film.streams.audio[1].disposition & Disposition.comment)
    assert kept == (ending in ("mp4", "mkv"))
    assert any("no longer marked as comment" in warning for warning in warnings) == (not kept)
    assert len(warnings) == lost + (not kept)


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_tags_of_phones_are_kept(
    clicking: Callable[..., Path], identity: Callable[..., Any], tmp_path: Path, ending: str
) -> None:
    own = {
        "com.apple.quicktime.make": "Apple",
        "com.apple.quicktime.location.ISO6709": "+52.5200+013.4050/",
        "com.apple.quicktime.creationdate": "2024-05-01T12:00:00+0200",
    }

    def phone(out: Any) -> list[Any]:
        out.metadata.update(own)
        return []

    path = clicking("in.mov", "aac", finish=phone, options={"movflags": "use_metadata_tags"})
    _, warnings = identity(path, tmp_path / f"out.{ending}")
    assert not warnings
    with av.open(tmp_path / f"out.{ending}") as film:
        assert own.items() <= film.metadata.items()
