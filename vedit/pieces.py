"""A film rendered in pieces, by as many processes or machines as there are, and joined: the same film as in one go.

A piece is a run of whole shots, so no edit sees across its ends. Only paths and numbers of frames go from one process
to another: each piece is rendered into a folder beside the output, whose journal lets it go on after an interruption,
and the segments of all pieces are then put together.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from vedit.edits.edit import Edit
from vedit.errors import OutputError
from vedit.frame import Notes
from vedit.proof import Report
from vedit.render import Options
from vedit.streaming import Prepared, prepare
from vedit.trail import Piece, restore, skipped, tell
from vedit.video.journal import folder_for, read_journal
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source

PIECE = 480
"""Frames that a piece has at least: 20 seconds, so that finding the cuts and joining are little beside the work."""


def find_pieces(
    src: str | Path | Source, *, least: int = PIECE, progress: Callable[[int, int], None] | None = None
) -> tuple[Piece, ...]:
    """Divide a film at cuts. One shorter than two pieces is not looked at, and is a single one.

    Args:
        src: the film, or its facts from :func:`vedit.probe`.
        least: frames in a piece; shots are added to it until it has so many.
        progress: called with (frames looked at, frames).

    Raises:
        InputError: the film cannot be read.
    """
    source = (src if isinstance(src, Source) else probe(src)).as_edited("tonemap")
    begins = [(0, 0)]
    if source.frames >= 2 * least:
        shot = 0
        with closing(read(source, Notes())) as frames:
            for frame in frames:
                shot += frame.cut and frame.index > 0
                here = frame.cut and frame.index - begins[-1][0] >= least
                if here and source.frames - frame.index >= least:
                    begins.append((frame.index, shot))
                if progress:
                    progress(frame.index + 1, source.frames)
    ends = [start for start, _ in begins[1:]] + [source.frames]
    return tuple(Piece(start, stop, shot) for (start, shot), stop in zip(begins, ends, strict=True))


def render_piece(
    src: str | Path, dst: str | Path, edits: Sequence[Edit], piece: Piece, **options: Unpack[Options]
) -> None:
    """Render one piece of a film; what an earlier run has finished of it is kept.

    Args:
        src: the film.
        dst: the edited film, of which nothing is to be seen yet.
        edits: in the order they run.
        piece: one of :func:`find_pieces`.
        options: as for :func:`vedit.render.render`; ``progress`` counts the piece's frames.

    Raises:
        VeditError: as :func:`vedit.render.render`.
    """
    film = _prepared(src, dst, edits, options)
    folder = piece_folder(Path(dst), piece)
    try:
        folder.parent.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{folder.parent} cannot be made: {error.strerror}", "Choose another folder."
        ) from error
    with film.writing(resume=options.get("resume", True), folder=folder) as writer:
        trail = film.stream_into(writer, options.get("progress"), piece)
        writer.leave(trail.end)


def join_pieces(
    src: str | Path,
    dst: str | Path,
    edits: Sequence[Edit],
    pieces: Sequence[Piece],
    *,
    seconds: float = 0,
    **options: Unpack[Options],
) -> Report:
    """Make one film of pieces that are whole, with the source's other streams; verify it and give it its name.

    Args:
        src: as the pieces were rendered with.
        dst: likewise.
        edits: likewise.
        pieces: all that :func:`find_pieces` found.
        seconds: that they took, for the report.
        options: as the pieces were rendered with.

    Raises:
        OutputError: a piece is missing or was made with other settings, or the film cannot be written.
        VeditError: as :func:`vedit.render.render`.
    """
    began = time.monotonic() - seconds
    film = _prepared(src, dst, edits, options)
    with film.writing(resume=True) as writer:
        adopted = {Path(segment.file).parts[0] for segment in writer.journal.segments}
        ends = []
        for piece in pieces:
            folder = piece_folder(Path(dst), piece)
            kept = read_journal(folder)
            if kept is None or kept.segments[-1].mark.index < piece.stop or kept.job != writer.journal.job:
                raise OutputError(
                    f"frames {piece.start} to {piece.stop} of {Path(dst).name} are not whole",
                    "Render that piece again.",
                )
            if folder.name not in adopted:
                writer.adopt([replace(s, file=f"{folder.name}/{s.file}") for s in kept.segments])
            ends.append(kept.segments[-1].mark)
            restore(film.notes, ends[-1].notes)
        tell(film.notes, film.source.frames)
        result = writer.finish(ends[-1], skipped=skipped(film.notes))
    return film.report(result, kept=0, shots=ends[-1].shots, began=began)


def piece_folder(dst: Path, piece: Piece) -> Path:
    """Where a piece is rendered to."""
    return folder_for(dst.absolute()) / f"piece-{piece.start:07}"


def _prepared(src: str | Path, dst: str | Path, edits: Sequence[Edit], options: Options) -> Prepared:
    return prepare(
        src,
        dst,
        edits,
        Notes(tell=options.get("warn"), report=options.get("phase")),
        device=options.get("device", "auto"),
        overwrite=options.get("overwrite", False),
        audio=options.get("audio", "copy"),
        codec=options.get("codec", "auto"),
        crf=options.get("crf"),
        on_corrupt=options.get("on_corrupt", "repeat"),
        hdr=options.get("hdr", "refuse"),
    )
