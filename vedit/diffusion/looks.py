"""The looks that the bundled engine knows by name, and the words that mean them."""

import re

from vedit.errors import UsageError

LOOKS: dict[str, tuple[str, ...]] = {
    "oil": ("oil", "impasto", "brush", "brushstrokes", "canvas"),
    "watercolour": ("watercolour", "watercolor", "aquarelle", "wash"),
    "ink": ("ink", "pen", "hatching", "hatched", "crosshatching", "engraving", "etching"),
    "pencil": ("pencil", "graphite", "sketch", "charcoal", "drawing"),
    "woodcut": ("woodcut", "linocut", "woodblock", "xylography"),
    "halftone": ("halftone", "comic", "comics", "dots", "newsprint", "pop"),
    "stained-glass": ("stained", "glass", "window", "mosaic", "leaded"),
    "cel": ("cel", "anime", "cartoon", "manga", "animation"),
}
"""Each look's name and the words in a prompt that ask for it."""

PHOTO = 0
"""Row of the look table that means footage; the looks follow in the order of `LOOKS`."""
FITTED = len(LOOKS) + 1
"""The last row: a look that is fitted to a film's own key frames."""


def look_row(look: str) -> int:
    """The row of a look in the denoiser's table.

    Raises:
        UsageError: no look has this name.
    """
    name = re.sub(r"[\s_]+", "-", look.strip().lower())
    if name not in LOOKS:
        raise UsageError(
            f"there is no look called {look!r}",
            f"Choose one of {', '.join(LOOKS)}, or give style= a picture that has the look.",
        )
    return list(LOOKS).index(name) + 1


def look_in_words(prompt: str) -> str:
    """The look that a prompt names; where it names several, the one it names first.

    Raises:
        UsageError: it names none.
    """
    for word in re.findall(r"[a-z]+", prompt.lower()):
        for look, meant in LOOKS.items():
            if word in meant:
                return look
    raise UsageError(
        f"the bundled engine finds none of its looks in the prompt {prompt!r}",
        f"Name one of {', '.join(LOOKS)}; give style= a picture; or give engine= a diffusers checkpoint, "
        "which reads any prompt.",
    )
