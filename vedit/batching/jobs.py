"""Which films a folder holds, and which film each of them becomes."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from vedit.errors import InputError, OutputError, UsageError
from vedit.video.encode import CONTAINERS

READ_ONLY = (
    ".3g2",
    ".3gp",
    ".asf",
    ".avi",
    ".dv",
    ".f4v",
    ".flv",
    ".m2ts",
    ".m2v",
    ".mpeg",
    ".mpg",
    ".mts",
    ".mxf",
    ".ogv",
    ".qt",
    ".ts",
    ".vob",
    ".wmv",
    ".y4m",
)
"""Endings of films that are read but not written; those of films that are written are known to ``vedit.video``."""
INSTEAD = ".mkv"
"""What such a film becomes: it holds every kind of stream."""
RECORD = "vedit-batch.jsonl"
"""The file beside a batch's results that says what was done."""


@dataclass(frozen=True)
class Job:
    """A film to edit: ``name`` is its path within the folder, with forward slashes; source and output are absolute."""

    name: str
    source: Path
    output: Path


def find_jobs(
    src: str | Path, dst: str | Path, *, patterns: Sequence[str] = (), suffix: str | None = None
) -> tuple[Job, ...]:
    """The films below a folder, in the order of their names, each with the same place below another folder.

    Args:
        src: the folder with the films, at any depth; hidden files and folders and links to folders are not looked at,
            nor are folders in it that hold the results of a batch.
        dst: the folder for the results; it may lie within ``src`` and is not looked at then.
        patterns: only films whose name or path within the folder fits one of these, such as ``*.mov`` or ``day1/*``;
            a file that fits is taken for a film whatever its ending. None: every file with a film's ending.
        suffix: the ending of the results, such as ``.mp4``; None keeps the films' own, or takes ``.mkv`` for films of
            a kind that is read but not written.

    Raises:
        UsageError: there is no such folder, no film in it, two films would become one file, or one another.
        InputError: a folder cannot be read.
        OutputError: ``dst`` is a file.
    """
    source, target = Path(os.path.abspath(src)), Path(os.path.abspath(dst))
    if not source.is_dir():
        raise UsageError(f"{src} is not a folder", "Give the folder that holds the films.")
    if source.resolve() == target.resolve():
        raise UsageError("the results would go where the films are", "Give another folder for them.")
    if target.exists() and not target.is_dir():
        raise OutputError(f"{dst} is a file", "Give a folder for the results.")
    if suffix is not None and suffix.lower() not in CONTAINERS:
        raise UsageError(
            f"{suffix!r} is not a film ending that can be written", f"Use one of {', '.join(CONTAINERS)}."
        )
    jobs = []
    for path in sorted(_files(source, target)):
        name = path.relative_to(source).as_posix()
        if _wanted(name, patterns):
            ending = suffix or (path.suffix if path.suffix.lower() in CONTAINERS else INSTEAD)
            jobs.append(Job(name, path, (target / name).with_suffix(ending)))
    if not jobs:
        looked_for = ", ".join(patterns or (*CONTAINERS, *READ_ONLY))
        raise UsageError(f"{src} holds no film", f"Looked for {looked_for}; --glob looks for other names.")
    _check_apart(jobs)
    return tuple(jobs)


def _files(folder: Path, leave_out: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder, onerror=_refuse):
        if RECORD in files and Path(here) != folder:
            folders.clear()
            continue
        folders[:] = [f for f in folders if not f.startswith(".") and Path(here, f) != leave_out]
        yield from (Path(here, file) for file in files if not file.startswith("."))


def _refuse(error: OSError) -> None:
    """A folder that cannot be read may hold films: none is left out silently."""
    raise InputError(
        f"{error.filename} cannot be read: {error.strerror}", "Check its permissions, or move it away."
    ) from error


def _wanted(name: str, patterns: Sequence[str]) -> bool:
    if patterns:
        last = name.rsplit("/", 1)[-1]
        return any(fnmatch(name, pattern) or fnmatch(last, pattern) for pattern in patterns)
    return Path(name).suffix.lower() in (*CONTAINERS, *READ_ONLY)


def _check_apart(jobs: Sequence[Job]) -> None:
    """Refuse two films with one output, or one in another film's place; on many disks case makes no difference."""
    films = {str(job.source).casefold(): job for job in jobs}
    taken: dict[str, Job] = {}
    for job in jobs:
        other = taken.setdefault(str(job.output).casefold(), job)
        if other is not job:
            raise UsageError(
                f"{other.name} and {job.name} would both become {job.output.name}",
                "Rename one of them, or leave out --to, which gives all results one ending.",
            )
        if film := films.get(str(job.output).casefold()):
            raise UsageError(
                f"the result of {job.name} would take the place of the film {film.name}",
                "Choose another folder for the results.",
            )
