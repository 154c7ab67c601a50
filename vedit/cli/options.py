"""The arguments and options that several commands share, each written once."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from vedit.flow.estimate import Quality

Film = Annotated[
    Path, Argument(metavar="FILM", help="The film to edit. Put `--` before a name that starts with a dash.")
]
Result = Annotated[
    Path, Option("--output", "-o", metavar="OUT", help="Where the edited film goes.", show_default=False)
]

WHERE = Option(
    "--mask",
    metavar="MASK",
    help="Where to change the picture: an image or a film (white = change), box:x,y,w,h or poly:x,y x,y x,y",
    show_default=False,
)
Mask = Annotated[str, WHERE]
MaskOrNone = Annotated[str | None, WHERE]
Care = Annotated[Quality, Option("--quality", help="How much care the motion search takes.")]
Engine = Annotated[str, Option("--engine", help="The model: `bundled` needs no download.")]
Seed = Annotated[int, Option("--seed", help="Same seed, same film, same machine: same pixels.")]

Device = Annotated[str, Option("--device", help="auto, cpu, cuda, cuda:1, mps.")]
Overwrite = Annotated[bool, Option("--overwrite", help="Replace OUT if it exists.")]
Audio = Annotated[
    str, Option("--audio", metavar="copy|none", help="Copy the sound bit for bit, or leave it out.")
]
Codec = Annotated[str, Option("--codec", help="The picture's codec; auto takes the one that suits OUT.")]
Crf = Annotated[
    float | None,
    Option("--crf", help="Quality of the encoding; lower is better and larger.", show_default=False),
]
Json = Annotated[bool, Option("--json", help="One JSON object per line on stdout, progress included.")]
Quiet = Annotated[bool, Option("--quiet", help="No progress: only warnings and the proof line.")]
Debug = Annotated[bool, Option("--debug", help="Show the traceback of an error.")]
