"""Films whose making was interrupted, gone on with from what is kept of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vedit.errors import UsageError
from vedit.generating.film import make_film
from vedit.job import edits_of
from vedit.proof import Report
from vedit.render import render
from vedit.video.journal import folder_for, read_journal


def resume(
    dst: str | Path,
    *,
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
    phase: Callable[[str, float], None] | None = None,
) -> Report:
    """Go on with an interrupted render, with the settings it was begun with.

    Args:
        dst: the film it was to write: an edited one, or one from a storyboard.
        progress: as in :func:`vedit.render.render`.
        warn: the same.
        phase: the same.

    Raises:
        UsageError: nothing is kept of a render to ``dst``, or it was begun with settings that only Python holds.
        VeditError: as :func:`vedit.render.render`, or `vedit.generate`.
    """
    path = Path(dst)
    kept = read_journal(folder_for(path))
    if kept is None:
        raise UsageError(f"nothing is kept of a render to {path}", "Run its command.")
    call = kept.call
    if call is None:
        raise UsageError(
            f"the render to {path} was begun with settings that only Python holds",
            "Make the same call again.",
        )
    options: dict[str, Any] = {**call["options"], "progress": progress, "warn": warn, "phase": phase}
    if "storyboard" in call:
        return make_film(call["storyboard"], path, **options)
    return render(call["source"], path, edits_of(call), **options)
