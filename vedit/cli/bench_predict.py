"""`vedit bench predict`: how well the next frames are foreseen."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from vedit.cli import screen
from vedit.cli.bench_shown import listed, tell
from vedit.cli.options import Debug, Device, Json, Quiet

if TYPE_CHECKING:
    from vedit.bench.predict import PredictionRow

CAPTION = """\
by frames ahead; flow: the last frame along its motion carried forward; a predictor's name: the mean of what may come;
sharp: as `vedit extend` shows it; decoded: as the predicted latents give it; codec: the true frame through the codec,
the most that those can reach"""


def predict(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    kinds: Annotated[
        str, Option("--kinds", help="Predictors: rnn, lstm, transformer, or files of `vedit train temporal`.")
    ] = "rnn,lstm,transformer",
    frames: Annotated[int, Option("--frames", help="Frames of each clip, up to its first cut.")] = 96,
    width: Annotated[int, Option("--width", min=64, help="Wider clips are brought to this width.")] = 480,
    starts: Annotated[int, Option("--starts", help="Runs of 13 seen and eight predicted frames.")] = 4,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FOLDER", help="Write a contact sheet of each clip's first run."),
    ] = None,
    device: Device = "auto",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """The next eight frames predicted, beside the last one repeated and the motion carried forward."""
    from vedit.bench.predict import Trial, bench_predict, over_clips

    rows = []
    trial = Trial(frames, width, starts)
    for row in bench_predict(clips, trial, listed(kinds), device=device, output=output):
        rows.append(row)
        tell(row, f"{row.psnr:.2f} dB", json_lines, quiet or row.horizon > 1)
    if not json_lines:
        screen.console().print(_table([*rows, *(over_clips(rows) if len(clips) > 1 else [])]))


def _table(rows: "Sequence[PredictionRow]") -> Table:
    """Methods under their clips, horizons side by side: PSNR, and SSIM below it."""
    table = Table(box=None, pad_edge=False, caption=CAPTION, caption_justify="left")
    table.add_column("", overflow="fold")
    for horizon in sorted({row.horizon for row in rows}):
        table.add_column(str(horizon), justify="right", no_wrap=True)
    for clip, group in groupby(rows, key=lambda row: row.clip):
        held = list(group)
        for title, cell in (("PSNR, dB", _psnr), ("SSIM", _ssim)):
            table.add_row(Text(f"{clip}, {title}", style="bold"))
            for method in {row.method: 0 for row in held}:
                table.add_row(method, *(cell(row) for row in held if row.method == method))
    return table


def _psnr(row: "PredictionRow") -> str:
    return f"{row.psnr:.2f}"


def _ssim(row: "PredictionRow") -> str:
    return f"{row.ssim:.3f}"
