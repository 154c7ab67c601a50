"""The comparison as a page: one HTML file that needs nothing else, not even a network."""

import os
import platform
import shlex
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vedit.report import whole
from vedit.report.comparison import Comparison
from vedit.report.pairing import length
from vedit.report.plots import clock, plots, time_ticks
from vedit.report.previews import Preview
from vedit.report.words import table, verdict
from vedit.video.source import Source

PLOTTED = {True: ("psnr", "ssim", "warp", "flicker"), False: ("structure", "style", "warp", "flicker")}
"""What is drawn of films that are alike, and of those that are not."""


def check_page(path: Path, films: Sequence[Path], *, overwrite: bool) -> None:
    """Complain about a page that cannot be written before any work is done.

    Raises:
        UsageError: it is a folder, one of the films, or exists and is not to be replaced.
        OutputError: its folder does not exist or cannot be written to.
    """
    whole.check_place(path, films, example="report.html", overwrite=overwrite)


def write_page(
    comparison: Comparison, films: Sequence[Source], preview: Preview, path: Path, *, overwrite: bool
) -> None:
    """Write the page; its name appears only when it is whole.

    Args:
        comparison: what was found.
        films: the reference and the result.
        preview: both, to look at.
        path: where to.
        overwrite: replace it if it exists.

    Raises:
        OutputError: it cannot be written, or something of that name appeared meanwhile.
    """
    text = page(comparison, films, preview)
    whole.write_whole(path, text.encode("utf-8", "backslashreplace"), overwrite=overwrite)


@dataclass(frozen=True)
class Shown:
    """A worst moment as it is shown: its pictures as data URLs."""

    seconds: float
    clock: str
    index: int
    value: str
    reference: str
    result: str


def page(comparison: Comparison, films: Sequence[Source], preview: Preview) -> str:
    """The page's HTML."""
    lasts = float(min(map(length, films)))
    drawn = plots(comparison.series, PLOTTED[comparison.alike], lasts)
    names = [film.path.name for film in films]
    if names[0] == names[1]:
        names = [f"{film.path.parent.name}/{film.path.name}" for film in films]
    excerpt = [[passage.preview, passage.film, passage.length] for passage in preview.passages]
    cuts = [comparison.series.seconds[index] for index in comparison.series.cuts[1:]]
    template = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html")
    return template.render(
        names=names,
        films=[_facts(film) for film in films],
        verdict=verdict(comparison),
        proof=comparison.proof,
        comparison=comparison,
        preview=preview,
        film=b64encode(preview.data).decode(),
        whole=sum(passage.length for passage in preview.passages) > lasts - 0.001,
        shown_seconds=sum(passage.length for passage in preview.passages),
        plots=drawn,
        time_ticks=time_ticks(lasts),
        cuts=[cut / lasts for cut in cuts],
        worst=[_shown(comparison, number) for number in range(len(comparison.worst))],
        marks=[moment.seconds / lasts for moment in comparison.worst],
        passages=[(passage.film / lasts, passage.length / lasts) for passage in preview.passages],
        table=table(comparison),
        commands=_commands(comparison, films),
        data={
            "frames": [round(seconds, 5) for seconds in preview.frames],
            "passages": excerpt,
            "length": lasts,
            "plots": [
                {
                    "seconds": one.seconds,
                    "lines": [line.values for line in one.lines],
                    "whose": [line.whose for line in one.lines],
                    "decimals": one.decimals,
                    "unit": one.unit,
                }
                for one in drawn
            ],
        },
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("vedit-diffusion"),
        machine=f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    )


def _facts(film: Source) -> str:
    rate = "variable rate" if film.rate is None else f"{float(film.rate):.5g} fps"
    return f"{film.width}×{film.height}, {rate}, {film.frames} pictures, {clock(float(film.duration))}"


def _shown(comparison: Comparison, number: int) -> Shown:
    moment = comparison.worst[number]
    value = comparison.of(moment)
    reference, result = (f"data:image/jpeg;base64,{b64encode(data).decode()}" for data in moment.thumbnails)
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
