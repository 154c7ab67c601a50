"""vedit's edits as effects for MoviePy's clips: ``clip.with_effects([vedit.fx.Interpolate(fps=60)])``.

Building a chain reads no frame. Effects that follow each other are one chain: the film is decoded once, by the reader
that every other front door uses, and the pixels are those of the same edits on the file. MoviePy's own effects may come
before, between and after; then a new chain begins on the frames of that clip, and its cuts are found in them.

Frames come in order from bounded buffers. Frames out of order are the same ones, but the edits start anew at the start
of their shot. Clips that are made of one clip (``subclipped``) share its reader: apply the effects to each part.
"""

from vedit.fx.effects import Extend as Extend
from vedit.fx.effects import Inpaint as Inpaint
from vedit.fx.effects import Interpolate as Interpolate
from vedit.fx.effects import Repair as Repair
from vedit.fx.effects import Restyle as Restyle

__all__ = ["Extend", "Inpaint", "Interpolate", "Repair", "Restyle"]
