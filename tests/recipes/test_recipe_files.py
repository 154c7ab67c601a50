"""Recipes in files: read, checked, changed with --set, written again."""

import tomllib
from dataclasses import fields
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from PIL import Image

import vedit
from vedit.edits import Inpaint, Interpolate, Repair, Restyle
from vedit.edits.edit import Edit
from vedit.errors import InputError, UsageError, VeditError
from vedit.recipes import Recipe, Step, available, load_recipe, recipe_of

TWO_STEPS = """\
name = "two"  # a comment
description = "Draws, then smooths."

[[steps]]
edit = "restyle"
look = "ink"
strength = 0.5

[[steps]]
edit = "interpolate"
factor = 2
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def complaint(path: Path, *settings: str) -> str:
    with pytest.raises(VeditError) as caught:
        load_recipe(path, settings).edits()
    return str(caught.value).replace(str(path), "mine.toml")


@pytest.mark.parametrize("name", [recipe.name for recipe in available()])
def test_every_shipped_recipe_is_found_by_its_name_and_says_when_to_use_it(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.path is not None
    assert recipe.path.stem == recipe.name == name
    assert recipe.description.endswith(".")
    assert recipe.when.endswith(".")


def test_ten_recipes_are_there() -> None:
    assert len(available()) >= 10


def test_a_file_makes_its_edits(tmp_path: Path) -> None:
    recipe = load_recipe(written(tmp_path, TWO_STEPS))
    assert (recipe.name, recipe.description) == ("two", "Draws, then smooths.")
    assert recipe.edits() == [Restyle(look="ink", strength=0.5), Interpolate(factor=2)]
    assert load_recipe(str(tmp_path / "mine.toml")).edits() == recipe.edits()


def test_a_recipe_needs_no_name(tmp_path: Path) -> None:
    assert load_recipe(written(tmp_path, '[[steps]]\nedit = "repair"\n')).name == "mine"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("strength = 0.5", "strenght = 0.5", r"mine\.toml, line 7: .*'strenght'\. Did you mean strength\?"),
        (
            "strength = 0.5",
            'strength = "a"',
            r"mine\.toml, line 7: strength is a\. Give a number from 0 to 1",
        ),
        ("strength = 0.5", "strength = 7", r"mine\.toml, line 7: strength is 7\. .*from 0 to 1"),
        ("strength = 0.5", "strength = true", r"mine\.toml, line 7: strength is true"),
        (
            "strength = 0.5",
            'temporal = "rmm"',
            r'line 7: temporal is "rmm"\. Give "attention", "rnn", "lstm"',
        ),
        ("strength = 0.5", "seed = 0.5", r"line 7: seed is 0\.5\. Give a whole number\."),
        ("strength = 0.5", "keep_colour = 1", r"line 7: keep_colour is 1\. Give true or false\."),
        ("strength = 0.5", "mask = [1, 2]", r"line 7: mask is \[1, 2\]\. Give text\."),
        ("strength = 0.5", 'mask = "none.png"', r"line 7: mask .*none\.png does not exist"),
        ("factor = 2", "fps = 1979-05-27", r"line 11: fps is 1979-05-27\. Give a number or text\."),
        ("factor = 2", "factor = 2\nfps = 60", r"line 9, step 2 \(interpolate\): .*fps and factor"),
        ('edit = "interpolate"', 'edit = "interpolte"', r"line 10: .*Did you mean interpolate\?"),
        ('edit = "interpolate"', 'edit = ["repair"]', r'line 10: there is no edit called \["repair"\]'),
        ('edit = "interpolate"\n', "", r"line 9: a step does not say its edit\. .*repair"),
        ("name = ", "nmae = ", r"line 1: .*'nmae'\. Did you mean name\?"),
        ('"Draws, then smooths."', "3", r"line 2: description is 3\. Give text"),
        ("factor = 2", "factor = ", r"line 11: invalid value\. Write it as TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_is_possible(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in TWO_STEPS
    with pytest.raises(VeditError, match=said):
        load_recipe(written(tmp_path, TWO_STEPS.replace(old, new, 1))).edits()


@pytest.mark.parametrize("text", ["", 'name = "a"', "steps = []", "steps = 3", "[steps]\nedit = 'repair'"])
def test_a_recipe_has_steps(tmp_path: Path, text: str) -> None:
    assert "there are no steps. Write at least one" in complaint(written(tmp_path, text))


def test_lines_are_those_of_the_file_whatever_stands_between(tmp_path: Path) -> None:
    text = (
        'description = "x"\nwhen = """\\\n  [[steps]]\\\n  """\n\n[[ steps ]]\nedit = "repair"\n"dust" = 3\n'
    )
    assert "line 8: dust is 3" in complaint(written(tmp_path, text))
    text = '[[steps]]\nedit = "restyle"\n\n[steps.keyframes]\n0 = 3\n'
    assert "line 4: keyframes is" in complaint(written(tmp_path, text))
    text = 'name = "x"\nsteps = [{ edit = "repair", dust = 3 }]\n'
    assert "line 2, step 1 (repair): dust is 3" in complaint(written(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no recipe called 'inc'\. Did you mean ink\?"):
        load_recipe("inc")
    with pytest.raises(InputError, match=r"no\.toml does not exist"):
        load_recipe(tmp_path / "no.toml")
    with pytest.raises(InputError, match="cannot be read"):
        load_recipe(tmp_path)
    path = tmp_path / "latin.toml"
    path.write_bytes(b'name = "\xe9"\n')
    with pytest.raises(InputError, match="UTF-8"):
        load_recipe(path)


def test_files_are_looked_for_beside_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("style.png", "mask.png", "my - mask.png"):
        Image.new("RGB", (96, 64), (90, 20, 200)).save(tmp_path / name)
    text = (
        '[[steps]]\nedit = "restyle"\nstyle = "style.png"\nmask = "box:1,2,30,40 + mask.png - track:3=mask.png"\n'
        '[[steps]]\nedit = "inpaint"\nmask = "my - mask.png"\n'
        '[[steps]]\nedit = "restyle"\nkeyframes = { 7 = "style.png" }\n'
    )
    path = written(tmp_path, text)
    monkeypatch.chdir("/")
    first, second, third = load_recipe(path).edits()
    assert isinstance(first, Restyle)
    assert isinstance(second, Inpaint)
    assert isinstance(third, Restyle)
    assert first.style == str(tmp_path / "style.png")
    mask = tmp_path / "mask.png"
    assert first.mask == f"box:1,2,30,40 + {mask} - track:3={mask}"
    assert second.mask == str(tmp_path / "my - mask.png")
    assert third.keyframes == {7: str(tmp_path / "style.png")}


def test_settings_are_changed_by_name_and_by_number(tmp_path: Path) -> None:
    path = written(tmp_path, TWO_STEPS)
    given = ["restyle.look=oil", "1.seed=7", "restyle.strength=", "2.factor=", "interpolate.fps=60000/1001"]
    assert load_recipe(path, given).edits() == [
        Restyle(look="oil", seed=7),
        Interpolate(fps=Fraction(60000, 1001)),
    ]
    assert load_recipe(path, ["2.dedupe=true"]).edits()[1] == Interpolate(factor=2, dedupe=True)
    styled = load_recipe(path, ["restyle.look=", "restyle.prompt=42 inks, or ink"])
    assert styled.edits()[0] == Restyle(prompt="42 inks, or ink", strength=0.5)
    assert load_recipe(path, ["restyle.look=", "restyle.prompt=42"]).steps[0].settings["prompt"] == "42"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("restyle", "cannot be read. Give step.key=value"),
        ("strength=3", "cannot be read"),
        ("inpaint.mask=x", "two has no step 'inpaint'. Write one of interpolate, restyle."),
        ("3.mask=x", "two has no step 3. Its steps: 1 (restyle), 2 (interpolate)."),
        ("restyle.strenght=3", "--set restyle.strenght: restyle has no setting 'strenght'. Did you mean"),
        ("2.factor=" + 5000 * "9", "interpolate.factor: factor is"),
        ("2.factor=a", '--set interpolate.factor: factor is "a". Give a whole number.'),
        ("restyle.strength=3", "--set restyle.strength: strength is 3. Give a number from 0 to 1;"),
        ("restyle.seed=", "takes out a setting that step 1 does not have"),
    ],
)
def test_a_setting_that_cannot_be_is_told(tmp_path: Path, setting: str, said: str) -> None:
    assert said in complaint(written(tmp_path, TWO_STEPS), setting)


def test_an_edit_that_stands_twice_is_called_by_its_number(tmp_path: Path) -> None:
    path = written(tmp_path, TWO_STEPS + '\n[[steps]]\nedit = "restyle"\nlook = "oil"\n')
    assert (
        "more than one step 'restyle'. Say its number: 1 (restyle), 2 (interpolate), 3 (restyle)."
        in complaint(path, "restyle.seed=3")
    )
    assert load_recipe(path, ["3.seed=3"]).edits()[2] == Restyle(look="oil", seed=3)
    assert "--set 3.seed" in complaint(path, "3.seed=x")


def test_what_is_missing_is_told() -> None:
    with pytest.raises(UsageError, match=r"--set inpaint\.mask=VALUE"):
        load_recipe("remove-object").edits()
    assert isinstance(
        load_recipe("remove-object", ["inpaint.mask=track:0=box:1,2,30,40"]).edits()[0], Inpaint
    )
    with pytest.raises(UsageError, match=r"--set restyle\.KEY=VALUE"):
        load_recipe("picture-style").edits()


EDITS: list[Edit] = [
    Restyle(look="ink", strength=0.25, mask="box:1,2,30,40"),
    Restyle(prompt='a "watercolour"\\\n\t\x1b\x7f\x9b é 🎨', temporal="lstm", steps=3, keep_colour=True),
    Interpolate(fps="60000/1001", quality="draft"),
    Interpolate(ramp="0=0,2=1,4=4", fps=30),
    Interpolate(slowmo=2.5, dedupe=True),
    Inpaint(mask="track:3=box:1,2,30,40 - poly:1,1 5,5 9,1", dilate=3),
    Repair(flicker=True, dust=False),
]


@pytest.mark.parametrize("edit", EDITS, ids=repr)
def test_edits_and_recipes_say_the_same(edit: Edit, tmp_path: Path) -> None:
    recipe = recipe_of([edit, edit], name="twice", description="The same again.")
    assert recipe is not None
    again = load_recipe(written(tmp_path, recipe.to_toml()))
    assert again == Recipe("twice", "The same again.", recipe.steps, path=tmp_path / "mine.toml")
    for made in (*recipe.edits(), *again.edits()):
        assert type(made) is type(edit)
        for field in fields(edit):  # type: ignore[arg-type]
            assert getattr(made, field.name) == getattr(edit, field.name)


def test_all_settings_are_written_down(tmp_path: Path) -> None:
    """A later version may have other defaults."""
    recipe = recipe_of([Restyle(look="ink")])
    assert recipe is not None
    (step,) = tomllib.loads(recipe.to_toml())["steps"]
    unset = {"style", "prompt", "keyframes", "mask", "steps"}
    unset |= {"negative_prompt", "guidance_scale", "control", "window"}
    assert set(step) == {"edit"} | {field.name for field in fields(Restyle)} - unset


def test_what_only_python_holds_is_no_recipe() -> None:
    assert recipe_of([Repair(), Inpaint(mask=torch.zeros(1, 1, 8, 8))]) is None


def test_a_recipe_made_in_python_is_checked_too() -> None:
    recipe = Recipe("mine", "", (Step("restyle", {"look": "ink", "strenght": 1}),))
    with pytest.raises(UsageError, match=r"recipe 'mine', step 1 \(restyle\): .*Did you mean strength"):
        recipe.edits()


def test_edits_of_ones_own_take_no_settings(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="settings were given for a list of edits"):
        vedit.run([Repair()], tmp_path / "a.mp4", tmp_path / "b.mp4", settings=["repair.dust=false"])
