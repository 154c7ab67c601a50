"""`vedit train`: how the bundled engine was made, on any folder of footage; and how to teach it another look."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

from vedit.temporal.kinds import Foresight

app = Typer(help="Train the bundled engine on a folder of films and photographs, or teach it a look.")

Footage = Annotated[Path, Argument(metavar="FOOTAGE", help="A folder of films and photographs.")]
Weights = Annotated[Path, Option("--output", "-o", metavar="WEIGHTS", help="The .safetensors file to write.")]
Minutes = Annotated[float, Option("--minutes", help="How long to train, with what was trained before.")]
Start = Annotated[Path | None, Option("--start", metavar="WEIGHTS", help="Weights to begin from.")]
Seed = Annotated[int, Option("--seed", min=0, help="Of every random choice.")]
On = Annotated[str, Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
Resume = Annotated[
    bool, Option("--resume/--no-resume", help="Go on from WEIGHTS' .state file, if an earlier run left one.")
]

Overwrite = Annotated[
    bool, Option("--overwrite", help="Replace the file if it exists and has no .state file to go on from.")
]


@app.command()
def codec(
    footage: Footage,
    output: Weights,
    extra: Annotated[
        Path | None, Option("--extra", metavar="PICTURES", help="A second folder, of paintings say.")
    ] = None,
    minutes: Minutes = 25,
    start: Start = None,
    decoder_only: Annotated[
        bool, Option("--decoder-only", help="Leave the encoder, and so the latents, as they are.")
    ] = False,
    seed: Seed = 0,
    device: On = "auto",
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Train the codec: pictures to latents and back."""
    from vedit.train.codec import train_codec
    from vedit.train.loop import check_new

    check_new(output, minutes=minutes, sheet=True, resume=resume, overwrite=overwrite)
    train_codec(
        footage,
        output,
        minutes=minutes,
        extra=extra,
        start=start,
        decoder_only=decoder_only,
        seed=seed,
        device=device,
        resume=resume,
    )


@app.command()
def pairs(
    footage: Footage,
    output: Annotated[Path, Option("--output", "-o", metavar="PAIRS", help="The folder to write.")],
) -> None:
    """Paint pictures of the footage in every look: what the denoiser learns from."""
    from vedit.train.pairs import make_pairs

    make_pairs(footage, output)


@app.command()
def denoiser(
    footage: Footage,
    painted: Annotated[Path, Argument(metavar="PAIRS", help="What `vedit train pairs` wrote.")],
    output: Weights,
    minutes: Minutes = 60,
    temporal_only: Annotated[
        bool, Option("--temporal-only", help="Leave all but the temporal layers as they are.")
    ] = False,
    start: Start = None,
    seed: Seed = 0,
    device: On = "auto",
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Train the denoiser on paintings, holes and motion, in the latents of the installed codec."""
    from vedit.train.denoiser import train_denoiser
    from vedit.train.loop import check_new

    check_new(output, minutes=minutes, sheet=True, resume=resume, overwrite=overwrite)
    train_denoiser(
        footage,
        painted,
        output,
        minutes=minutes,
        temporal_only=temporal_only,
        start=start,
        seed=seed,
        device=device,
        resume=resume,
    )


@app.command()
def distil(
    footage: Footage,
    painted: Annotated[Path, Argument(metavar="PAIRS", help="What `vedit train pairs` wrote.")],
    output: Weights,
    minutes: Minutes = 60,
    start: Start = None,
    seed: Seed = 0,
    device: On = "auto",
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Teach the denoiser to reach in one or two steps what took it four."""
    from vedit.train.distil import train_distilled
    from vedit.train.loop import check_new

    check_new(output, minutes=minutes, sheet=True, resume=resume, overwrite=overwrite)
    train_distilled(
        footage, painted, output, minutes=minutes, start=start, seed=seed, device=device, resume=resume
    )


@app.command()
def completion(
    footage: Footage,
    output: Weights,
    minutes: Minutes = 120,
    batch: Annotated[
        int,
        Option("--batch", min=1, help="Pictures in a step: 48 are for a graphics card, 4 for a processor."),
    ] = 48,
    workers: Annotated[
        int, Option("--workers", min=0, help="Processes that make scenes with moving holes all the while.")
    ] = 2,
    start: Start = None,
    seed: Seed = 0,
    device: On = "auto",
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Train the completion net, which says what the holes of a film hide."""
    from vedit.train.completion import train_completion
    from vedit.train.loop import check_new

    check_new(output, minutes=minutes, resume=resume, overwrite=overwrite)
    train_completion(
        footage,
        output,
        minutes=minutes,
        batch=batch,
        workers=workers,
        start=start,
        seed=seed,
        device=device,
        resume=resume,
    )


@app.command()
def look(
    frames: Annotated[Path, Argument(metavar="FRAMES", help="A folder of pictures as a camera shows them.")],
    paintings: Annotated[
        Path, Argument(metavar="PAINTINGS", help="The same ones painted, by the same names.")
    ],
    output: Annotated[
        Path, Option("--output", "-o", metavar="LOOK", help="The look to write, .safetensors.")
    ],
    minutes: Minutes = 20,
    seed: Seed = 0,
    device: On = "auto",
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Teach the engine another look; then `vedit restyle FILM --look LOOK`."""
    from vedit.train.look import train_look
    from vedit.train.loop import check_new

    check_new(output, minutes=minutes, sheet=True, resume=resume, overwrite=overwrite)
    train_look(frames, paintings, output, minutes=minutes, seed=seed, device=device, resume=resume)


@app.command()
def temporal(
    footage: Footage,
    output: Weights,
    kind: Annotated[Foresight, Option("--kind", help="How it remembers.")] = "transformer",
    minutes: Minutes = 15,
    start: Start = None,
    seed: Seed = 0,
    device: On = "auto",
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Train what predicts the next frames; then `vedit extend FILM --kind WEIGHTS`."""
    from vedit.train.loop import check_new
    from vedit.train.temporal import train_temporal

    check_new(output, minutes=minutes, resume=resume, overwrite=overwrite)
    train_temporal(
        footage,
        output,
        kind,
        minutes=minutes,
        start=start,
        seed=seed,
        device=device,
        resume=resume,
    )


@app.command()
def drops(footage: Footage, output: Weights, seed: Seed = 0, overwrite: Overwrite = False) -> None:
    """Train what tells lost frames from fast motion, for `vedit analyse --anomalies`; films must be without faults."""
    from vedit.train.drops import train_drops
    from vedit.train.loop import check_new

    check_new(output, overwrite=overwrite)
    train_drops(footage, output, seed=seed)


@app.command()
def specks(
    footage: Footage,
    output: Weights,
    minutes: Minutes = 12,
    seed: Seed = 0,
    resume: Resume = True,
    overwrite: Overwrite = False,
) -> None:
    """Train what tells dust from sparkle and edges, for `vedit repair`; films must be clean."""
    from vedit.train.loop import check_new
    from vedit.train.specks import train_specks

    check_new(output, minutes=minutes, resume=resume, overwrite=overwrite)
    train_specks(footage, output, minutes=minutes, seed=seed, resume=resume)


@app.command()
def shrink(
    weights: Annotated[
        Path, Argument(metavar="WEIGHTS", help="A .safetensors file of the bundled engine's.")
    ],
    output: Weights,
    overwrite: Overwrite = False,
) -> None:
    """Write weights in half their room, in 8 bits; what they make differs by what nobody sees."""
    from vedit.train.loop import check_new
    from vedit.train.shrink import shrink as write_shrunk

    check_new(output, overwrite=overwrite)
    before, after = write_shrunk(weights, output)
    print(f"{output}: {after / 1e6:.2f} MB, {weights}: {before / 1e6:.2f} MB")
