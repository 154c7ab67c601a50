"""Where a film goes and how, and every complaint about that before work starts."""

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from av.error import FFmpegError

from vedit.errors import OutputError, UsageError
from vedit.frame import Timing
from vedit.video.encode import Encoding, choose_encoding, container_for
from vedit.video.source import Source
from vedit.video.streams import StreamPlan, plan_streams
from vedit.video.tags import lost_tags

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Output:
    """Where a film goes: ``codec`` an encoder's name or "auto", ``crf`` its quality, ``audio`` see ``plan_streams``.

    ``recipe`` is written into the film: how it was made. ``needed``: files that it is made of, not to be replaced.
    """

    path: Path
    codec: str = "auto"
    crf: float | None = None
    audio: str = "copy"
    overwrite: bool = False
    recipe: str | None = None
    needed: tuple[Path, ...] = ()


def plan_output(source: Source, output: Output) -> tuple[Encoding, tuple[StreamPlan, ...], list[str]]:
    """How the picture is encoded, what becomes of each other stream, and a warning for whatever is not kept.

    Raises:
        UsageError: the output is the source or something else that is needed, exists, or has an unknown ending; codec,
            crf or audio are not possible.
        OutputError: as `check_place`.
    """
    path = Path(output.path)
    container = container_for(path)
    if os.path.exists(path) and path.samefile(source.path):
        raise UsageError(f"{path} is the source itself", "Write to another file.")
    if os.path.exists(path) and any(path.samefile(name) for name in output.needed if os.path.exists(name)):
        raise UsageError(f"{path} is needed to make the film", "Write to another file.")
    check_place(path, overwrite=output.overwrite)
    encoding = choose_encoding(source, container, output.codec, output.crf)
    plans = plan_streams(source, container, output.audio)
    kept = [plan.facts for plan in plans if plan.how != "drop"]
    cover = any(facts.is_picture for facts in kept)
    tags = lost_tags(source.path, container, [source.video.index, *(facts.index for facts in kept)], cover)
    return encoding, plans, [*encoding.losses, *(plan.reason for plan in plans if plan.reason), *tags]


def check_clock(path: Path, clock: Timing) -> None:
    """Complain if a container's clock is too coarse for a film's rate.

    Raises:
        UsageError: its pictures could not be told apart.
    """
    if container_for(path) in ("matroska", "webm") and clock.rate is not None and clock.rate > 1000:
        raise UsageError(
            f"{path.suffix} counts milliseconds, too coarse for {float(clock.rate):g} pictures a second",
            "Write .mp4 or .mov.",
        )


def check_place(path: Path, *, overwrite: bool, example: str = "out.mp4") -> None:
    """Complain if a file cannot be put where it is to go, before any work is done.

    Raises:
        UsageError: it is a folder, or something of that name exists, if only a link, and is not to be replaced.
        OutputError: its folder does not exist or cannot be written to, or its name is too long.
    """
    # What Path says of itself fails where names are too long or folders closed; os.path does not.
    if os.path.isdir(path):
        raise UsageError(f"{path} is a folder", f"Give a file name, such as {example}.")
    if os.path.lexists(path) and not overwrite:
        raise UsageError(f"{path} exists", "Choose another name, or allow overwriting (--overwrite).")
    folder = path.absolute().parent
    if not os.path.isdir(folder):
        raise OutputError(f"folder {path.parent} does not exist", "Create it first.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"cannot write to {path.parent}: permission denied", "Choose another folder.")
    try:
        with contextlib.suppress(FileNotFoundError):
            path.lstat()
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror}", "Choose another name.") from error


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
