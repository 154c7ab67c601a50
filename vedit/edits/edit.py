"""What every edit is: settings that turn a stream of frames into a stream of frames."""

from collections.abc import Iterator
from typing import Protocol

from vedit.clip import Clip
from vedit.device import pick_device
from vedit.frame import Frame, Notes, Shot, Timing


class Edit(Protocol):
    """A frozen dataclass of settings.

    ``timing`` says how the edit changes the film's clock (most return it as it is). ``stream`` gets the frames of
    one shot, lazily, and yields the edited ones in order; it keeps nothing between shots and holds no more than a
    window of frames. ``apply`` is the same on arrays.
    """

    def timing(self, timing: Timing) -> Timing: ...

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]: ...

    def apply(self, clip: Clip) -> Clip: ...


def apply_to_clip(edit: Edit, clip: Clip, device: str = "auto") -> Clip:
    """Run an edit on a clip in memory, as one shot."""
    *_, last = clip.stream()
    timing = Timing(clip.time_base, clip.rate, clip.pts[0], last.end)
    height, width = clip.frames.shape[-2:]
    shot = Shot(0, timing, height, width, pick_device(device), Notes())
    return Clip.collect(edit.stream(clip.stream(), shot), edit.timing(timing).time_base)
