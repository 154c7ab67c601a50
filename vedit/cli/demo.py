"""`vedit demo`: every edit once, on the sample film."""

from pathlib import Path

import vedit
from vedit.cli import screen
from vedit.cli.editing import resumable
from vedit.errors import InputError, OutputError


def play(out: Path, *, device: str, quiet: bool, as_json: bool) -> None:
    """Restyle, interpolate and inpaint the sample film into ``out``; what an earlier demo left is replaced.

    Raises:
        VeditError: the samples are missing, or a render failed.
    """
    samples = _samples()
    film, caption = samples / "sample.mp4", samples / "caption_mask.mp4"
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{out} cannot be made: {error.strerror}", "Give another folder with --out."
        ) from error

    result = out / "restyled.mp4"
    with resumable(result), screen.running("restyle", quiet=quiet, as_json=as_json) as shown:
        report = vedit.restyle(film, result, look="halftone", steps=4, device=device, overwrite=True, **shown)
    screen.finish(report, as_json=as_json)
    result = out / "interpolated.mp4"
    with resumable(result), screen.running("interpolate", quiet=quiet, as_json=as_json) as shown:
        report = vedit.interpolate(film, result, fps=60, device=device, overwrite=True, **shown)
    screen.finish(report, as_json=as_json)
    result = out / "inpainted.mp4"
    with resumable(result), screen.running("inpaint", quiet=quiet, as_json=as_json) as shown:
        report = vedit.inpaint(
            film, result, mask=caption, quality="best", device=device, overwrite=True, **shown
        )
    screen.finish(report, as_json=as_json)
    if not as_json:
        print(f"The sample film is {film}; the results are in {out.resolve()}")


def _samples() -> Path:
    """The samples folder: in the package when it was installed from a wheel, else beside it."""
    package = Path(vedit.__file__).parent
    for folder in (package / "samples", package.parent / "samples"):
        if (folder / "sample.mp4").is_file():
            return folder
    raise InputError(
        "the sample film is not part of this installation",
        "Clone the project and run `pip install -e .` in it, or use a film of yours: see `vedit --help`.",
    )
