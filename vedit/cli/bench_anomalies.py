"""`vedit bench anomalies`: what the search for anomalies finds, and what it cries out for nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Argument, Option

from vedit.cli import screen
from vedit.cli.bench_shown import protocol_table
from vedit.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from vedit.bench.anomalies import Clean, Planted, Tally

CAPTION = """\
found: as what it is, of what was planted; seen: the same of what is visible; any: as anything;
precision: of what was told in the planted films, what was planted; alarms: told of the clips as they are"""

TITLES = "found", "recall", "seen", "recall", "any", "precision", "alarms", "a minute"


def anomalies(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    frames: Annotated[
        int, Option("--frames", help="Pictures of each clip that faults are planted in.")
    ] = 750,
    width: Annotated[int, Option("--width", help="Planted films are at most this wide.")] = 480,
    passes: Annotated[int, Option("--passes", help="Films with faults that are made of each clip.")] = 3,
    seed: Annotated[int, Option("--seed", min=0, help="Of where which faults are.")] = 0,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Faults planted into clips and searched for; and false alarms on the clips as they are."""
    from vedit.bench.anomalies import Clean, Trial, bench_anomalies, protocol, tallies

    trial = Trial(frames, width, passes, seed)
    words = protocol(trial)
    if json_lines:
        screen.say(event="protocol", **vars(trial), **words)
    else:
        screen.console().print(protocol_table(words))
    results = []
    for result in bench_anomalies(clips, trial):
        results.append(result)
        if json_lines:
            screen.say(event="clean" if isinstance(result, Clean) else "planted", **_facts(result))
        elif not quiet:
            screen.console(stderr=True).print(_line(result))
    held = tallies(results)
    if json_lines:
        for tally in held:
            screen.say(event="kind", **tally.facts())
    else:
        screen.console().print(_table(held))


def _facts(result: "Planted | Clean") -> dict[str, object]:
    from vedit.bench.anomalies import Clean

    facts: dict[str, object] = {"clip": result.clip, "found": [one.facts() for one in result.found]}
    if isinstance(result, Clean):
        return {**facts, "frames": result.frames, "seconds": result.seconds, "sound": result.sound}
    return {**facts, "faults": [vars(fault) for fault in result.faults]}


def _line(result: "Planted | Clean") -> str:
    from vedit.bench.anomalies import Clean

    told = ", ".join(f"{one.kind} at {one.start}" for one in result.found) or "nothing"
    if isinstance(result, Clean):
        return f"{result.clip} as it is: {told}"
    planted = ", ".join(f"{fault.kind} at {fault.start}" for fault in result.faults)
    return f"{result.clip} with {planted}: {told}"


def _table(held: "Sequence[Tally]") -> Table:
    shown = Table(
        box=None,
        collapse_padding=True,  # narrow enough for a terminal of 80 columns
        pad_edge=False,
        caption_justify="left",
        caption=f"{CAPTION}, {held[0].minutes:.1f} minutes",
    )
    shown.add_column("", no_wrap=True)
    for title in TITLES:
        shown.add_column(title, justify="right", no_wrap=True)
    for one in held:
        shown.add_row(
            one.kind,
            f"{one.right}/{one.planted}",
            _number(one.recall),
            f"{one.seen}/{one.visible}",
            _number(one.recall_of_visible),
            str(one.any),
            _number(one.precision),
            str(one.alarms),
            _number(one.per_minute),
        )
    return shown


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
