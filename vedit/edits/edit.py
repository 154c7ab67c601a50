"""What every edit is: settings that turn a stream of frames into a stream of frames."""

from collections.abc import Iterator
from math import ceil
from typing import TYPE_CHECKING, Protocol

from vedit.errors import UsageError
from vedit.frame import Frame, Notes, Shot, Timing

if TYPE_CHECKING:  # a film that only passes through needs no torch, which takes long to load
    from vedit.clip import Clip


class Edit(Protocol):
    """A frozen dataclass of settings.

    ``timing`` says how the edit changes the film's clock (most return it as it is). ``stream`` gets the frames of
    one shot, lazily, and yields the edited ones in order; it keeps nothing between shots and holds no more than a
    window of frames. ``apply`` is the same on arrays.

    ``memoryless`` says that what it makes of a frame depends on that frame and later ones only, so that it may begin
    anew at any frame of a shot, or that its frames say in ``anchor`` at which earlier one it must. When an interrupted
    render goes on, an edit that is not is run again from the start of the shot, and what it makes of the frames before
    ``shot.wanted`` is thrown away.
    """

    @property
    def memoryless(self) -> bool: ...

    def timing(self, timing: Timing) -> Timing: ...

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]: ...

    def apply(self, clip: "Clip") -> "Clip": ...


def apply_to_clip(edit: Edit, clip: "Clip", device: str = "auto") -> "Clip":
    """Run an edit on a clip in memory, as one shot.

    Raises:
        UsageError: it is no `Clip`, or its values are far outside [0, 1], or none.
    """
    from vedit.clip import Clip

    if not isinstance(clip, Clip):
        raise UsageError(
            f"an edit was applied to {type(clip).__name__}", "Give a vedit.Clip: Clip.at_rate(frames, 25)."
        )
    low, high = clip.span
    if not (low >= -1 and high <= 2):  # not a number is neither
        raise UsageError(
            f"a clip's frames have values from {low:g} to {high:g}",
            "Give float32 in [0, 1]: x.float() / 255.",
        )
    timing = Timing(clip.time_base, clip.rate, clip.pts[0], clip.pts[-1] + clip.durations[-1])
    height, width = clip.frames.shape[-2:]
    shot = Shot(0, timing, height, width, device, Notes())
    clock = edit.timing(timing)
    likely = len(clip) if clock.rate is None else ceil(clock.seconds * clock.rate)
    return Clip.collect(edit.stream(clip.stream(), shot), clock.time_base, likely)
