"""The commands: their own options, and the edit or the call that these make."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Exit, Option, Typer

import vedit
from vedit.cli import batch, bench, recipe, screen, train, ui
from vedit.cli import demo as demonstration
from vedit.cli.analyse import analyse, summarise
from vedit.cli.compare import compare
from vedit.cli.editing import edit_command, plans, resumable
from vedit.cli.engines import engines
from vedit.cli.facts import describe, table
from vedit.cli.generate import generate
from vedit.cli.judge import judge
from vedit.cli.options import (
    Care,
    Debug,
    Device,
    Engine,
    Film,
    GuidanceScale,
    Json,
    Mask,
    MaskOrNone,
    NegativePrompt,
    Quiet,
    Seed,
    Window,
    key_frames,
)
from vedit.temporal.kinds import Temporal

if TYPE_CHECKING:
    from vedit.edits.edit import Edit

app = Typer(
    name="vedit",
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Change a film with diffusion and get a film back: same length, same timing, original sound.",
    epilog="Try `vedit demo`. Python has the same functions: vedit.interpolate(film, out, fps=60).",
)

app.command()(analyse)
app.command()(summarise)
app.command()(compare)
app.command()(judge)
app.command()(engines)
app.command()(generate)
app.command()(batch.command)
app.add_typer(plans, name="plan")
app.add_typer(train.app, name="train")
app.add_typer(bench.app, name="bench")


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
def probe(
    film: Film,
    as_recipe: recipe.Only = False,
    json_lines: Json = False,
    debug: Debug = False,
) -> None:
    """Show the facts of a film: streams, times, size, colour, the edits that made it."""
    source = vedit.probe(film)
    if json_lines:
        print(json.dumps(describe(source)))
    elif as_recipe:
        print(recipe.carried(source), end="")
    else:
        screen.console().print(table(source))


@edit_command(app)
def restyle(
    look: Annotated[
        str | None,
        Option(
            "--look",
            metavar="LOOK",
            help="oil, watercolour, ink, pencil, woodcut, halftone, stained-glass, cel; or what `train look` wrote.",
        ),
    ] = None,
    style: Annotated[
        str | None,
        Option(
            "--style",
            metavar="IMAGE",
            help="Any picture: its hand is learned, about a minute per shot, once.",
        ),
    ] = None,
    prompt: Annotated[
        str | None,
        Option(
            "--prompt",
            help="What to paint, in words: bundled, one of its looks by name; pretrained, anything, also "
            "'0: a forest; 4.5s: ashes'.",
        ),
    ] = None,
    keyframe: Annotated[
        list[str] | None,
        Option("--keyframe", metavar="N=IMAGE", help="Frame N (from 0) as you painted it; give several."),
    ] = None,
    strength: Annotated[
        str | None,
        Option(
            "--strength",
            help="0 keeps the film, 1 ignores all but its structure; bundled 1, pretrained 0.6 or '0: 0.3; 48: 0.8'.",
            show_default=False,
        ),
    ] = None,
    structure: Annotated[
        float, Option("--structure", help="0 frees the drawing, 1 keeps the film's, 2 stresses it.")
    ] = 1.0,
    keep_colour: Annotated[
        bool, Option("--keep-colour", help="Keep the film's colours; take light and dark of the painting.")
    ] = False,
    mask: MaskOrNone = None,
    temporal: Annotated[
        Temporal, Option("--temporal", help="How neighbouring frames see each other.")
    ] = "attention",
    engine: Engine = "bundled",
    seed: Seed = 0,
    steps: Annotated[
        int | None,
        Option("--steps", help="Denoising steps; 2 unless given, 25 pretrained.", show_default=False),
    ] = None,
    size: Annotated[int, Option("--size", help="The longer side that larger films are painted at.")] = 768,
    negative_prompt: NegativePrompt = None,
    guidance_scale: GuidanceScale = None,
    control: Annotated[
        str | None,
        Option("--control", help="Maps that hold the drawing (pretrained): canny, or 'depth:0.6,pose'."),
    ] = None,
    consistency: Annotated[
        str,
        Option(
            "--consistency",
            help="What holds frames together (pretrained): auto, none, or some of flow,noise,anchors,fusion,colour.",
        ),
    ] = "auto",
    window: Window = None,
) -> "Edit":
    """Paint a film, steady over time.

    The bundled engine takes exactly one of --look, --style, --prompt, --keyframe; a pretrained one takes no look, and
    the others together.
    """
    return vedit.edits.Restyle(
        look=look,
        style=style,
        prompt=prompt,
        keyframes=key_frames(keyframe) if keyframe else None,
        strength=strength,
        structure=structure,
        keep_colour=keep_colour,
        mask=mask,
        temporal=temporal,
        engine=engine,
        seed=seed,
        steps=steps,
        size=size,
        negative_prompt=negative_prompt,
        guidance_scale=guidance_scale,
        control=control,
        consistency=consistency,
        window=window,
    )


@edit_command(app)
def interpolate(
    fps: Annotated[str | None, Option("--fps", help="Frames per second, such as 60 or 60000/1001.")] = None,
    factor: Annotated[
        int | None, Option("--factor", help="This many times the frames; 1 only re-encodes.")
    ] = None,
    slowmo: Annotated[
        str | None, Option("--slowmo", help="This many times slower, at the film's own rate or --fps.")
    ] = None,
    ramp: Annotated[
        str | None,
        Option(
            "--ramp",
            metavar="X=T,…",
            help="A speed that changes: second T of the film at second X of OUT, such as 0=0,2=1,4=4.",
        ),
    ] = None,
    dedupe: Annotated[
        bool,
        Option("--dedupe", help="Replace frames that only repeat the one before (animation, pulldown)."),
    ] = False,
    quality: Care = "normal",
    engine: Engine = "bundled",
    prompt: Annotated[
        str | None, Option("--prompt", help="What to show where the frames tell nothing (pretrained).")
    ] = None,
    steps: Annotated[int | None, Option("--steps", help="Denoising steps (pretrained).")] = None,
    seed: Seed = 0,
) -> "Edit":
    """Make new frames between a film's own. Takes one of --fps, --factor, --slowmo, --ramp."""
    return vedit.edits.Interpolate(
        fps=fps,
        factor=factor,
        slowmo=slowmo,
        ramp=ramp,
        dedupe=dedupe,
        quality=quality,
        engine=engine,
        prompt=prompt,
        steps=steps,
        seed=seed,
    )


@edit_command(app)
def inpaint(
    mask: Mask,
    quality: Care = "normal",
    engine: Engine = "bundled",
    seed: Seed = 0,
    dilate: Annotated[int, Option("--dilate", help="Pixels by which the mask grows.")] = 0,
    feather: Annotated[
        int, Option("--feather", help="Pixels around it over which new colours fade into the old ones.")
    ] = 0,
    prompt: Annotated[
        str | None, Option("--prompt", help="What to paint where nothing is known (pretrained).")
    ] = None,
    steps: Annotated[int | None, Option("--steps", help="Denoising steps (pretrained).")] = None,
) -> "Edit":
    """Take something out of a film: a caption, a logo, a passer-by."""
    return vedit.edits.Inpaint(
        mask=mask,
        quality=quality,
        engine=engine,
        seed=seed,
        dilate=dilate,
        feather=feather,
        prompt=prompt,
        steps=steps,
    )


@edit_command(app)
def repair(
    dust: Annotated[
        bool, Option("--dust/--no-dust", help="Specks, hairs and dirt of a single frame.")
    ] = True,
    scratches: Annotated[
        bool, Option("--scratches/--no-scratches", help="Thin vertical lines that stay for several frames.")
    ] = True,
    dropped: Annotated[
        bool, Option("--dropped/--no-dropped", help="Missing frames, made where the times have a hole.")
    ] = True,
    duplicates: Annotated[
        bool, Option("--duplicates/--no-duplicates", help="Single frames that show the one before again.")
    ] = True,
    flicker: Annotated[
        bool,
        Option(
            "--flicker/--no-flicker", help="Even an exposure that goes up and down; changes whole frames."
        ),
    ] = False,
    preview: Annotated[
        bool, Option("--preview", help="Mend nothing; draw what is found over the film.")
    ] = False,
) -> "Edit":
    """Mend dust, scratches, lost and doubled frames from the frames beside; says what was found, and when."""
    return vedit.edits.Repair(
        dust=dust,
        scratches=scratches,
        dropped=dropped,
        duplicates=duplicates,
        flicker=flicker,
        preview=preview,
    )


@edit_command(app)
def extend(
    seconds: Annotated[str, Option("--seconds", help="How much longer, in whole frames: 0.5, 1/2.")],
    kind: Annotated[
        str,
        Option("--kind", help="What predicts: rnn, lstm, transformer, or a file of `vedit train temporal`."),
    ] = "transformer",
    engine: Engine = "bundled",
    seed: Seed = 0,
    prompt: Annotated[
        str | None, Option("--prompt", help="What a pretrained engine films next.", show_default=False)
    ] = None,
    negative_prompt: NegativePrompt = None,
    steps: Annotated[
        int | None, Option("--steps", min=1, help="Denoising steps (pretrained).", show_default=False)
    ] = None,
    guidance_scale: GuidanceScale = None,
    size: Annotated[
        int, Option("--size", min=64, help="The longer side of new frames, in pixels (pretrained).")
    ] = 768,
    window: Window = None,
) -> "Edit":
    """Go on after the last frame as the last shot moves, for a few frames; or, with an engine that films, for long."""
    return vedit.edits.Extend(
        seconds,
        kind=kind,
        engine=engine,
        seed=seed,
        prompt=prompt,
        negative_prompt=negative_prompt,
        steps=steps,
        guidance_scale=guidance_scale,
        size=size,
        window=window,
    )


edit_command(app)(recipe.run)
app.command()(recipe.recipes)
app.command("ui")(ui.command)


@app.command()
def resume(
    output: Annotated[
        Path, Argument(metavar="OUT", help="The film that an interrupted command was to write.")
    ],
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Go on with an interrupted command, with the settings it was given."""
    with (
        resumable(output),
        screen.running("resume", quiet=quiet, as_json=json_lines) as shown,
    ):
        report = vedit.resume(output, **shown)
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
