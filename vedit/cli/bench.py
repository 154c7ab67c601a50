"""`vedit bench`: the product measured against what users would pick instead."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Argument, Option, Typer

from vedit.cli import screen
from vedit.cli.bench_anomalies import anomalies
from vedit.cli.bench_compress import compress
from vedit.cli.bench_engines import consistency
from vedit.cli.bench_predict import predict
from vedit.cli.bench_shown import listed, painters_of, protocol_table, rows_table, tell
from vedit.cli.options import Debug, Device, Json, Quiet
from vedit.errors import UsageError
from vedit.temporal.kinds import KINDS

if TYPE_CHECKING:
    from vedit.bench.attention import AttentionRow
    from vedit.bench.cache import CacheRow
    from vedit.bench.inpaint import InpaintRow
    from vedit.bench.interpolate import InterpolationRow
    from vedit.bench.restyle import RestyleRow

RESTYLE_CAPTION = """\
style: distance to the style over the film's own, lower is closer; structure: 1 is the film's own;
warp: error along the film's motion, 1/1000; ratio: that over the film's own + 0.2; flicker: of 255"""

app = Typer(help="Measure vedit on films of yours, against what you would use instead.")
app.command()(consistency)
app.command()(predict)
app.command()(compress)
app.command()(anomalies)


@app.callback()
def bench_command() -> None:
    pass


@app.command()
def restyle(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    looks: Annotated[str, Option("--looks", help="Looks of the bundled engine, or none.")] = "ink,oil",
    styles: Annotated[
        list[Path] | None, Option("--styles", metavar="PICTURE", help="A style picture; may be repeated.")
    ] = None,
    temporal: Annotated[
        str, Option("--temporal", help="What keeps it steady: attention, rnn, lstm, none; or several.")
    ] = "attention",
    frames: Annotated[int, Option("--frames", min=2, help="Frames of each clip, up to its first cut.")] = 24,
    width: Annotated[int, Option("--width", min=16, help="Wider clips are brought to this width.")] = 512,
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="FOLDER", help="Write a contact sheet of each clip.")
    ] = None,
    painters: Annotated[
        bool, Option("--painters", help="Also the painters that the looks were learned from, frame by frame.")
    ] = False,
    device: Device = "auto",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Look, structure, steadiness and speed of restyling, beside colour transfer and OpenCV's stylization."""
    from vedit.bench.restyle import bench_restyle
    from vedit.bench.rows import means

    if unknown := set(listed(temporal)) - set(KINDS):
        raise UsageError(f"--temporal has no {unknown.pop()!r}", f"Choose among {', '.join(KINDS)}.")
    named = [] if looks == "none" else listed(looks)
    rows = []
    for row in bench_restyle(
        clips,
        looks=named,
        styles=styles or [],
        temporal=[kind for kind in KINDS if kind in listed(temporal)],
        painters=painters_of(named) if painters else None,
        frames=frames,
        width=width,
        device=device,
        output=output,
    ):
        rows.append(row)
        tell(row, f"{row.seconds:.1f} s", json_lines, quiet)
    if not json_lines:
        screen.console().print(_restyle_table(rows, means(rows) if len(clips) > 1 else []))


@app.command()
def interpolate(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    gap: Annotated[
        int, Option("--gap", min=2, help="Keep every so many frames and make those between again.")
    ] = 2,
    frames: Annotated[int, Option("--frames", min=3, help="Frames of each clip, up to its first cut.")] = 33,
    width: Annotated[int, Option("--width", min=16, help="Wider clips are brought to this width.")] = 640,
    rife: Annotated[
        Path | None,
        Option("--rife", metavar="WEIGHTS", help="Also RIFE 4.25 or 4.26; its weights as .safetensors."),
    ] = None,
    output: Annotated[
        Path | None,
        Option(
            "--output", "-o", metavar="FOLDER", help="Write a contact sheet of each clip's worst new frame."
        ),
    ] = None,
    device: Device = "auto",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Frames dropped and made again: how near to the true ones, beside blending, ffmpeg and RIFE, and how fast."""
    from vedit.bench.interpolate import Trial, bench_interpolate, protocol
    from vedit.bench.rows import means

    trial = Trial(gap=gap, frames=frames, width=width)
    words = protocol(trial, rife=rife, device=device)
    if json_lines:
        screen.say(event="protocol", **vars(trial), **words)
    else:
        screen.console().print(protocol_table(words))
    rows = []
    for row in bench_interpolate(clips, trial, rife=rife, device=device, output=output):
        rows.append(row)
        tell(row, f"{row.psnr:.2f} dB", json_lines, quiet)
    if not json_lines:
        screen.console().print(_interpolation_table(rows, means(rows) if len(clips) > 1 else []))


@app.command()
def inpaint(
    clips: Annotated[list[Path], Argument(metavar="CLIP...", help="Films to measure on.")],
    mask: Annotated[
        str,
        Option(
            "--mask",
            help="What is cut out: square (a grid), logo (text), random (a still shape), object (a moving one), "
            "or a mask of yours, of any size.",
        ),
    ] = "square",
    quality: Annotated[
        str, Option("--quality", help="Of vedit's edit: draft, normal, best; or several.")
    ] = "draft,normal,best",
    frames: Annotated[int, Option("--frames", min=2, help="Frames of each clip, up to its first cut.")] = 48,
    seed: Annotated[int, Option("--seed", min=0, help="Of the random masks.")] = 0,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FOLDER", help="Write a contact sheet of each clip's worst frame."),
    ] = None,
    device: Device = "auto",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Holes cut into films and filled: how near to the truth, beside OpenCV's and ffmpeg's filters, and how fast."""
    from vedit.bench.inpaint import bench_inpaint, protocol
    from vedit.bench.plate import QUALITIES, Trial
    from vedit.bench.rows import means

    if unknown := set(listed(quality)) - set(QUALITIES):
        raise UsageError(f"--quality has no {unknown.pop()!r}", f"Choose among {', '.join(QUALITIES)}.")
    qualities = tuple(one for one in QUALITIES if one in listed(quality))
    trial = Trial(mask=mask, frames=frames, seed=seed, qualities=qualities)
    words = protocol(trial, device=device)
    if json_lines:
        screen.say(event="protocol", **vars(trial), **words)
    else:
        screen.console().print(protocol_table(words))
    rows = []
    for row in bench_inpaint(clips, trial, device=device, output=output):
        rows.append(row)
        tell(row, f"{row.hole:.2f} dB in the hole", json_lines, quiet)
    if not json_lines:
        screen.console().print(_inpaint_table(rows, means(rows) if len(clips) > 1 else []))


@app.command()
def attention(
    frames: Annotated[int, Option("--frames", min=2, help="Frames of the window.")] = 16,
    height: Annotated[int, Option("--height", min=8, help="Of the latents: 1/8 of the picture's.")] = 64,
    width: Annotated[int, Option("--width", min=8, help="Of the latents.")] = 64,
    repeats: Annotated[int, Option("--repeats", min=1, help="Runs, of whose times the median counts.")] = 3,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """What flow-guided attention costs in Stable Diffusion 1.5 on the CPU, beside plain and dense attention."""
    from vedit.bench.attention import Trial, bench_attention, protocol

    trial = Trial(frames=frames, height=height, width=width, repeats=repeats)
    words = protocol(trial)
    if json_lines:
        screen.say(event="protocol", **vars(trial), **words)
    else:
        screen.console().print(protocol_table(words))
    rows = []
    for row in bench_attention(trial):
        rows.append(row)
        tell(row, f"{row.seconds:.2f} s", json_lines, quiet)
    if not json_lines:
        screen.console().print(_attention_table(rows))


@app.command()
def cache(
    frames: Annotated[int, Option("--frames", min=1, help="Frames of the window.")] = 4,
    height: Annotated[int, Option("--height", min=8, help="Of the latents: 1/8 of the picture's.")] = 32,
    width: Annotated[int, Option("--width", min=8, help="Of the latents.")] = 32,
    steps: Annotated[int, Option("--steps", min=2, help="Denoising steps.")] = 20,
    channels: Annotated[
        int, Option("--channels", help="Of the finest level; Stable Diffusion has 320.")
    ] = 64,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """What keeping a U-Net's deep features between steps saves on the CPU, and how far the result strays."""
    from vedit.bench.cache import Trial, bench_cache, protocol

    trial = Trial(frames=frames, height=height, width=width, steps=steps, channels=channels)
    words = protocol(trial)
    if json_lines:
        screen.say(event="protocol", **vars(trial), **words)
    else:
        screen.console().print(protocol_table(words))
    rows = []
    for row in bench_cache(trial):
        rows.append(row)
        tell(row, f"{row.seconds:.2f} s", json_lines, quiet)
    if not json_lines:
        screen.console().print(_cache_table(rows))


def _restyle_table(rows: "Sequence[RestyleRow]", summary: "Sequence[RestyleRow]") -> Table:
    def cells(row: "RestyleRow") -> list[str]:
        return [
            "" if row.style_ratio is None else f"{row.style_ratio:.2f}",
            f"{row.structure:.2f}",
            f"{row.warp_error:.2f}",
            f"{row.warp_ratio:.2f}",
            f"{row.flicker:.2f}",
            f"{row.first_seconds:.2f}",
            f"{row.fps:.1f}" if row.fps < 1000 else "",
        ]

    titles = ("style", "structure", "warp", "ratio", "flicker", "first s", "fps")
    return rows_table(titles, [*rows, *summary], cells, RESTYLE_CAPTION)


def _interpolation_table(rows: "Sequence[InterpolationRow]", summary: "Sequence[InterpolationRow]") -> Table:
    def cells(row: "InterpolationRow") -> list[str]:
        return [
            f"{row.psnr:.2f}",
            f"{row.ssim:.4f}",
            f"{row.error:.2f}",
            f"{row.bias:+.2f}",
            f"{row.sharpness:.2f}",
            f"{100 * row.ghosts:.2f}",
            f"{row.ms:.1f}",
        ]

    return rows_table(("PSNR", "SSIM", "error", "bias", "sharp", "ghosts", "ms"), [*rows, *summary], cells)


def _inpaint_table(rows: "Sequence[InpaintRow]", summary: "Sequence[InpaintRow]") -> Table:
    def cells(row: "InpaintRow") -> list[str]:
        return [
            f"{100 * row.area:.1f}",
            f"{row.psnr:.2f}",
            f"{row.ssim:.4f}",
            f"{row.hole:.2f}",
            f"{row.seam:.2f}",
            f"{row.flicker:.2f}",
            "" if row.coverage is None else f"{100 * row.coverage:.0f}",
            f"{row.outside:.0f}",
            f"{row.seconds:.2f}",
        ]

    titles = ("area", "PSNR", "SSIM", "hole", "seam", "flicker", "seen", "out", "s")
    return rows_table(titles, [*rows, *summary], cells)


def _attention_table(rows: "Sequence[AttentionRow]") -> Table:
    def cells(row: "AttentionRow") -> list[str]:
        return [
            f"{row.seconds:.2f}",
            f"{row.time_ratio:.2f}",
            "" if row.memory is None else f"{row.memory:.0f}",
            "" if row.memory_ratio is None else f"{row.memory_ratio:.2f}",
        ]

    return rows_table(("s", "over plain", "MB", "over plain"), rows, cells)


def _cache_table(rows: "Sequence[CacheRow]") -> Table:
    def cells(row: "CacheRow") -> list[str]:
        return [
            f"{row.seconds:.2f}",
            f"{row.time_ratio:.2f}",
            "" if row.psnr is None else f"{row.psnr:.1f}",
            f"{row.memory:.1f}",
        ]

    return rows_table(("s", "over all", "PSNR", "MB kept"), rows, cells)
