"""The analysis as a page: one HTML file that needs nothing else, not even a network."""

import shlex
from base64 import b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vedit import report
from vedit.analysis.anomalies.moment import PICTURED, Anomaly
from vedit.analysis.found import Analysis
from vedit.analysis.plots import plots
from vedit.report.plots import clock, time_ticks
from vedit.report.previews import Preview
from vedit.report.whole import write_whole

FOLDERS = [Path(__file__).parent, Path(report.__file__).parent]
"""Where the templates are: the style is that of the pages of `vedit compare`."""
CUTS = 60
"""That are drawn in plots; more would hide the lines, and the band of the shots' colours shows them all."""


@dataclass(frozen=True)
class Shown:
    """A shot as it is shown: its key frame as a data URL."""

    number: int
    clock: str
    lasts: str
    words: str
    seconds: float
    picture: str
    colour: str


@dataclass(frozen=True)
class Strange:
    """An anomaly as it is shown."""

    kind: str
    clock: str
    lasts: str
    score: str
    seconds: float
    picture: str | None


def write_page(found: Analysis, preview: Preview, path: Path, *, overwrite: bool) -> None:
    """Write the page; its name appears only when it is whole.

    Raises:
        OutputError: it cannot be written, or something of that name appeared meanwhile.
    """
    write_whole(path, page(found, preview).encode("utf-8", "backslashreplace"), overwrite=overwrite)


def page(found: Analysis, preview: Preview) -> str:
    """The page's HTML."""
    length = float(found.duration)
    drawn = plots(found)
    template = Environment(
        loader=FileSystemLoader(FOLDERS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("analysis.html")
    rate = found.timing.rate
    return template.render(
        found=found,
        name=found.source.name,
        facts=f"{found.width}×{found.height}, "
        + ("variable rate" if rate is None else f"{float(rate):.5g} fps")
        + f", {found.frames} pictures, {clock(length, 2)}",
        preview=preview,
        film=b64encode(preview.data).decode(),
        fewer=len(preview.frames) < found.frames,
        plots=drawn,
        time_ticks=time_ticks(length),
        cuts=[float(shot.begins) / length for shot in found.shots[1:]] if len(found.shots) <= CUTS else [],
        marks=[float(one.begins) / length for one in (found.anomalies or ())[:PICTURED]],
        bands=[
            (float(shot.begins) / length, float(shot.duration) / length, shot.colour) for shot in found.shots
        ],
        shots=_shown(found),
        moments=None if found.anomalies is None else [_strange(one) for one in found.anomalies[:PICTURED]],
        command=f"vedit analyse {shlex.quote(str(found.source))} "
        + ("" if found.anomalies is None else "--anomalies ")
        + f"--html {shlex.quote(str(found.html))} --overwrite",
        data={
            "frames": [round(seconds, 5) for seconds in preview.frames],
            "length": length,
            "shots": [round(float(shot.begins), 5) for shot in found.shots],
            "plots": [
                {
                    "seconds": one.seconds,
                    "lines": [line.values for line in one.lines],
                    "decimals": one.decimals,
                }
                for one in drawn
            ],
        },
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        version=version("vedit-diffusion"),
    )


def _strange(one: Anomaly) -> Strange:
    picture = None if one.thumbnail is None else b64encode(one.thumbnail).decode()
    pictures = one.stop - one.start
    of_sound = one.kind in ("drop-out", "click")
    return Strange(
        kind=one.kind,
        clock=clock(float(one.begins), 2),
        lasts=f"{1000 * float(one.ends - one.begins):.0f} ms"
        if of_sound
        else f"{pictures} picture{'s' * (pictures != 1)}",
        score=f"{one.score:.2f}",
        seconds=round(float(one.begins), 5),
        picture=picture and f"data:image/jpeg;base64,{picture}",
    )


def _shown(found: Analysis) -> list[Shown]:
    """The shots that have a thumbnail."""
    shown = []
    for number, shot in enumerate(found.shots, 1):
        if shot.thumbnail is None:
            continue
        motion = shot.means["motion"]
        words = [] if motion is None else [f"motion {motion:.0%}"]
        words += [] if shot.level is None else [f"{shot.level:.0f} dB"]
        shown.append(
            Shown(
                number=number,
                clock=clock(float(shot.begins), 2),
                lasts=f"{float(shot.duration):.2f} s",
                words=" · ".join(words),
                seconds=round(float(shot.key_seconds), 5),
                picture=f"data:image/jpeg;base64,{b64encode(shot.thumbnail).decode()}",
                colour=shot.colour,
            )
        )
    return shown
