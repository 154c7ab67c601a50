"""Repair a film: dust, scratches, frames shown twice or missing, flicker; each found, told and mended."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from vedit.edits.edit import apply_to_clip
from vedit.edits.repair.dirt import without_dirt
from vedit.edits.repair.flicker import without_flicker
from vedit.edits.repair.lapses import judged
from vedit.edits.repair.retiming import Marks, drawings
from vedit.edits.repair.showing import previewed, shown
from vedit.edits.repair.steps import seen
from vedit.errors import UsageError
from vedit.frame import Frame, Shot, Timing

if TYPE_CHECKING:
    from vedit.clip import Clip


@dataclass(frozen=True)
class Repair:
    """Find flaws of a film and mend them from the frames beside; frames without a flaw stay as they are, bit for bit.

    Args:
        dust: specks, hairs and dirt of a single frame are filled along the motion from the frame before and after.
        scratches: thin vertical lines that stay for several frames are filled from their sides.
        dropped: frames that are missing are made anew where the film's times have a hole for them. One that is missing
            in the motion alone is made only where a frame shown twice is near: the frames between are put right.
            Otherwise it is told.
        duplicates: a frame that shows the one before again, while everything moves, becomes one between its neighbours.
            Where repeats come in a rhythm or often, as in animation, they are left alone.
        flicker: exposure that goes up and down from frame to frame is evened; fades and changes of light stay. Off
            unless asked for: it changes whole frames.
        preview: mend nothing, and draw what is found over the film: dust red, scratches yellow, a blue border around
            repeats, a magenta one around the frame after a loss, a green one around frames that flicker.

    Raises:
        UsageError: nothing is to be repaired.
    """

    memoryless: ClassVar[bool] = False

    dust: bool = True
    scratches: bool = True
    dropped: bool = True
    duplicates: bool = True
    flicker: bool = False
    preview: bool = False

    def __post_init__(self) -> None:
        if not (self.dust or self.scratches or self.dropped or self.duplicates or self.flicker):
            raise UsageError("nothing is to be repaired", "Leave at least one kind of flaw on.")

    def timing(self, timing: Timing) -> Timing:
        return timing

    def stream(self, frames: Iterator[Frame], shot: Shot) -> Iterator[Frame]:
        marks = Marks()
        pictures = drawings(
            judged(seen(frames), shot, jumps=self.dropped),
            shot,
            duplicates=self.duplicates,
            dropped=self.dropped,
            preview=self.preview,
            marks=marks,
        )
        if self.dust or self.scratches:
            pictures = without_dirt(
                pictures, shot, dust=self.dust, scratches=self.scratches, preview=self.preview
            )
        made = previewed(pictures, marks) if self.preview else shown(pictures, shot)
        yield from without_flicker(made, shot, preview=self.preview) if self.flicker else made

    def apply(self, clip: "Clip") -> "Clip":
        """The clip repaired, as one shot."""
        return apply_to_clip(self, clip)
