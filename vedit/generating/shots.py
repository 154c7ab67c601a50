"""Which engine makes the shots of a storyboard, and what it can and cannot do."""

from collections.abc import Callable, Iterator
from typing import Protocol

from torch import Tensor

from vedit.edits.edit import Edit
from vedit.edits.pretrained import check_guidance
from vedit.edits.restyle import Restyle
from vedit.errors import InputError, UsageError
from vedit.generating.pictures import Pictures, Scene
from vedit.generating.storyboard import Panel, Storyboard
from vedit.pictures import moves, read_picture
from vedit.pretrained.spec import read_engine

LONG_SIDE = 1920
"""Of films whose size nobody says and whose first picture is larger."""
SMALLEST = 16
"""Of a picture's sides."""


class Shots(Protocol):
    """What makes a storyboard's shots."""

    def frames(self, number: int) -> Iterator[Tensor]:
        """The pictures ``(3,h,w)`` in [0, 1] of a panel, from ``first`` to ``end`` of its span."""
        ...

    def mixed(self, number: int, first: Tensor, second: Tensor, index: int) -> Tensor:
        """The picture of a frame in the transition into a panel, from those of the two shots."""
        ...


class Bundled:
    """Pictures that a camera moves over, each shot in its look."""

    def __init__(self, scene: Scene) -> None:
        self._pictures = Pictures(scene, lambda number: picture_of(scene.panels[number]), lambda number: True)
        self._edits = [look_of(panel, scene.seed) for panel in scene.panels]  # wrong looks are found now

    def frames(self, number: int) -> Iterator[Tensor]:
        return self._pictures.frames(number, self._edits[number])

    def mixed(self, number: int, first: Tensor, second: Tensor, index: int) -> Tensor:
        return self._pictures.mixed(number, first, second, index)


def picture_of(panel: Panel) -> Tensor:
    """A panel's picture ``(3,H,W)`` uint8.

    Raises:
        InputError: it cannot be read.
        UsageError: it is too small to be moved over.
    """
    assert panel.picture is not None  # noqa: S101 - only asked where there is one
    try:
        picture = read_picture(panel.picture)
    except InputError as error:
        raise InputError(f"{panel.place}: {error.problem}", error.remedy) from error
    height, width = picture.shape[-2:]
    if min(height, width) < SMALLEST:
        raise UsageError(
            f"{panel.place}: picture {panel.picture} is {width}x{height}",
            f"Give one of {SMALLEST} pixels a side at least.",
        )
    return picture


def look_of(panel: Panel, seed: int) -> list[Edit]:
    """The edits that put a panel's look over its shot.

    Raises:
        UsageError: there is no such look.
    """
    if panel.look is None:
        return []
    try:
        return [Restyle(look=panel.look, strength=panel.strength, seed=seed)]
    except UsageError as error:
        raise UsageError(f"{panel.place}: {error.problem}", error.remedy) from error


def check_panels(
    board: Storyboard,
    engine: str,
    warn: Callable[[str], None],
    *,
    steps: int | None,
    guidance_scale: float | None,
    window: int | None,
) -> None:
    """Complain about what an engine cannot make of a storyboard, before anything is made.

    Raises:
        UsageError: a setting belongs to another engine; says the file, the line and what to do.
        InputError: a picture cannot be read.
    """
    first = board.panels[0]
    if first.continues:
        raise UsageError(
            f"{first.place}: the first shot has none before it to continue", "Leave continues out."
        )
    for name, given, least in (("steps", steps, 1), ("window", window, 2)):
        if given is not None and given < least:
            raise UsageError(f"{name} is {given}", f"Give at least {least}.")
    check_guidance(guidance_scale)
    for panel in board.panels:
        if panel.picture is not None:
            picture_of(panel)  # better now than when half of the film is made
            if moves(panel.picture):
                warn(f"{panel.place}: {panel.picture} moves; its first picture is taken")
    if read_engine(engine) is not None:
        return
    for name, number in (("steps", steps), ("guidance_scale", guidance_scale), ("window", window)):
        if number is not None:
            raise UsageError(f"{name} is for pretrained engines", "Leave it out, or give engine=.")
    for panel in board.panels:
        if panel.picture is None:
            raise UsageError(
                f"{panel.place}: the bundled engine films pictures, and {panel.prompt!r} is words",
                "Give a picture's path, or engine= a model that reads words (see `vedit engines`).",
            )
        if panel.continues:
            raise UsageError(
                f"{panel.place}: continues is for pretrained engines",
                'Leave it out, or write transition = "morph".',
            )
        if panel.strength is not None and panel.look is None:
            raise UsageError(
                f"{panel.place}: strength is a look's, and there is none", "Add look, or leave it out."
            )
        if panel.prompt is not None or panel.negative_prompt is not None:
            warn(f"{panel.place}: words beside a picture are for pretrained engines; they are not used")


def film_size(board: Storyboard, engine: str) -> tuple[int, int]:
    """(width, height) of a film whose size nobody says: its first picture's, made even, or what the engine makes best.

    It is no larger than Full HD, or than the side that a pretrained engine was trained at.
    """
    longest, usual = LONG_SIDE, None
    if read_engine(engine) is not None:
        from vedit.generating.prompts import usual_size

        usual = usual_size(engine)
        longest = max(usual)
    first = next((panel for panel in board.panels if panel.picture is not None), None)
    if first is None:
        assert usual is not None  # noqa: S101 - the bundled engine has only pictures
        return usual
    height, width = picture_of(first).shape[-2:]
    scale = min(1.0, longest / max(height, width))
    return max(16, int(width * scale) // 2 * 2), max(16, int(height * scale) // 2 * 2)


def shots_of(
    scene: Scene, engine: str, *, steps: int | None, guidance_scale: float | None, window: int | None
) -> Shots:
    """What makes the shots with an engine; of a pretrained one the models are loaded.

    Raises:
        UsageError: a look does not exist, or the models cannot do what is asked.
        EngineError: models are not here, or not what they should be.
    """
    if read_engine(engine) is None:
        return Bundled(scene)
    from vedit.generating.prompts import Prompted

    return Prompted(scene, engine, steps=steps, guidance_scale=guidance_scale, window=window)
