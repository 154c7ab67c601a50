"""The page's controls make the same edits as every other front door, and say how to make them there."""

import shlex
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vedit
from vedit.cli.main import main
from vedit.pretrained.known import known
from vedit.recipes import available, load_recipe, recipe_of
from vedit.ui.engines import engines
from vedit.ui.same import as_toml, command, storyboard
from vedit.ui.wish import PICTURE, Wish, edits_of

BOX = "box:8,8,16,16"


@pytest.fixture
def painting(tmp_path: Path) -> str:
    path = tmp_path / "a painting.png"
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(path)
    return str(path)


@pytest.mark.parametrize(
    ("wish", "edit"),
    [
        (Wish(), vedit.edits.Restyle(look="ink")),
        (
            Wish(look="oil", strength=0.7, keep_colour=True),
            vedit.edits.Restyle(look="oil", strength=0.7, keep_colour=True),
        ),
        (Wish("Interpolate", fps="60000/1001"), vedit.edits.Interpolate(fps="60000/1001")),
        (
            Wish("Interpolate", speed="slowmo", slowmo="2.5", quality="best"),
            vedit.edits.Interpolate(slowmo="2.5", quality="best"),
        ),
        (Wish("Remove", grow=0), vedit.edits.Inpaint(BOX)),
        (
            Wish("Remove", where="auto:logo", fill="draft"),
            vedit.edits.Inpaint("auto:logo", quality="draft", dilate=2),
        ),
        (
            Wish("Repair", flaws=["Dust", "Flicker"], show_flaws=True),
            vedit.edits.Repair(scratches=False, dropped=False, duplicates=False, flicker=True, preview=True),
        ),
    ],
)
def test_controls_make_edits(wish: Wish, edit: object) -> None:
    [made] = edits_of(wish.made(BOX))
    assert vars(made) == vars(edit)


def test_every_recipe_that_comes_with_vedit_can_be_chosen(painting: str) -> None:
    for recipe in available():
        wish = Wish("Recipe", recipe=recipe.name, style=painting)
        made = edits_of(wish.made(BOX))
        assert len(made) == len(recipe.steps)
        assert wish.draws == (recipe.name == "remove-object")


def test_what_is_missing_is_asked_for() -> None:
    with pytest.raises(vedit.UsageError, match="no picture to paint after"):
        Wish(look=PICTURE).made(None)
    with pytest.raises(vedit.UsageError, match="no picture to paint after"):
        Wish("Recipe", recipe="picture-style").made(None)
    with pytest.raises(vedit.UsageError, match="nothing is to be repaired"):
        edits_of(Wish("Repair", flaws=[]).made(None))
    with pytest.raises(vedit.UsageError, match="fps is 'fast'"):
        edits_of(Wish("Interpolate", fps="fast").made(None))


def test_the_toml_makes_the_same_edits(painting: str, tmp_path: Path) -> None:
    for wish in (Wish(look=PICTURE, style=painting), Wish("Recipe", recipe="ink-and-smooth")):
        recipe = wish.made(None)
        text = as_toml(recipe)
        assert str(tmp_path) not in text
        kept = tmp_path / "kept.toml"
        kept.write_text(text)
        assert recipe_of(load_recipe(kept).edits()) == recipe_of(edits_of(recipe))


@pytest.mark.parametrize(
    "wish",
    [
        Wish("Interpolate", fps="48", quality="draft"),
        Wish("Repair", flaws=["Dust", "Flicker"]),
        Wish("Remove", fill="draft"),
        Wish("Recipe", recipe="smooth-60"),
        Wish("Recipe", recipe="remove-object"),
    ],
)
def test_the_command_line_does_the_same(
    wish: Wish, film: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = vedit.probe(film("-a film.mp4", shots=(6,)))
    recipe = wish.made(f"track:2={BOX}")
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command(recipe, source, "it's.mp4"))[1:]) == 0
    by_page = vedit.run(edits_of(recipe), source.path, tmp_path / "page.mp4")
    made = vedit.probe("it's.mp4")
    assert (made.pts, made.recipe) == (vedit.probe(by_page.output).pts, vedit.probe(by_page.output).recipe)


@pytest.mark.parametrize(
    ("wish", "edit"),
    [
        (Wish("Extend", longer="1/2"), vedit.edits.Extend("1/2")),
        (
            Wish("Extend", engine=" ltx ", prompt="on it sails"),
            vedit.edits.Extend("0.5", engine="ltx", prompt="on it sails"),
        ),
        (
            Wish(engine="sd15", prompt="a forest", strength=0.2, power=0.5),
            vedit.edits.Restyle(prompt="a forest", engine="sd15", strength=0.5),
        ),
        (Wish("Interpolate", engine="ltx"), vedit.edits.Interpolate(fps=60, engine="ltx")),
        (
            Wish("Remove", grow=0, engine="sd15-inpaint", prompt="a wall"),
            vedit.edits.Inpaint(BOX, engine="sd15-inpaint", prompt="a wall"),
        ),
        (Wish("Remove", grow=0, engine=None, prompt="a wall"), vedit.edits.Inpaint(BOX)),  # type: ignore[arg-type]
    ],
)
def test_engines_are_told_what_they_are_to_make(wish: Wish, edit: object) -> None:
    [made] = edits_of(wish.made(BOX))
    assert vars(made) == vars(edit)


def test_engines_that_are_here_and_fit_are_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert engines("Restyle") == ["bundled"]
    entry = known("ltx")
    assert entry is not None
    here = tmp_path / "models--Lightricks--LTX-Video-0.9.5" / "snapshots" / str(entry.revision)
    here.mkdir(parents=True)
    (here / "model_index.json").write_text("{}")
    assert engines("Interpolate") == ["bundled", "ltx"]
    assert engines("Restyle") == ["bundled"]


def test_a_storyboard_has_a_shot_for_each_picture_and_further_line() -> None:
    wish = Wish("Generate", pictures=["/x/a b.png", "/x/b.png"], scene="2.5", sound="/x/s.wav", prompt="one")
    board = tomllib.loads(storyboard(wish, lambda path: Path(path).name))
    assert board == {
        "seconds": "2.5",
        "transition": "morph",
        "sound": "s.wav",
        "shots": [{"picture": "a b.png"}, {"picture": "b.png"}],
    }
    told = replace(wish, engine="ltx", prompt="one\n\ntwo\n/etc/passwd")
    assert tomllib.loads(storyboard(told))["shots"][1:] == [
        {"picture": "/x/b.png", "prompt": "two"},
        {"prompt": "/etc/passwd"},
    ]
    with pytest.raises(vedit.UsageError, match="nothing to make a film of"):
        storyboard(Wish("Generate"))
