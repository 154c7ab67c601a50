"""What a render has finished so far, kept beside its output so that it can go on after anything.

    film.mp4                     the output's name, taken only when the film is whole
    .film.mp4.vedit/             mode 0700
        journal.jsonl            line 1: the job; then a line for every segment that is whole on disk
        0000.mp4, 0001.mp4, …    the segments
        piece-0000240/ …         the same for each piece of a film that is rendered in pieces, until they are joined
        film.mp4                 the film while it is put together; once it is whole, the file FINISHED comes beside it

A line is written only when its segment is on disk (fsync), so whatever stops a render, the journal tells the truth: a
line cut short is not believed, a segment without a line is written anew.
"""

import contextlib
import hashlib
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from vedit.errors import OutputError, UsageError

try:
    import fcntl
except ModuleNotFoundError:  # Windows
    fcntl = None  # type: ignore[assignment]

JOURNAL = "journal.jsonl"
FINISHED = "finished"
DAMAGED = "its journal is damaged"


class BusyError(UsageError):
    """Another process renders to the same output."""


@dataclass(frozen=True)
class Mark:
    """Where one segment ends and the next begins: all that a render needs to know to go on from there.

    ``keep`` is the first tick of the next segment. It takes reading from source frame ``index``, and throwing away what
    comes before ``keep``. ``last_cut`` is the frame that began the latest shot at or before ``index``, ``witness`` the
    fingerprint of the frame before it, ``shots`` how many shots had begun, ``notes`` what had been told.
    """

    index: int
    keep: int
    last_cut: int
    witness: str
    shots: int
    notes: Mapping[str, Any]


@dataclass(frozen=True)
class Segment:
    """A run of encoded pictures: ``packets`` are (pts, duration) in decoding order, ``size`` the file's bytes."""

    file: str
    size: int
    packets: tuple[tuple[int, int], ...]
    mark: Mark


def folder_for(output: Path) -> Path:
    """The folder of an output's journal; its name is short however long the output's is."""
    name = output.name
    if len(os.fsencode(name)) > 200:
        name = f"{name[:40]}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"
    return output.with_name(f".{name}.vedit")


@dataclass(frozen=True)
class Kept:
    """What a journal says: ``job`` and ``call`` as given, the segments that are whole, ``length`` in bytes."""

    job: Mapping[str, Any]
    call: Mapping[str, Any] | None
    segments: tuple[Segment, ...]
    length: int


def read_journal(folder: Path) -> Kept | None:
    """What is kept of an earlier run; None when that is nothing."""
    try:
        lines = (folder / JOURNAL).read_bytes().splitlines(keepends=True)
        head = json.loads(lines[0])
        job, call = head["job"], head["call"]
    except (OSError, IndexError, ValueError, KeyError, TypeError):
        return None
    segments, length = [], len(lines[0])
    for line in lines[1:]:
        try:
            found = _segment(json.loads(line))
            whole = line.endswith(b"\n") and (folder / found.file).stat().st_size == found.size
        except (ValueError, TypeError, KeyError, OSError):
            break
        if not whole:
            break
        segments.append(found)
        length += len(line)
    return Kept(job, call, tuple(segments), length) if segments else None


def _segment(line: dict[str, Any]) -> Segment:
    packets = tuple((int(pts), int(duration)) for pts, duration in line["packets"])
    file = Path(line["file"])
    if file.is_absolute() or ".." in file.parts:
        raise ValueError(DAMAGED)
    return Segment(line["file"], int(line["size"]), packets, Mark(**line["mark"]))


def clear_finished(output: Path) -> None:
    """Remove what a render left that was stopped between naming its film and tidying up."""
    folder = folder_for(output)
    if (
        os.path.exists(output)
        and (folder / FINISHED).exists()
        and not (folder / f"film{output.suffix}").exists()
    ):
        shutil.rmtree(folder, ignore_errors=True)


class Journal:
    """A render's journal, locked while it is open.

    Args:
        output: the film that is rendered.
        job: what makes one render another: film, settings, versions, as plain JSON values.
        call: how to begin the render again without its command; None when that cannot be written down.
        resume: whether to go on with what an earlier run of the same job has finished.
        folder: where it is kept; None: ``folder_for(output)``.

    Raises:
        BusyError: another process renders to this output.
        OutputError: the folder cannot be made or written.
    """

    def __init__(
        self,
        output: Path,
        job: Mapping[str, Any],
        *,
        call: Mapping[str, Any] | None = None,
        resume: bool = True,
        folder: Path | None = None,
    ) -> None:
        self.folder = folder or folder_for(output)
        self.segments: tuple[Segment, ...] = ()
        self.afresh: str | None = None
        """Why an earlier run's segments were not taken over; None when they were, or there were none."""
        try:
            with contextlib.suppress(FileExistsError):
                self.folder.mkdir(mode=0o700)
            self._check_folder()
            self._file = self._lock(output)
            self._begin(job, call, resume)
        except OSError as error:
            raise OutputError(
                f"{self.folder} cannot be written: {error.strerror or error}", "Choose another folder."
            ) from error

    def _check_folder(self) -> None:
        """Refuse a folder that somebody else put there, in a place that everybody may write to."""
        facts = self.folder.lstat()
        with tempfile.TemporaryFile(
            dir=self.folder.parent
        ) as mine:  # on some shares files are not the user's own
            owner = os.fstat(mine.fileno()).st_uid
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != owner:
            raise OutputError(f"{self.folder} is not a folder of yours", "Remove it, or choose another name.")

    def _lock(self, output: Path) -> IO[bytes]:
        file = open(self.folder / JOURNAL, "a+b")  # noqa: SIM115 - open as long as the journal is
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                raise BusyError(
                    f"{output} is being rendered by another process", "Wait for it, or choose another name."
                ) from None
            except OSError:  # a share that knows no locks: two renders to one output are not told apart there
                pass
        return file

    def _begin(self, job: Mapping[str, Any], call: Mapping[str, Any] | None, resume: bool) -> None:
        """Take over what fits; the file then ends after it."""
        self.job = json.loads(json.dumps(job))  # as it will be read back
        kept = read_journal(self.folder)
        if kept is not None:
            changed = [key for key in self.job if kept.job.get(key) != self.job[key]]
            if not resume:
                self.afresh = "it was not to be resumed"
            elif changed:
                self.afresh = f"{' and '.join(changed)} changed"
            else:
                self.segments = kept.segments
        if self.segments and kept is not None:
            self._file.truncate(kept.length)
        else:
            self._file.truncate(0)
            self._write({"job": self.job, "call": call})
        self._tidy()

    def append(self, segment: Segment) -> None:
        """Note that a segment is whole; its file has to be on disk by now."""
        self._write(asdict(segment))
        self.segments = (*self.segments, segment)

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _tidy(self) -> None:
        """Remove what no line of the journal names: parts of files that were being written."""
        named = {JOURNAL, *(segment.file for segment in self.segments)}
        for path in self.folder.iterdir():
            if path.name not in named and not path.is_dir():
                path.unlink()

    def finish(self) -> None:
        """Note that the film is whole, before it gets its name."""
        (self.folder / FINISHED).touch()

    def close(self) -> None:
        """Leave the journal for a later run, or nothing of it when no segment is whole."""
        if not self.segments:
            (self.folder / JOURNAL).unlink(missing_ok=True)
            self._tidy()
            with contextlib.suppress(OSError):  # pieces that are not this journal's stay
                self.folder.rmdir()
            self._file.close()
            return
        with contextlib.suppress(OSError):  # on a full disk a line is cut short, which reading allows for
            self._file.close()
        self._tidy()

    def remove(self) -> None:
        """The render is done."""
        (self.folder / JOURNAL).unlink(missing_ok=True)  # first: a folder without one is nobody's
        shutil.rmtree(self.folder, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._file.close()
