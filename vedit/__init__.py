"""Change a film with diffusion and get a film back: same length, same timing, original sound."""

from typing import TYPE_CHECKING

from vedit import edits as edits
from vedit.errors import EngineError, InputError, OutputError, UsageError, VeditError
from vedit.video.probe import probe
from vedit.video.source import Source

if TYPE_CHECKING:
    from vedit.api import Clip, Plan, Report, inpaint, interpolate, plan, repair, restyle, resume

__all__ = [
    "Clip",
    "EngineError",
    "InputError",
    "OutputError",
    "Plan",
    "Report",
    "Source",
    "UsageError",
    "VeditError",
    "edits",
    "inpaint",
    "interpolate",
    "plan",
    "probe",
    "repair",
    "restyle",
    "resume",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The names that need torch, which takes longer to load than a film to probe: loaded when first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from vedit import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__
