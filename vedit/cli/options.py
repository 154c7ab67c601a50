"""The arguments and options that several commands share, each written once."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from typer import Argument, Option

from vedit.errors import UsageError
from vedit.flow.quality import Quality
from vedit.video.source import Audio

if TYPE_CHECKING:
    from vedit.render import Options

Film = Annotated[
    Path, Argument(metavar="FILM", help="The film to edit. Put `--` before a name that starts with a dash.")
]
Result = Annotated[
    Path, Option("--output", "-o", metavar="OUT", help="Where the edited film goes.", show_default=False)
]

WHERE = Option(
    "--mask",
    metavar="MASK",
    help="Where to change the picture: an image, a film, a folder (white = change), box:x,y,w,h, poly:x,y x,y x,y, "
    "track:N=box:x,y,w,h, sam2:N=point:x,y, auto:caption, auto:logo; or several, joined by ' + ' and ' - '",
    show_default=False,
)
Mask = Annotated[str, WHERE]
MaskOrNone = Annotated[str | None, WHERE]
Care = Annotated[Quality, Option("--quality", help="How much care the motion search takes.")]
Engine = Annotated[
    str,
    Option(
        "--engine",
        help="The model: `bundled` needs no download; others, see `vedit engines`, may carry more: "
        "'sd15 + lora=film.safetensors=0.8'.",
    ),
]
NegativePrompt = Annotated[
    str | None, Option("--negative-prompt", help="What is not to be seen (pretrained).", show_default=False)
]
GuidanceScale = Annotated[
    float | None,
    Option("--guidance-scale", help="How closely the prompt is followed (pretrained).", show_default=False),
]
Window = Annotated[
    int | None, Option("--window", help="Frames seen at once (pretrained).", show_default=False)
]
Seed = Annotated[int, Option("--seed", help="Same seed, same film, same machine: same pixels.")]

Device = Annotated[str, Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
Json = Annotated[bool, Option("--json", help="One JSON object per line on stdout, progress included.")]
Quiet = Annotated[bool, Option("--quiet", help="No progress: only warnings and the proof line.")]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]


@dataclass(frozen=True)
class Files:
    """The film and the file that it becomes."""

    film: Film
    output: Result


@dataclass(frozen=True)
class Screen:
    """What is shown while a command runs; ``debug`` is for :func:`vedit.cli.main.main`, which reads it itself."""

    json_lines: Json = False
    quiet: Quiet = False
    debug: Debug = False


def key_frames(given: list[str]) -> dict[int, str]:
    """``["0=a.png", "48=b.png"]`` as pictures by frame.

    Raises:
        UsageError: one has another form, or two are of one frame.
    """
    pictures: dict[int, str] = {}
    for text in given:
        number, equals, path = text.partition("=")
        if not (equals and path and number.strip().isdecimal()):
            raise UsageError(
                f"--keyframe {text!r} has no frame number", "Give N=IMAGE, such as 0=painted.png."
            )
        if int(number) in pictures:
            raise UsageError(f"--keyframe gives frame {int(number)} twice", "Give each frame once.")
        pictures[int(number)] = path
    return pictures


def render_options(
    device: Device = "auto",
    overwrite: Annotated[bool, Option("--overwrite", help="Replace OUT if it exists.")] = False,
    audio: Annotated[
        Audio,
        Option(
            "--audio",
            help="The sound: copied bit for bit; re-encoded where OUT cannot hold it (auto) or all of it (aac); none. "
            "Where the film's speed changes: stretch, which these then mean, at its own pitch; or keep, as it is.",
        ),
    ] = "copy",
    codec: Annotated[
        str, Option("--codec", help="The picture's codec; auto takes the one that suits OUT.")
    ] = "auto",
    crf: Annotated[
        float | None,
        Option("--crf", help="Quality of the encoding; lower is better and larger.", show_default=False),
    ] = None,
    on_corrupt: Annotated[
        Literal["repeat", "skip", "fail"],
        Option(
            "--on-corrupt",
            help="For a picture that cannot be decoded: show the one before it again, or longer, or stop.",
        ),
    ] = "repeat",
    hdr: Annotated[
        Literal["refuse", "tonemap"],
        Option("--hdr", help="A film of high dynamic range is refused, or brought to BT.709."),
    ] = "refuse",
    resume: Annotated[
        bool,
        Option("--resume/--no-resume", help="Go on where an interrupted run of this command stopped."),
    ] = True,
) -> "Options":
    """What every command that renders takes, as the keywords of :func:`vedit.render.render`."""
    return {
        "device": device,
        "overwrite": overwrite,
        "audio": audio,
        "codec": codec,
        "crf": crf,
        "on_corrupt": on_corrupt,
        "hdr": hdr,
        "resume": resume,
    }
