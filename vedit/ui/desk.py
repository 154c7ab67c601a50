"""What a visitor of the page has dropped, what was made of it, and where the files are."""

import hashlib
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from vedit.errors import UsageError
from vedit.video.encode import CONTAINERS
from vedit.video.probe import probe
from vedit.video.source import Source


class Stopped(Exception):
    """The visitor cancelled what was running."""


@dataclass
class Desk:
    """One visitor's film, its results, and whether what is running is to stop."""

    folder: Path
    source: Source | None = None
    result: Path | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    def open(self, path: Path) -> Source:
        """Look at a film that was dropped; what was made of an earlier one goes.

        Raises:
            VeditError: it cannot be read or edited.
        """
        self.close()
        source = probe(path).as_edited("tonemap")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.source = source
        return source

    def close(self) -> None:
        """Let go of the film, and of all that was made of it."""
        self.stop.set()
        self.source = self.result = None
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def film(self) -> Source:
        """The film that was dropped.

        Raises:
            UsageError: there is none.
        """
        if self.source is None:
            raise UsageError("the film is no longer here", "Drop it again.")
        return self.source

    def place(self, key: str) -> Path:
        """A folder for what is made: the same one for the same key, so that work can go on there."""
        place = self.folder / hashlib.sha256(key.encode()).hexdigest()[:12]
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place

    def output(self, key: str, what: str, suffix: str | None = None) -> Path:
        """A file that is made of the film, named after it; without a suffix it is a film as the film is."""
        name = self.film.path
        film = name.suffix if name.suffix.lower() in CONTAINERS else ".mp4"
        return self.place(key) / f"{name.stem[:80]}-{what}{suffix or film}"

    def begin(self) -> None:
        """A piece of work is asked for; what was running is told to stop."""
        self.stop.set()
        self.stop = threading.Event()


class Teller:
    """What a render calls while it runs; it raises `Stopped` there once the visitor has cancelled."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self.show: Callable[[float, str], None] = lambda done, words: None
        """Called with the part that is done, and of what."""

    def progress(self, done: int, total: int) -> None:
        self.check()
        self.show(done / max(1, total), f"{done} of {total} frames")

    def phase(self, name: str, done: float) -> None:
        self.check()
        if done < 1:
            self.show(done, name)

    def check(self) -> None:
        """Go on.

        Raises:
            Stopped: it was cancelled.
        """
        if self._stop.is_set():
            raise Stopped
