"""vedit's edits as MoviePy effects: a chain that is read as frames are asked for."""

from dataclasses import fields

from moviepy import Effect, VideoClip  # type: ignore[import-untyped] # it ships no types

from vedit import edits
from vedit.edits.edit import Edit
from vedit.fx.view import edited


class _Edited(Effect):  # type: ignore[misc] # MoviePy is not typed
    """An effect with the name and settings of one of `vedit.edits`, which are checked when it is made."""

    def edit(self) -> Edit:
        """The edit with these settings."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        made: Edit = getattr(edits, type(self).__name__)(**settings)
        return made

    def apply(self, clip: VideoClip) -> VideoClip:
        """A copy of the clip with the edit; see `vedit.fx`.

        Raises:
            UsageError: the clip is a mask, has no duration or rate, or the edit cannot work with it.
        """
        return edited(clip, self.edit())


class Restyle(_Edited, edits.Restyle):
    """Paint every frame; settings as of `vedit.edits.Restyle`. Key frames are counted in the clip it is applied to."""


class Interpolate(_Edited, edits.Interpolate):
    """Make frames between frames; settings as of `vedit.edits.Interpolate`.

    The clip's ``fps`` becomes the new rate. With ``slowmo`` or ``ramp`` its duration changes, and its sound is
    stretched to go along, at its own pitch. Its mask moves with the picture.
    """


class Inpaint(_Edited, edits.Inpaint):
    """Take something out; settings as of `vedit.edits.Inpaint`. ``mask`` says where, and is not the clip's mask."""


class Repair(_Edited, edits.Repair):
    """Mend dust, scratches, dropped and repeated frames; settings as of `vedit.edits.Repair`."""


class Extend(_Edited, edits.Extend):
    """Go on after the last frame; settings as of `vedit.edits.Extend`. The sound ends where it ended."""
