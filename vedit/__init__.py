"""Change a film with diffusion and get a film back: same length, same timing, original sound."""

from vedit import edits as edits
from vedit.api import inpaint, interpolate, restyle
from vedit.clip import Clip
from vedit.errors import EngineError, InputError, OutputError, UsageError, VeditError
from vedit.proof import Report
from vedit.video.probe import probe
from vedit.video.source import Source

__all__ = [
    "Clip",
    "EngineError",
    "InputError",
    "OutputError",
    "Report",
    "Source",
    "UsageError",
    "VeditError",
    "edits",
    "inpaint",
    "interpolate",
    "probe",
    "restyle",
]

__version__ = "0.1.0"
