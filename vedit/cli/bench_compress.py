"""`vedit bench compress`: what a smaller or faster engine saves, and what it costs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Argument, Option

from vedit.cli import screen
from vedit.cli.bench_shown import listed, painters_of, protocol_table, rows_table, tell
from vedit.cli.options import Debug, Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vedit.bench.compress import CompressRow


def compress(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    looks: Annotated[str, Option("--looks", help="Looks of the bundled engine, or all.")] = "ink,oil",
    denoisers: Annotated[
        list[Path] | None,
        Option(
            "--denoiser",
            metavar="WEIGHTS",
            help="Also the bundled denoiser with other weights, at 4, 2 and 1 steps; may be repeated.",
        ),
    ] = None,
    pretrained: Annotated[
        bool,
        Option("--pretrained/--bundled-only", help="Also a pretrained engine's U-Net, with random weights."),
    ] = True,
    channels: Annotated[
        int, Option("--channels", help="Of that U-Net's finest level; Stable Diffusion has 320.")
    ] = 64,
    compiled: Annotated[
        bool, Option("--compile/--no-compile", help="Also compiled, which takes minutes to get ready.")
    ] = True,
    frames: Annotated[int, Option("--frames", min=2, help="Frames of each clip, up to its first cut.")] = 24,
    width: Annotated[int, Option("--width", min=16, help="Wider clips are brought to this width.")] = 512,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Size, speed, likeness and steadiness of the engine in each precision, at other steps, and compiled."""
    from vedit.bench.cache import Trial
    from vedit.bench.compress import CompressRow, bench_compress, protocol
    from vedit.bench.compress_unet import bench_unet, unet_protocol
    from vedit.bench.rows import means
    from vedit.diffusion.looks import LOOKS, look_row

    def remark(why: str) -> None:
        if json_lines:
            screen.say(event="remark", text=why)
        elif not quiet:
            screen.console(stderr=True).print(why)

    named = list(LOOKS) if looks == "all" else listed(looks)
    for look in named:
        look_row(look)
    trial = Trial(frames=2, steps=10, channels=channels)
    words = protocol(frames, width) | (unet_protocol(trial) if pretrained else {})
    if json_lines:
        screen.say(event="protocol", frames=frames, width=width, **words)
    else:
        screen.console().print(protocol_table(words))
    found = bench_compress(
        clips,
        looks=named,
        painters=painters_of(named),
        denoisers=denoisers or [],
        frames=frames,
        width=width,
        compiled=compiled,
        remark=remark,
    )
    bundled: list[CompressRow] = []
    others: list[CompressRow] = []
    for rows, stream in (
        (bundled, found),
        (others, bench_unet(trial, remark, compiled=compiled) if pretrained else ()),
    ):
        for row in stream:
            rows.append(row)
            tell(row, f"{row.seconds:.2f} s a frame", json_lines, quiet)
    if not json_lines:
        several = len({row.clip for row in bundled}) > 1
        screen.console().print(_table([*bundled, *(means(bundled) if several else []), *others]))


def _table(rows: "Sequence[CompressRow]") -> Table:
    def cells(row: "CompressRow") -> list[str]:
        return [
            f"{row.size:.1f}",
            f"{row.seconds:.3f}",
            _number(row.net_seconds, 3),
            _number(row.ready_seconds, 0),
            _number(row.psnr, 1),
            _number(row.ssim, 3),
            _number(row.sharp, 2),
            _number(row.style, 4),
            _number(row.warp, 2),
        ]

    titles = ("MB", "s/frame", "models", "ready", "PSNR", "SSIM", "sharp", "style", "warp")
    return rows_table(titles, rows, cells)


def _number(value: float | None, places: int) -> str:
    return "" if value is None else f"{value:.{places}f}"
