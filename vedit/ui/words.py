"""Pieces of the page that are words: facts of a film, messages, results. All text is escaped."""

import os
import re
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from vedit.analysis.found import Analysis
from vedit.analysis.reel import Reel
from vedit.errors import VeditError
from vedit.pages.words import rate_words
from vedit.ui.preview import Preview
from vedit.video.source import Source


def facts(film: Source) -> str:
    """What a film is, in a few lines."""
    video = film.video
    rows = {
        "Picture": f"{film.width} × {film.height}, {video.codec}, {video.bit_depth} bit",
        "Time": f"{clock(float(film.duration))}, {film.frames} frames, {rate_words(film.rate)}",
    }
    for kind, title in (("audio", "Sound"), ("subtitle", "Subtitles")):
        tracks = [stream for stream in film.streams if stream.kind == kind]
        if tracks or kind == "audio":
            names = [
                one.codec + (f" {one.language}" if one.language not in (None, "und") else "")
                for one in tracks
            ]
            rows[title] = ", ".join(names) or "none"
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows.items())
    return f'<dl class="facts">{lines}</dl>{remarks(film.remarks)}'


def remarks(texts: Sequence[str]) -> str:
    """Warnings, one a line."""
    lines = "".join(f"<li>{escape(sentence(text))}</li>" for text in texts)
    return f'<ul class="remarks">{lines}</ul>' if texts else ""


def complaint(error: VeditError) -> str:
    """An error, and what to do about it."""
    problem, remedy = (escape(_short(text)) for text in (sentence(error.problem), error.remedy))
    return f'<div class="note complaint" role="alert"><strong>{problem}</strong> {remedy}</div>'


def _short(text: str) -> str:
    """Files that were dropped are known by their names, not by where they lie."""
    folder = os.environ.get("GRADIO_TEMP_DIR")
    return re.sub(rf"{re.escape(folder)}/(?:[^/\\s]+/)*", "", text) if folder else text


def sentence(text: str) -> str:
    """A message of vedit's as a sentence; what begins with a name keeps its small letter."""
    first = text.split(" ")[0]
    text = text.rstrip(".") + "."
    return text[:1].upper() + text[1:] if first.isalpha() else text


def fault(error: Exception) -> str:
    """An error that should not be."""
    what = f"{type(error).__name__}: {error}"
    return complaint(
        VeditError(
            f"a fault in vedit: {what}", "The terminal says where; report it with the film's `vedit probe`."
        )
    )


def said(text: str) -> str:
    """A plain message."""
    return f'<p class="note">{escape(text)}</p>'


def pair(shown: Preview, film: Source) -> str:
    """A preview, before and after, side by side."""
    start = float((film.pts[shown.frames.start] - film.pts[0]) * film.time_base)
    where = f"frames {shown.frames.start} to {shown.frames.stop - 1}, from {clock(start)}"
    films = "".join(
        f'<figure><video src="{_data_url(data)}" controls muted loop autoplay playsinline></video>'
        f"<figcaption>{name}</figcaption></figure>"
        for name, data in (("Before", shown.original), ("After", shown.edited))
    )
    hint = f'<p class="hint">{escape(where.capitalize())}. Small and without sound; Run makes the film.</p>'
    return f'<div class="pair">{films}</div>{hint}{remarks(shown.warnings)}'


def result(watched: Path, proof: str, notes: Sequence[str], warnings: Sequence[str], *, copy: bool) -> str:
    """A finished film: to look at, and what proves that it is whole."""
    hint = "Shown is a small copy without sound, for the browser; the download is the film." if copy else ""
    return (
        f'<video class="result" src="{_served(watched)}" controls playsinline></video>'
        + (f'<p class="hint">{hint}</p>' if hint else "")
        + f'<p class="proof">{escape(proof)}</p>'
        + "".join(f'<p class="hint">{escape(line)}</p>' for line in notes)
        + remarks(warnings)
    )


def pieces(reel: Reel) -> str:
    """When in the film a reel's pieces were."""
    times = ", ".join(
        f"{clock(float(one.film_begins))} to {clock(float(one.film_ends))}" for one in reel.pieces
    )
    return f"Of the film it shows {times}."


def analysis(found: Analysis, sheet: Path) -> str:
    """What is in a film, in a line and as a storyboard."""
    return (
        f'<p class="summary">{escape(found.summary)}</p>'
        f'<img class="sheet" src="{_served(sheet)}" alt="The key frame of each shot">{remarks(found.remarks)}'
    )


def _served(file: Path) -> str:
    return f"gradio_api/file={quote(str(file))}"


def framed(page: Path, title: str) -> str:
    """A page inside this one, shut off from it."""
    text = escape(page.read_text(encoding="utf-8"))
    return f'<iframe class="report" title="{title}" sandbox="allow-scripts" srcdoc="{text}"></iframe>'


def clock(seconds: float) -> str:
    """``75.04`` as 1:15.04."""
    minutes, rest = divmod(round(seconds, 2), 60)
    return f"{int(minutes)}:{rest:05.2f}" if minutes else f"{rest:.2f} s"


def _data_url(film: bytes) -> str:
    return f"data:video/mp4;base64,{b64encode(film).decode()}"
