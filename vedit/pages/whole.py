"""Files that are written whole or not at all: pages, pictures, lists."""

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from vedit.errors import OutputError, UsageError
from vedit.video.output import check_place


def check_page(path: Path, films: Sequence[Path], *, example: str, overwrite: bool) -> None:
    """Complain about a file that cannot be written before any work is done.

    Raises:
        UsageError: it is a folder, one of the films, or exists and is not to be replaced.
        OutputError: its folder does not exist or cannot be written to, or its name is too long.
    """
    there = os.path.exists(path)
    if any(path.samefile(film) if there and os.path.exists(film) else path == film for film in films):
        raise UsageError(f"{path} is one of the films", "Write to another file.")
    check_place(path, overwrite=overwrite, example=example)


def check_apart(*paths: str | Path | None) -> None:
    """Complain if two files that are to be written are one.

    Raises:
        UsageError: they are.
    """
    names = [Path(path).absolute() for path in paths if path is not None]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise UsageError(f"{name} is to be two files at once", "Give each a name of its own.")


def write_whole(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file; its name appears only when it is whole.

    Raises:
        OutputError: it cannot be written, or something of that name appeared meanwhile.
    """
    path = path.absolute()
    part: Path | None = None
    try:
        with NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part", delete=False
        ) as file:
            part = Path(file.name)
            file.write(data)
        part.chmod(0o666 & ~_umask())
        if os.path.lexists(path) and not overwrite:
            raise OutputError(f"{path} appeared meanwhile", "Choose another name.")
        os.replace(part, path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}", "Free some space or choose another folder."
        ) from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)


def _umask() -> int:
    """What new files are not allowed; it can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
