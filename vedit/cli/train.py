"""`vedit train`: how the bundled engine was made, on any folder of footage."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option, Typer

app = Typer(help="Train the bundled engine on a folder of films and photographs.")

Footage = Annotated[Path, Argument(metavar="FOOTAGE", help="A folder of films and photographs.")]
Weights = Annotated[Path, Option("--output", "-o", metavar="WEIGHTS", help="The .safetensors file to write.")]
Minutes = Annotated[float, Option("--minutes", help="How long to train.")]
Start = Annotated[Path | None, Option("--start", metavar="WEIGHTS", help="Weights to go on from.")]


@app.command()
def codec(
    footage: Footage,
    output: Weights,
    extra: Annotated[
        Path | None, Option("--extra", metavar="PICTURES", help="A second folder, of paintings say.")
    ] = None,
    minutes: Minutes = 25,
    start: Start = None,
) -> None:
    """Train the codec: pictures to latents and back."""
    from vedit.train.codec import train_codec

    train_codec(footage, output, minutes=minutes, extra=extra, start=start)


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
    start: Start = None,
) -> None:
    """Train the denoiser on paintings, holes and motion, in the latents of the installed codec."""
    from vedit.train.denoiser import train_denoiser

    train_denoiser(footage, painted, output, minutes=minutes, start=start)
