"""`vedit bench consistency`: what holds a pretrained engine's frames together, measured without a download."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Argument, Option

from vedit.cli import screen
from vedit.cli.bench_shown import listed
from vedit.cli.options import Debug, Device, Json, Quiet

if TYPE_CHECKING:
    from vedit.bench.consistency import ConsistencyRow

CAPTION = """\
warp: error along the film's motion, 1/1000; ratio: that over the film's own + 0.2;
seam: error at the joins of windows over that elsewhere; a U-Net with random weights between the bundled codec"""


def consistency(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    parts: Annotated[
        str,
        Option(
            "--parts", help="Combinations of flow, noise, anchors, fusion, joined by +, several by commas."
        ),
    ] = "none,noise,flow,anchors,fusion,flow+noise,flow+noise+anchors,flow+noise+fusion",
    frames: Annotated[int, Option("--frames", min=3, help="Frames of each clip, up to its first cut.")] = 40,
    width: Annotated[int, Option("--width", min=64, help="Wider clips are brought to this width.")] = 160,
    window: Annotated[int, Option("--window", min=2, help="Frames seen at once.")] = 16,
    attention: Annotated[
        float, Option("--attention", min=0, help="How many times a fresh layer's say self-attention has.")
    ] = 4.0,
    device: Device = "auto",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """How steady a pretrained engine is made by attention and noise along the flow, anchors and fusion."""
    from vedit.bench.consistency import bench_consistency
    from vedit.bench.rows import means

    rows = []
    for row in bench_consistency(
        clips,
        parts=[part.replace("+", ",").replace(" ", "") for part in listed(parts)],
        frames=frames,
        width=width,
        window=window,
        attention=attention,
        device=device,
    ):
        rows.append(row)
        if json_lines:
            screen.say(**vars(row))
        elif not quiet:
            screen.console(stderr=True).print(f"{row.clip}: {row.method}, {row.warp:.2f}")
    if not json_lines:
        screen.console().print(_table([*rows, *(means(rows) if len(clips) > 1 else [])]))


def _table(rows: "Sequence[ConsistencyRow]") -> Table:
    table = Table(caption=CAPTION, caption_justify="left")
    for name in ("clip", "parts"):
        table.add_column(name)
    for name in ("frames", "warp", "ratio", "seam", "s/frame"):
        table.add_column(name, justify="right")
    for row in rows:
        numbers = (f"{row.warp:.2f}", f"{row.ratio:.2f}", f"{row.seam:.2f}", f"{row.seconds:.2f}")
        table.add_row(row.clip, row.method.replace(",", " + "), str(row.frames), *numbers)
    return table
