"""`vedit analyse` and `vedit summarise`: what is in a film, and the best of it."""

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from rich.console import Console
from rich.table import Table
from typer import Argument, Option

import vedit
from vedit.cli import screen
from vedit.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vedit.analysis.anomalies.moment import Anomaly
    from vedit.analysis.found import Analysis
    from vedit.analysis.reel import Reel

LISTED = 40
"""Shots, and anomalies, that are printed; --json has all."""

Looked = Annotated[
    Path, Argument(metavar="FILM", help="The film. Put `--` before a name that starts with a dash.")
]


def analyse(
    film: Looked,
    anomalies: Annotated[
        bool,
        Option(
            "--anomalies",
            help="Also look for freezes, dropped and foreign frames, flashes, glitches, reversed runs, things that "
            "appear, and faults of the sound; takes about a third longer.",
        ),
    ] = False,
    sheet: Annotated[
        Path | None,
        Option(
            "--sheet",
            metavar="PICTURE",
            help="Write a storyboard: a PNG or JPEG with a key frame of each shot.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        Option("--html", metavar="PAGE", help="Write a page to look at: one file that needs nothing else."),
    ] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace PICTURE and PAGE if they exist.")] = False,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find a film's shots and key frames, and its motion, light, sharpness and sound over time."""
    with screen.running("analyse", quiet=quiet, as_json=json_lines) as shown:
        found = vedit.analyse(
            film,
            anomalies=anomalies,
            html=html,
            sheet=sheet,
            overwrite=overwrite,
            progress=shown["progress"],
            warn=shown["warn"],
        )
    if json_lines:
        screen.say(event="done", **found.facts())
        return
    if not quiet:
        Console().print(_shots(found))
        if len(found.shots) > LISTED:
            print(f"and {len(found.shots) - LISTED} more shots: see --json")
        if found.anomalies:
            Console().print(_anomalies(found.anomalies))
            if len(found.anomalies) > LISTED:
                print(f"and {len(found.anomalies) - LISTED} more anomalies: see --json")
    print(found.summary)
    for name, path in (("storyboard", found.sheet), ("page", found.html)):
        if path is not None:
            print(f"The {name} is {path}")


def summarise(
    film: Looked,
    output: Annotated[
        Path, Option("--output", "-o", metavar="REEL", help="Where the reel goes.", show_default=False)
    ],
    seconds: Annotated[
        str, Option("--seconds", help="How long it is to last, such as 20 or 7.5.", show_default=False)
    ],
    otio: Annotated[
        Path | None,
        Option(
            "--otio",
            metavar="FILE",
            help="Write the cut list as an OpenTimelineIO timeline (extra `timeline`).",
        ),
    ] = None,
    edl: Annotated[
        Path | None, Option("--edl", metavar="FILE", help="Write the cut list as an EDL (CMX 3600).")
    ] = None,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace what exists of these files.")] = False,
    codec: Annotated[
        str, Option("--codec", help="The picture's codec; auto takes the one that suits REEL.")
    ] = "auto",
    crf: Annotated[
        float | None,
        Option("--crf", help="Quality of the encoding; lower is better and larger.", show_default=False),
    ] = None,
    hdr: Annotated[
        Literal["refuse", "tonemap"],
        Option("--hdr", help="A film of high dynamic range is refused, or brought to BT.709."),
    ] = "refuse",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a highlight reel of a film: its most interesting pieces, in its order, with their sound."""
    with screen.running("summarise", quiet=quiet, as_json=json_lines) as shown:
        reel = vedit.summarise(
            film,
            output,
            seconds=seconds,
            otio=otio,
            edl=edl,
            overwrite=overwrite,
            codec=codec,
            crf=crf,
            hdr=hdr,
            **shown,
        )
    if json_lines:
        screen.say(event="done", **reel.facts())
        return
    if not quiet:
        Console().print(_pieces(reel))
    print(reel.proof)
    for name, path in (("timeline", reel.otio), ("EDL", reel.edl)):
        if path is not None:
            print(f"The {name} is {path}")


def _shots(found: "Analysis") -> Table:
    shown = Table(box=None, pad_edge=False)
    for title in ("shot", "from", "lasts", "key frame", "motion", "light", "sharpness", "sound"):
        shown.add_column(title, justify="right", no_wrap=True)
    for number, shot in enumerate(found.shots[:LISTED], 1):
        motion, light, sharpness = (shot.means[name] for name in ("motion", "brightness", "sharpness"))
        shown.add_row(
            str(number),
            _clock(shot.begins),
            f"{float(shot.duration):.3f} s",
            str(shot.key_frame),
            "" if motion is None else f"{motion:.0%}",
            "" if light is None else f"{light:.0%}",
            "" if sharpness is None else f"{sharpness:.1f}",
            "" if shot.level is None else f"{shot.level:.1f} dB",
        )
    return shown


def _anomalies(found: "Sequence[Anomaly]") -> Table:
    shown = Table(box=None, pad_edge=False)
    shown.add_column("anomaly", no_wrap=True)
    for title in ("from", "lasts", "frames", "score"):
        shown.add_column(title, justify="right", no_wrap=True)
    for one in found[:LISTED]:
        shown.add_row(
            one.kind,
            _clock(one.begins),
            f"{float(one.ends - one.begins):.3f} s",
            f"{one.start}–{one.stop - 1}" if one.stop - one.start > 1 else str(one.start),
            f"{one.score:.2f}",
        )
    return shown


def _pieces(reel: "Reel") -> Table:
    shown = Table(box=None, pad_edge=False)
    for title in ("in the reel", "in the film", "frames", "lasts", "interest"):
        shown.add_column(title, justify="right", no_wrap=True)
    for piece in reel.pieces:
        shown.add_row(
            _clock(piece.begins),
            _clock(piece.film_begins),
            f"{piece.start}–{piece.stop - 1}",
            f"{float(piece.ends - piece.begins):.3f} s",
            f"{piece.interest:.2f}",
        )
    return shown


def _clock(seconds: Fraction) -> str:
    from vedit.pages.words import clock

    return clock(float(seconds))
