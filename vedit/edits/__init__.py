"""The edits: each a frozen dataclass of settings. Loaded when first named: `import vedit` stays light."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vedit.edits.extend import Extend as Extend
    from vedit.edits.inpaint import Inpaint as Inpaint
    from vedit.edits.interpolate import Interpolate as Interpolate
    from vedit.edits.repair import Repair as Repair
    from vedit.edits.restyle import Restyle as Restyle

__all__ = ["Extend", "Inpaint", "Interpolate", "Repair", "Restyle"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{name.lower()}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
