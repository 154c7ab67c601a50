"""Change a film with diffusion and get a film back: same length, same timing, original sound."""

from importlib import import_module
from typing import TYPE_CHECKING

from vedit import edits as edits
from vedit.errors import EngineError, InputError, OutputError, UsageError, VeditError
from vedit.video.probe import probe
from vedit.video.source import Source

if TYPE_CHECKING:
    from vedit import fx as fx
    from vedit.analysis.analyse import analyse
    from vedit.analysis.found import Analysis
    from vedit.analysis.reel import Reel
    from vedit.analysis.summarise import summarise
    from vedit.api import (
        BatchReport,
        Clip,
        Comparison,
        Plan,
        Report,
        Tally,
        batch,
        compare,
        extend,
        generate,
        inpaint,
        interpolate,
        judge,
        plan,
        repair,
        restyle,
        resume,
        run,
        tally,
    )
    from vedit.fx.load import load
    from vedit.fx.write import write

__all__ = [
    "Analysis",
    "BatchReport",
    "Clip",
    "Comparison",
    "EngineError",
    "InputError",
    "OutputError",
    "Plan",
    "Reel",
    "Report",
    "Source",
    "Tally",
    "UsageError",
    "VeditError",
    "analyse",
    "batch",
    "compare",
    "edits",
    "extend",
    "fx",
    "generate",
    "inpaint",
    "interpolate",
    "judge",
    "load",
    "plan",
    "probe",
    "repair",
    "restyle",
    "resume",
    "run",
    "summarise",
    "tally",
    "write",
]

OF_MOVIEPY = {
    "Analysis": "vedit.analysis.found",
    "Reel": "vedit.analysis.reel",
    "analyse": "vedit.analysis.analyse",
    "fx": "vedit.fx",
    "load": "vedit.fx.load",
    "summarise": "vedit.analysis.summarise",
    "write": "vedit.fx.write",
}
"""The modules of the names that need MoviePy."""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """The names that need torch or MoviePy, which take longer to load than a film to probe: loaded when first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in OF_MOVIEPY:
        module = import_module(OF_MOVIEPY[name])
        return module if name == "fx" else getattr(module, name)
    from vedit import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__
