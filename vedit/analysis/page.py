"""The analysis as a page."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from vedit.analysis.anomalies.moment import PICTURED, Anomaly
from vedit.analysis.found import Analysis
from vedit.analysis.plots import plots
from vedit.pages.page import page
from vedit.pages.plots import time_ticks
from vedit.pages.small import jpeg_url
from vedit.pages.small_film import Preview
from vedit.pages.words import clock, rate_words

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


def analysis_page(found: Analysis, preview: Preview) -> str:
    """The page's HTML."""
    length = float(found.duration)
    drawn = plots(found)
    return page(
        Path(__file__).parent / "analysis.html",
        found=found,
        name=found.source.name,
        facts=f"{found.width}×{found.height}, {rate_words(found.timing.rate)}, {found.frames} pictures, "
        f"{clock(length, 2)}",
        preview=preview,
        films=[preview],
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
            **preview.times,
            "length": length,
            "shots": [round(float(shot.begins), 5) for shot in found.shots],
            "plots": [one.points for one in drawn],
        },
    )


def _strange(one: Anomaly) -> Strange:
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
        picture=None if one.thumbnail is None else jpeg_url(one.thumbnail),
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
                picture=jpeg_url(shot.thumbnail),
                colour=shot.colour,
            )
        )
    return shown
