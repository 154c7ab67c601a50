"""What the page's controls say, as a recipe: the same edits as every other front door runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vedit.diffusion.looks import LOOKS
from vedit.edits.pretrained import STRENGTH
from vedit.errors import UsageError
from vedit.flow.quality import Quality
from vedit.generating.storyboard import Transition
from vedit.recipes import Recipe, Step, load_recipe
from vedit.recipes.fields import edit_class, missing

if TYPE_CHECKING:
    from vedit.edits.edit import Edit

RESTYLE, INTERPOLATE, REMOVE, REPAIR = "Restyle", "Interpolate", "Remove", "Repair"
EXTEND, RECIPE, ANALYSE, SUMMARISE, GENERATE = "Extend", "Recipe", "Analyse", "Summarise", "Generate"
DOINGS = (RESTYLE, INTERPOLATE, REMOVE, REPAIR, EXTEND, RECIPE, ANALYSE, SUMMARISE, GENERATE)
BUNDLED = "bundled"
PICTURE = "like a picture"
"""Chosen in place of a look by name."""
DRAWN = "drawn"
FLAWS = {
    "Dust": "dust",
    "Scratches": "scratches",
    "Missing frames": "dropped",
    "Repeated frames": "duplicates",
    "Flicker": "flicker",
}
OF_STYLE = ("look", "style", "prompt", "keyframes")


@dataclass(frozen=True)
class Wish:
    """The state of the controls, in the order in which the page hands them over; files are paths."""

    doing: str = RESTYLE
    look: str = "ink"
    style: str | None = None
    strength: float = 1.0
    keep_colour: bool = False
    speed: str = "fps"
    """Whether ``fps`` or ``slowmo`` counts."""
    fps: str = "60"
    slowmo: str = "4"
    quality: Quality = "normal"
    where: str = DRAWN
    """``drawn``, ``auto:caption`` or ``auto:logo``."""
    follow: bool = False
    grow: int = 2
    fill: Quality = "normal"
    flaws: tuple[str, ...] | list[str] = ("Dust", "Scratches", "Missing frames", "Repeated frames")
    show_flaws: bool = False
    recipe: str = "oil"
    longer: str = "0.5"
    """Seconds that a film goes on."""
    anomalies: bool = False
    reel: str = "20"
    """Seconds of a summary."""
    pictures: list[str] | None = None
    sound: str | None = None
    scene: str = "4"
    """Seconds of each picture."""
    transition: Transition = "morph"
    engine: str = BUNDLED
    prompt: str = ""
    power: float = STRENGTH
    """Strength of a pretrained engine."""

    def __post_init__(self) -> None:
        # What was emptied on the page comes as None.
        for name in ("fps", "slowmo", "longer", "reel", "scene", "engine", "prompt"):
            object.__setattr__(self, name, (getattr(self, name) or "").strip())

    @property
    def pretrained(self) -> bool:
        """Whether the engine is one that others trained."""
        return self.engine not in ("", BUNDLED)

    @property
    def draws(self) -> bool:
        """Whether a mask has to be drawn."""
        return self.where == DRAWN if self.doing == REMOVE else "mask" in self.lacks

    @property
    def lacks(self) -> set[str]:
        """What the chosen recipe needs from the page: "mask", "style"."""
        return lacking(load_recipe(self.recipe)) if self.doing == RECIPE else set()

    def made(self, mask: str | None) -> Recipe:
        """The recipe; ``mask`` is what was drawn.

        Raises:
            UsageError: something that it needs is missing.
        """
        if self.doing == RECIPE:
            return filled(load_recipe(self.recipe), mask, self.style)
        if self.doing == RESTYLE:
            return _single("restyle", self._restyle())
        if self.doing == INTERPOLATE:
            speed = {self.speed: number(self.slowmo if self.speed == "slowmo" else self.fps)}
            return _single("interpolate", speed | _quality(self.quality) | self._engine())
        if self.doing == EXTEND:
            return _single("extend", {"seconds": number(self.longer)} | self._engine())
        if self.doing == REMOVE:
            where = mask if self.where == DRAWN else self.where
            grow = {"dilate": int(self.grow)} if self.grow else {}
            return _single("inpaint", {"mask": where, **grow} | _quality(self.fill) | self._engine())
        wanted = {FLAWS[name] for name in self.flaws}
        mended = {name: name in wanted for name in FLAWS.values() if (name in wanted) != (name != "flicker")}
        return _single("repair", mended | ({"preview": True} if self.show_flaws else {}))

    def _restyle(self) -> dict[str, object]:
        settings: dict[str, object] = {"look": self.look}
        if self.pretrained:
            settings = {"style": self.style} if self.style else {}
            settings |= {"strength": float(self.power)} | self._engine()
        elif self.look == PICTURE:
            settings = {"style": _needed(self.style)}
        if self.strength != 1 and not self.pretrained:
            settings["strength"] = float(self.strength)
        return settings | ({"keep_colour": True} if self.keep_colour else {})

    def _engine(self) -> dict[str, object]:
        """The engine and what it is told; nothing for the bundled one, which is told nothing."""
        said = {"prompt": self.prompt} if self.prompt else {}
        return {"engine": self.engine, **said} if self.pretrained else {}


def edits_of(recipe: Recipe) -> "list[Edit]":
    """The edits of a recipe from the page; one that has no file is not spoken of as a recipe.

    Raises:
        VeditError: a setting cannot be.
    """
    if recipe.path is not None:
        return recipe.edits()
    return [edit_class(step.edit)(**step.settings) for step in recipe.steps]


def lacking(recipe: Recipe) -> set[str]:
    """What a recipe leaves to its user: "mask", "style"."""
    found = {name for step in recipe.steps for name in missing(step.edit, step.settings)}
    plain = any(step.edit == "restyle" and not step.settings.keys() & set(OF_STYLE) for step in recipe.steps)
    return found | ({"style"} if plain else set())


def filled(recipe: Recipe, mask: str | None, style: str | None) -> Recipe:
    """A recipe with what it leaves to its user.

    Raises:
        UsageError: that was not given.
    """
    steps = []
    for step in recipe.steps:
        alone = lacking(replace(recipe, steps=(step,)))
        given = {"mask": mask} if "mask" in alone else {}
        given |= {"style": _needed(style)} if "style" in alone else {}
        steps.append(replace(step, settings={**step.settings, **given}))
    return replace(recipe, steps=tuple(steps))


def number(text: str) -> int | str:
    """What was chosen or typed, as a recipe's number where it is a whole one."""
    return int(text) if text.isdecimal() else text


def _single(edit: str, settings: Mapping[str, object]) -> Recipe:
    return Recipe(edit, "", (Step(edit, settings),))


def _quality(quality: Quality) -> dict[str, object]:
    return {} if quality == "normal" else {"quality": quality}


def _needed(style: str | None) -> str:
    if style is None:
        raise UsageError("there is no picture to paint after", "Drop one that has the look.")
    return style


def looks() -> list[str]:
    """What a restyle can be chosen to look like."""
    return [*LOOKS, PICTURE]
