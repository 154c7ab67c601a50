"""The commands: each parses its arguments, calls the function of the same name and prints what came back."""

import json
from pathlib import Path
from typing import Annotated

from rich.console import Console
from typer import Exit, Option, Typer

import vedit
from vedit.cli import demo as demonstration
from vedit.cli import screen, train
from vedit.cli.facts import describe, table
from vedit.cli.options import (
    Audio,
    Care,
    Codec,
    Crf,
    Debug,
    Device,
    Engine,
    Film,
    Json,
    Mask,
    MaskOrNone,
    Overwrite,
    Quiet,
    Result,
    Seed,
)

app = Typer(
    name="vedit",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Change a film with diffusion and get a film back: same length, same timing, original sound.",
    epilog="Try `vedit demo`. Python has the same functions: vedit.interpolate(film, out, fps=60).",
)


app.add_typer(train.app, name="train")


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vedit {vedit.__version__}")
        raise Exit


@app.callback()
def vedit_command(
    version: Annotated[
        bool, Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def probe(film: Film, json_lines: Json = False, debug: Debug = False) -> None:
    """Show the facts of a film: streams, times, size, colour."""
    source = vedit.probe(film)
    if json_lines:
        print(json.dumps(describe(source)))
    else:
        Console().print(table(source))


@app.command()
def restyle(
    film: Film,
    output: Result,
    style: Annotated[
        str | None, Option("--style", metavar="IMAGE", help="The picture whose look it takes.")
    ] = None,
    prompt: Annotated[
        str | None, Option("--prompt", help="The look in words, for engines that read them.")
    ] = None,
    strength: Annotated[float, Option("--strength", help="0 keeps the film, 1 ignores it.")] = 0.6,
    mask: MaskOrNone = None,
    engine: Engine = "bundled",
    seed: Seed = 0,
    steps: Annotated[int, Option("--steps", help="Denoising steps.")] = 4,
    device: Device = "auto",
    overwrite: Overwrite = False,
    audio: Audio = "copy",
    codec: Codec = "auto",
    crf: Crf = None,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Give a film the look of a picture, steady over time."""
    with screen.progress("restyle", quiet=quiet, as_json=json_lines) as progress:
        report = vedit.restyle(
            film,
            output,
            style=style,
            prompt=prompt,
            strength=strength,
            mask=mask,
            engine=engine,
            seed=seed,
            steps=steps,
            device=device,
            overwrite=overwrite,
            progress=progress,
            audio=audio,
            codec=codec,
            crf=crf,
        )
    screen.finish(report, as_json=json_lines)


@app.command()
def interpolate(
    film: Film,
    output: Result,
    fps: Annotated[str | None, Option("--fps", help="Frames per second, such as 60 or 60000/1001.")] = None,
    factor: Annotated[
        int | None, Option("--factor", help="This many times the frames; 1 only re-encodes.")
    ] = None,
    slowmo: Annotated[
        str | None, Option("--slowmo", help="This many times slower, at the film's own rate.")
    ] = None,
    quality: Care = "normal",
    device: Device = "auto",
    overwrite: Overwrite = False,
    audio: Audio = "copy",
    codec: Codec = "auto",
    crf: Crf = None,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make new frames between a film's own. Takes exactly one of --fps, --factor, --slowmo."""
    with screen.progress("interpolate", quiet=quiet, as_json=json_lines) as progress:
        report = vedit.interpolate(
            film,
            output,
            fps=fps,
            factor=factor,
            slowmo=slowmo,
            quality=quality,
            device=device,
            overwrite=overwrite,
            progress=progress,
            audio=audio,
            codec=codec,
            crf=crf,
        )
    screen.finish(report, as_json=json_lines)


@app.command()
def inpaint(
    film: Film,
    output: Result,
    mask: Mask,
    quality: Care = "normal",
    engine: Engine = "bundled",
    seed: Seed = 0,
    device: Device = "auto",
    overwrite: Overwrite = False,
    audio: Audio = "copy",
    codec: Codec = "auto",
    crf: Crf = None,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Take something out of a film: a caption, a logo, a passer-by."""
    with screen.progress("inpaint", quiet=quiet, as_json=json_lines) as progress:
        report = vedit.inpaint(
            film,
            output,
            mask=mask,
            quality=quality,
            engine=engine,
            seed=seed,
            device=device,
            overwrite=overwrite,
            progress=progress,
            audio=audio,
            codec=codec,
            crf=crf,
        )
    screen.finish(report, as_json=json_lines)


@app.command()
def demo(
    out: Annotated[Path, Option("--out", help="The folder for the results.")] = Path("vedit-demo"),
    device: Device = "auto",
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Restyle, interpolate and inpaint the sample film; a few minutes on a laptop."""
    demonstration.play(out, device=device, quiet=quiet, as_json=json_lines)
