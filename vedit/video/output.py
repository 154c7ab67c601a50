"""Where a film goes and how, and every complaint about that before work starts."""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.error import FFmpegError

from vedit.errors import OutputError, UsageError
from vedit.video.encode import Encoding, choose_encoding, container_for
from vedit.video.source import Source
from vedit.video.streams import StreamPlan, plan_streams
from vedit.video.tags import lost_tags

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Output:
    """Where a film goes: ``codec`` an encoder's name or "auto", ``crf`` its quality, ``audio`` see ``plan_streams``.

    ``recipe`` is written into the film: how it was made.
    """

    path: Path
    codec: str = "auto"
    crf: float | None = None
    audio: str = "copy"
    overwrite: bool = False
    recipe: str | None = None


def plan_output(source: Source, output: Output) -> tuple[Encoding, tuple[StreamPlan, ...], list[str]]:
    """How the picture is encoded, what becomes of each other stream, and a warning for whatever is not kept.

    Raises:
        UsageError: the output is the source, exists, or has an unknown ending; codec, crf or audio are not possible.
        OutputError: the folder is missing or cannot be written to.
    """
    path = Path(output.path)
    container = container_for(path)
    if path.is_dir():
        raise UsageError(f"{path} is a folder", "Give a file name.")
    if path.exists() and path.samefile(source.path):
        raise UsageError(f"{path} is the source itself", "Write to another file.")
    if path.exists() and not output.overwrite:
        raise UsageError(f"{path} exists", "Choose another name, or allow overwriting (--overwrite).")
    check_folder(path)
    encoding = choose_encoding(source, container, output.codec, output.crf)
    plans = plan_streams(source, container, output.audio)
    kept = [plan.facts for plan in plans if plan.how != "drop"]
    cover = any(facts.is_picture for facts in kept)
    tags = lost_tags(source.path, container, [source.video.index, *(facts.index for facts in kept)], cover)
    return encoding, plans, [*encoding.losses, *(plan.reason for plan in plans if plan.reason), *tags]


def check_folder(path: Path) -> None:
    """Complain if a file cannot be put where it is to go.

    Raises:
        OutputError: its folder does not exist or cannot be written to.
    """
    folder = path.absolute().parent
    if not folder.is_dir():
        raise OutputError(f"folder {path.parent} does not exist", "Create it first.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write to {path.parent}: permission denied", "Choose another folder.")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """FFmpeg's and the disk's complaints as OutputError."""
    try:
        yield
    except (FFmpegError, OSError) as error:
        if getattr(error, "errno", None) in FULL:
            raise OutputError(
                f"{path.name} cannot be written: the disk is full",
                "Free some space or choose another folder.",
            ) from error
        raise OutputError(
            f"{path.name} cannot be written: {error}", "Try another folder, codec or container."
        ) from error
