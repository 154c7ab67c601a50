"""A film file as a MoviePy clip with exact times, read by our own reader."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from moviepy import VideoClip  # type: ignore[import-untyped] # it ships no types

from vedit.fx.chain import Chain
from vedit.fx.rate import film_duration
from vedit.fx.sound import FilmSound, Sound, clip_of
from vedit.fx.source import FilmPictures
from vedit.fx.view import Opacity, View
from vedit.video.probe import probe
from vedit.video.source import Hdr, Source


class Film(VideoClip):  # type: ignore[misc] # MoviePy is not typed
    """A MoviePy clip of a film file.

    Attributes:
        source: the film's facts.
        pts: when each picture is shown, in ticks of ``time_base``; the clip's own time starts at the first.
        time_base: seconds per tick.
        rate: frames per second, exact, or None where it varies; ``fps`` is then the mean.
    """

    def __init__(self, path: str | Path, hdr: Hdr = "refuse") -> None:
        super().__init__()
        self.source: Source = probe(path).as_edited(hdr)
        self.filename = str(self.source.path)
        self.pts, self.time_base, self.rate = self.source.pts, self.source.time_base, self.source.rate
        chain = Chain(FilmPictures(self.source, hdr))
        self.size = chain.pictures.size
        self.fps = float(self.rate or self.source.frames / self.source.duration)
        self.duration = film_duration(self.source.duration, self.source.frames, self.fps)
        self.end = self.duration
        self.frame_function = view = View(chain)
        if chain.pictures.alpha:
            self.mask = VideoClip(is_mask=True)
            self.mask.frame_function, self.mask.size, self.mask.fps = Opacity(chain), self.size, self.fps
            self.mask.duration = self.mask.end = self.duration
        if any(stream.kind == "audio" for stream in self.source.streams):
            self.audio = clip_of(FilmSound(self.source))
        view.remember(self, own_sound=self.audio is not None)

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[object, ...]]:
        view = self.frame_function
        if not (isinstance(view, View) and view.untouched(self) and view.sound_untouched(self)):
            raise TypeError(
                "only a film as vedit.load gives it can be pickled: apply its effects after loading"
            )
        if view.chain.edits:
            raise TypeError("an edited film cannot be pickled: send its path and settings instead")
        return Film, (self.filename, getattr(view.chain.pictures, "hdr", "refuse"))

    def __deepcopy__(self, memo: dict[int, Any]) -> "Film":
        copy: Film = self.__copy__()
        return copy

    def close(self) -> None:
        """End the readers of picture and sound. Copies share them; who is asked again opens the film again."""
        if isinstance(self.frame_function, View):
            self.frame_function.chain.close()
        if self.audio is not None and isinstance(self.audio.frame_function, Sound):
            self.audio.frame_function.close()


def load(path: str | Path, *, hdr: Hdr = "refuse") -> Film:
    """A film as a MoviePy clip: every picture at its exact time, upright, with the pixels that the edits get.

    Its sound is that of the track that FFmpeg takes for the main one, in one or two channels; `vedit.write` copies all
    tracks from the file as long as nothing was done to it. Transparency becomes the clip's mask. Close it, or use it in
    a ``with``.

    Args:
        path: the film.
        hdr: ``refuse`` films of high dynamic range, or ``tonemap`` them to BT.709.

    Raises:
        InputError: the film cannot be read.
        UsageError: it is HDR, or a still picture.
    """
    return Film(path, hdr)
