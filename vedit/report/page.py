"""The comparison as a page."""

import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vedit.pages.page import page
from vedit.pages.plots import time_ticks
from vedit.pages.small import jpeg_url
from vedit.pages.small_film import Preview
from vedit.pages.words import clock, rate_words
from vedit.report.comparison import Comparison
from vedit.report.pairing import length
from vedit.report.plots import plots
from vedit.report.words import table, verdict
from vedit.video.source import Source

PLOTTED = {True: ("psnr", "ssim", "warp", "flicker"), False: ("structure", "style", "warp", "flicker")}
"""What is drawn of films that are alike, and of those that are not."""


@dataclass(frozen=True)
class Shown:
    """A worst moment as it is shown: its pictures as data URLs."""

    seconds: float
    clock: str
    index: int
    value: str
    reference: str
    result: str


def comparison_page(comparison: Comparison, films: Sequence[Source], preview: Preview) -> str:
    """The page's HTML."""
    lasts = float(min(map(length, films)))
    drawn = plots(comparison.series, PLOTTED[comparison.alike], lasts)
    names = [film.path.name for film in films]
    if names[0] == names[1]:
        names = [f"{film.path.parent.name}/{film.path.name}" for film in films]
    cuts = [comparison.series.seconds[index] for index in comparison.series.cuts[1:]]
    return page(
        Path(__file__).parent / "comparison.html",
        names=names,
        facts=[_facts(film) for film in films],
        verdict=verdict(comparison),
        proof=comparison.proof,
        comparison=comparison,
        preview=preview,
        films=[preview],
        whole=sum(passage.length for passage in preview.passages) > lasts - 0.001,
        shown_seconds=sum(passage.length for passage in preview.passages),
        plots=drawn,
        time_ticks=time_ticks(lasts),
        cuts=[cut / lasts for cut in cuts],
        worst=[_shown(comparison, number) for number in range(len(comparison.worst))],
        marks=[moment.seconds / lasts for moment in comparison.worst],
        passages=[(passage.film / lasts, passage.length / lasts, None) for passage in preview.passages],
        table=table(comparison),
        commands=_commands(comparison, films),
        data={**preview.times, "length": lasts, "plots": [one.points for one in drawn]},
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    )


def _facts(film: Source) -> str:
    return f"{film.width}×{film.height}, {rate_words(film.rate)}, {film.frames} pictures, {clock(float(film.duration))}"


def _shown(comparison: Comparison, number: int) -> Shown:
    moment = comparison.worst[number]
    value = comparison.of(moment)
    reference, result = map(jpeg_url, moment.thumbnails)
    return Shown(
        seconds=moment.seconds,
        clock=clock(moment.seconds),
        index=moment.index,
        value=f"PSNR {value:.1f} dB"
        if comparison.alike
        else f"warp error {value:.2f}, the reference’s {comparison.series.values['warp_reference'][moment.index]:.2f}",
        reference=reference,
        result=result,
    )


def _commands(comparison: Comparison, films: Sequence[Source]) -> dict[str, str]:
    """What to type: to make the result again, and this page."""
    source, result = (shlex.quote(str(film.path)) for film in films)
    stem = films[1].path.stem
    recipe, again = (shlex.quote(name) for name in (f"{stem}.toml", f"{stem}_again{films[1].path.suffix}"))
    made = {"page": f"vedit compare {source} {result} --html {shlex.quote(str(comparison.html))} --overwrite"}
    if comparison.recipe is not None:
        made["recipe"] = f"vedit probe {result} --recipe > {recipe}"
        made["run"] = f"vedit run {recipe} {source} -o {again}"
    return made
