"""`vedit generate`: a film from a storyboard."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

import vedit
from vedit.cli import screen
from vedit.cli.editing import resumable
from vedit.cli.options import Debug, Device, Engine, GuidanceScale, Json, Quiet, Window


def generate(
    storyboard: Annotated[
        list[str],
        Argument(
            metavar="STORYBOARD",
            help="A .toml file of shots, a text file with a picture or prompt per line, or those themselves.",
        ),
    ],
    output: Annotated[
        Path, Option("--output", "-o", metavar="OUT", help="Where the film goes.", show_default=False)
    ],
    engine: Engine = "bundled",
    size: Annotated[
        str | None, Option("--size", metavar="WxH", help="Of the film; else the first picture's.")
    ] = None,
    rate: Annotated[
        str | None, Option("--rate", help="Frames per second, such as 25 or 24000/1001; else 24.")
    ] = None,
    sound: Annotated[
        Path | None,
        Option(
            "--sound", metavar="FILE", help="A sound file, or a film with sound; cut to the film's length."
        ),
    ] = None,
    seed: Annotated[int, Option("--seed", help="Same seed, same storyboard, same machine: same pixels.")] = 0,
    seconds: Annotated[
        str | None, Option("--seconds", help="How long shots are that do not say; else 4.")
    ] = None,
    steps: Annotated[int | None, Option("--steps", help="Denoising steps (pretrained).")] = None,
    guidance_scale: GuidanceScale = None,
    window: Window = None,
    device: Device = "auto",
    overwrite: Annotated[bool, Option("--overwrite", help="Replace OUT if it exists.")] = False,
    codec: Annotated[
        str, Option("--codec", help="The picture's codec; auto takes the one that suits OUT.")
    ] = "auto",
    crf: Annotated[
        float | None,
        Option("--crf", help="Quality of the encoding; lower is better and larger.", show_default=False),
    ] = None,
    resume: Annotated[
        bool,
        Option("--resume/--no-resume", help="Go on where an interrupted run of this command stopped."),
    ] = True,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Make a film from pictures, or from prompts with a pretrained engine, with a sound track."""
    from vedit.generating.board_file import is_shot

    with resumable(output), screen.running("generate", quiet=quiet, as_json=json_lines) as shown:
        report = vedit.generate(
            storyboard if len(storyboard) > 1 or is_shot(storyboard[0]) else storyboard[0],
            output,
            engine=engine,
            size=size,
            rate=rate,
            sound=sound,
            seed=seed,
            seconds=seconds,
            steps=steps,
            guidance_scale=guidance_scale,
            window=window,
            device=device,
            overwrite=overwrite,
            codec=codec,
            crf=crf,
            resume=resume,
            **shown,
        )
    screen.finish(report, as_json=json_lines)
