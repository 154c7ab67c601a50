"""What is made when the page is asked to run: a film, or a page that says what is in one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vedit.analysis.analyse import analyse
from vedit.analysis.summarise import summarise
from vedit.generating.film import make_film
from vedit.recipes import Recipe
from vedit.render import render
from vedit.ui import same, words
from vedit.ui.desk import Desk, Teller
from vedit.ui.same import Same
from vedit.ui.watchable import watchable
from vedit.ui.wish import BUNDLED, Wish, edits_of


@dataclass(frozen=True)
class Made:
    """What was made, to be looked at and to be kept."""

    html: str
    same: Same
    film: Path | None = None
    page: Path | None = None
    sheet: Path | None = None
    comparable: bool = False
    """Whether the film was made of another, picture by picture."""


def edited(desk: Desk, recipe: Recipe, teller: Teller) -> Made:
    """The film, edited.

    Raises:
        VeditError: it cannot be done.
    """
    output = edited_file(desk, recipe)
    report = render(
        desk.film.path,
        output,
        edits_of(recipe),
        overwrite=True,
        audio="auto",
        hdr="tonemap",
        progress=teller.progress,
        phase=teller.phase,
    )
    html = _shown(output, teller, report.proof, report.repairs, report.warnings)
    return Made(html, same.editing(recipe, desk.film, output), output, comparable=True)


def edited_file(desk: Desk, recipe: Recipe) -> Path:
    """Where the film goes that a recipe makes."""
    return desk.output(recipe.to_toml(), recipe.name if recipe.path else recipe.steps[0].edit)


def analysed(desk: Desk, wish: Wish, teller: Teller) -> Made:
    """What is in the film, as a page and as a storyboard.

    Raises:
        VeditError: it cannot be read.
    """
    key = f"analysis {wish.anomalies}"
    page, sheet = (desk.output(key, what, end) for what, end in (("analysis", ".html"), ("sheet", ".png")))
    found = analyse(
        desk.film.path,
        anomalies=wish.anomalies,
        html=page,
        sheet=sheet,
        overwrite=True,
        progress=teller.progress,
    )
    html = words.analysis(found, sheet)
    return Made(html, same.analysing(wish, desk.film, page, sheet), page=page, sheet=sheet)


def summarised(desk: Desk, wish: Wish, teller: Teller) -> Made:
    """A highlight reel of the film.

    Raises:
        VeditError: it cannot be made.
    """
    output = desk.output(f"reel {wish.reel}", "reel")
    reel = summarise(
        desk.film.path,
        output,
        seconds=wish.reel,
        overwrite=True,
        hdr="tonemap",
        progress=teller.progress,
        phase=teller.phase,
    )
    html = _shown(output, teller, reel.proof, [words.pieces(reel)], reel.warnings)
    return Made(html, same.summarising(wish, desk.film, output), output)


def generated(desk: Desk, wish: Wish, teller: Teller) -> Made:
    """A film of pictures, and of words for an engine that films them.

    Raises:
        VeditError: it cannot be made.
    """
    board = same.storyboard(wish)
    place = desk.place(f"{wish.engine} {board}")
    (place / "storyboard.toml").write_text(board, encoding="utf-8")
    output = place / "film.mp4"
    report = make_film(
        place / "storyboard.toml",
        output,
        engine=wish.engine or BUNDLED,
        overwrite=True,
        progress=teller.progress,
        phase=teller.phase,
    )
    html = _shown(output, teller, report.proof, report.repairs, report.warnings)
    return Made(html, same.generating(wish, output), output)


def _shown(output: Path, teller: Teller, proof: str, notes: Sequence[str], warnings: Sequence[str]) -> str:
    watched = watchable(output, output.parent / "small.mp4", teller.progress)
    return words.result(watched, proof, notes, warnings, copy=watched != output)
