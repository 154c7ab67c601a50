"""The engines that the page offers: the bundled one and known ones that are on this machine; others are typed."""

from vedit.pretrained.fetch import describe
from vedit.pretrained.find import of_known
from vedit.pretrained.known import KNOWN
from vedit.ui.wish import BUNDLED, EXTEND, GENERATE, INTERPOLATE, REMOVE, RESTYLE

PAINTERS = ("sd", "sdxl", "wan-vace")
FAMILIES = {
    RESTYLE: PAINTERS,
    INTERPOLATE: ("wan-vace", "ltx", "ltx2"),
    REMOVE: PAINTERS,
    EXTEND: (*PAINTERS, "ltx"),
    GENERATE: (*PAINTERS, "ltx", "ltx2"),
}
"""What takes an engine, and the families of models that can do it."""


def engines(doing: str) -> list[str]:
    """The names to choose from for one of ``FAMILIES``."""
    fit = [entry for entry in KNOWN if entry.kind == "model" and entry.family in FAMILIES.get(doing, ())]
    return [BUNDLED, *(entry.name for entry in fit if describe(of_known(entry))["path"])]
