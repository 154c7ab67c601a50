"""Chains as MoviePy's clips: what a clip shows, whether it still is what the chain made, one more edit on it."""

from fractions import Fraction
from math import ceil

import numpy as np
from moviepy import VideoClip, VideoFileClip  # type: ignore[import-untyped] # it ships no types
from numpy.typing import NDArray

from vedit.edits.edit import Edit
from vedit.edits.interpolate import Interpolate
from vedit.errors import InputError, UsageError
from vedit.frame import Timing
from vedit.fx.carrier import file_of_sound
from vedit.fx.chain import Chain
from vedit.fx.rate import counted, film_duration
from vedit.fx.sound import Stretched, clip_of
from vedit.fx.source import ClipPictures, FilmPictures
from vedit.pace import pace_of
from vedit.video.probe import probe
from vedit.video.source import Source

MOVIEPY_READER = "VideoFileClip.__init__.<locals>.<lambda>"
"""The function of a clip that shows its file as MoviePy reads it."""


class View:
    """The frame function of a clip that shows a chain, and how that clip was when it was made.

    Clips that share it share its reader: read in turns at different places, each makes the other's edits start anew.
    """

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._facts: tuple[object, ...] = ()
        self._sound: tuple[object, ...] | None = None

    def __call__(self, t: float) -> NDArray[np.uint8]:
        """The picture at a time, ``(H, W, 3)`` uint8 RGB, read-only."""
        picture = self.chain.at(t)
        if picture.shape[2] == 4:
            picture = np.ascontiguousarray(picture[..., :3])
            picture.flags.writeable = False
        return picture

    def remember(self, clip: VideoClip, *, own_sound: bool) -> None:
        """Take the clip as it is now for what the chain made; its sound only if that is ``own_sound``, the film's."""
        self._facts = _facts(clip)
        self._sound = _sound(clip) if own_sound else None

    def untouched(self, clip: VideoClip) -> bool:
        """Whether pictures, timeline and mask are still the chain's."""
        return clip.frame_function is self and _facts(clip) == self._facts

    def sound_untouched(self, clip: VideoClip) -> bool:
        """Whether it sounds as the film does, or as that goes with the edits."""
        return self._sound is not None and _sound(clip) == self._sound


class Opacity:
    """The frame function of the mask that goes with a view: ``(H, W)`` in [0, 1]."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain

    def __call__(self, t: float) -> NDArray[np.float64]:
        return self.chain.at(t)[..., 3] / 255.0


def _facts(clip: VideoClip) -> tuple[object, ...]:
    mask = None if clip.mask is None else clip.mask.frame_function
    return clip.duration, clip.fps, tuple(clip.size), mask, clip.is_mask


def _sound(clip: VideoClip) -> tuple[object, ...]:
    sound = clip.audio
    return () if sound is None else (sound.frame_function, sound.duration, sound.start)


def view_of(clip: VideoClip) -> View | None:
    """The view that a clip shows and nothing else; of a file that MoviePy reads, a new one. None where it is more."""
    view = clip.frame_function
    if isinstance(view, View):
        return view if view.untouched(clip) else None
    source = _file_of(clip)
    if source is None:
        return None
    view = View(Chain(FilmPictures(source)))
    own = clip.audio is not None and file_of_sound(clip.audio) == source.path
    view.remember(clip, own_sound=own)
    return view


def _file_of(clip: VideoClip) -> Source | None:
    """The film that a VideoFileClip shows as it is; None if it shows anything else, or cannot be read by our reader.

    Raises:
        UsageError: the film is HDR, say.
    """
    if not isinstance(clip, VideoFileClip) or clip.reader is None or clip.mask is not None or clip.is_mask:
        return None
    reader = clip.reader
    same = (clip.duration, clip.fps, tuple(clip.size)) == (reader.duration, reader.fps, tuple(reader.size))
    if getattr(clip.frame_function, "__qualname__", "") != MOVIEPY_READER or not same:
        return None
    try:
        source = probe(clip.filename)
    except InputError:
        return None
    try:
        source = source.as_edited()
    except UsageError as error:
        raise UsageError(
            error.problem, "If it is HDR, open it with vedit.load(path, hdr='tonemap')."
        ) from error
    if source.video.alpha or (source.width, source.height) != tuple(clip.size):
        return None
    return source


def edited(clip: VideoClip, edit: Edit) -> VideoClip:
    """A copy of a clip with one more edit; no frame is read.

    Where the clip is a vedit effect's, a film from `vedit.load` or a VideoFileClip, and nothing was done to it since,
    the edit joins its chain. Otherwise a chain begins on the clip's frames.

    Raises:
        UsageError: the clip has no duration, rate or one size, or is a mask; the edit cannot work with it.
    """
    check(clip, type(edit).__name__)
    view = view_of(clip)
    chain = (view.chain if view else Chain(ClipPictures(clip))).then(edit)
    own_sound = view is not None and view.sound_untouched(clip)
    before, after = chain.timings[-2:]
    new = clip.copy()
    new.memoized_t = new.memoized_frame = None
    now = View(chain)
    new.frame_function = now
    if after is not before:
        pace = pace_of([before, after])
        new.fps = _fps(clip.fps, edit, before, after)
        if pace is not None or after.seconds != before.seconds:
            frames = round(after.seconds * (after.rate or 1))
            new.duration = film_duration(after.seconds, frames, new.fps)
            if new.audio is not None and pace is not None:
                new.audio = clip_of(Stretched(new.audio, pace))
        else:
            new.duration = counted(clip.duration, new.fps)
        new.end = new.start + new.duration
    if new.mask is not None and (after is not before or isinstance(new.mask.frame_function, Opacity)):
        new.mask = new.mask.copy()
        new.mask.frame_function = Opacity(chain)
        new.mask.memoized_t = new.mask.memoized_frame = None
        new.mask.fps, new.mask.duration, new.mask.end = new.fps, new.duration, new.end
    now.remember(new, own_sound=own_sound)
    return new


def _fps(fps: float, edit: Edit, before: Timing, after: Timing) -> float:
    if after.rate is not None:
        return float(after.rate)
    assert isinstance(edit, Interpolate)  # noqa: S101 - no other edit changes a film's clock
    # A varying rate stays one: MoviePy is told the mean.
    pieces = edit.factor or ceil(Fraction(edit.slowmo or 1))
    return fps * pieces * float(before.seconds / after.seconds)


def check(clip: object, name: str) -> None:
    """Complain about what is no clip of a length and a rate.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(clip, VideoClip):
        raise UsageError(f"{name} was given a {type(clip).__name__}", "Give it a video clip.")
    if clip.is_mask:
        raise UsageError(f"{name} was given a mask", "Apply it to the clip; its mask goes along.")
    if clip.duration is None:
        raise UsageError(
            f"{name} was given a clip without an end", "Give it one: clip.with_duration(seconds)."
        )
    if not getattr(clip, "fps", None):
        raise UsageError(f"{name} was given a clip without a rate", "Give it one: clip.with_fps(25).")
