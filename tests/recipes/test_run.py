"""Recipes run on films, and read back from what they made."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import av
import pytest
import torch
from PIL import Image

import vedit
from vedit.cli.main import main
from vedit.edits import Inpaint, Interpolate, Repair
from vedit.recipes import available, load_recipe, parse_recipe

MakeFilm = Callable[..., Path]
Capture = pytest.CaptureFixture[str]
NEEDS = {"remove-object": ["inpaint.mask=track:0=box:20,20,16,16"], "picture-style": ["restyle.look=pencil"]}
"""What recipes do not say themselves; a picture's hand takes long to learn."""


def tags(path: Path) -> dict[str, str]:
    with av.open(path) as film:
        return {key.lower(): value for key, value in film.metadata.items()}


@pytest.mark.parametrize("name", [recipe.name for recipe in available()])
def test_every_recipe_runs_and_the_film_says_how_it_was_made(
    film: MakeFilm, tmp_path: Path, name: str
) -> None:
    settings, out = NEEDS.get(name, []), tmp_path / "out.mp4"
    report = vedit.run(name, film(shots=(3,), tracks=0), out, settings=settings)
    assert report.frames_out >= 3
    carried = vedit.probe(out).recipe
    assert carried is not None
    made, meant = parse_recipe(carried, "it", "it").edits(), load_recipe(name, settings).edits()
    assert list(map(repr, made)) == list(map(repr, meant))


def commented(path: Path, out: Path, **options: str) -> Path:
    """A copy of the film with tags of its own."""
    with av.open(path) as film, av.open(out, "w", container_options=options) as copy:
        copy.metadata.update(title="Film", comment="My own words", encoding_tool="Something else")
        targets = {stream: copy.add_stream_from_template(stream) for stream in film.streams}
        for packet in film.demux():
            if packet.dts is not None:
                packet.stream = targets[packet.stream]
                copy.mux(packet)
    return out


def test_a_film_edited_again_in_any_container_carries_both_edits(film: MakeFilm, tmp_path: Path) -> None:
    path = commented(film(shots=(3,), tracks=0), tmp_path / "in.mkv")
    meant: list[object] = []
    for seed, ending in enumerate(("mp4", "mov", "mkv", "webm", "mov", "mp4")):
        edit = Inpaint(mask="box:1,2,8,8 - poly:1,1 5,5 9,1", seed=seed, quality="draft")
        meant.append(edit)
        out = tmp_path / f"{seed}.{ending}"
        report = vedit.run([edit], path, out)
        assert not report.warnings
        carried = vedit.probe(out).recipe
        assert carried is not None
        assert carried.startswith(f"# vedit {vedit.__version__}\n")
        assert list(map(repr, parse_recipe(carried, "it", "it").edits())) == list(map(repr, meant))
        assert (tags(out)["title"], tags(out)["comment"]) == ("Film", "My own words")
        path = out


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_phone_s_film_carries_it_too(film: MakeFilm, tmp_path: Path, ending: str) -> None:
    path = film(shots=(3,), tracks=0)
    phone = tmp_path / "phone.mov"
    with (
        av.open(path) as given,
        av.open(phone, "w", container_options={"movflags": "use_metadata_tags"}) as copy,
    ):
        copy.metadata["com.apple.quicktime.make"] = "Apple"
        target = copy.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(given.streams.video[0]):
            if packet.dts is not None:
                packet.stream = target
                copy.mux(packet)
    out, again = tmp_path / f"out.{ending}", tmp_path / "again.mkv"
    vedit.repair(phone, out)
    assert tags(out)["com.apple.quicktime.make"] == "Apple"
    carried = vedit.probe(out).recipe
    assert carried is not None
    vedit.repair(out, again)
    both = vedit.probe(again).recipe
    assert both is not None
    assert parse_recipe(both, "it", "it").edits() == [Repair(), Repair()]


def test_no_folder_of_this_machine_is_told(
    film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "private"
    folder.mkdir()
    Image.new("L", (96, 64)).save(folder / "mask.png")
    path = film(shots=(3,), tracks=0)
    told = []
    for ending, mask in (("mkv", folder / "mask.png"), ("mp4", f"box:1,1,8,8 - {folder / 'mask.png'}")):
        vedit.inpaint(path, tmp_path / f"out.{ending}", mask=mask, quality="draft")
        told.append(str(vedit.probe(tmp_path / f"out.{ending}").recipe))
    for carried in told:
        assert "mask.png" in carried
        assert "private" not in carried
        assert path.name not in carried
    (folder / "again.toml").write_text(told[-1])
    monkeypatch.chdir("/")
    (edit,) = load_recipe(folder / "again.toml").edits()
    assert isinstance(edit, Inpaint)
    assert edit.mask == f"box:1,1,8,8 - {folder / 'mask.png'}"


def test_a_film_with_an_edit_that_cannot_be_written_down_carries_no_part_of_its_recipe(
    film: MakeFilm, tmp_path: Path
) -> None:
    only_python = Inpaint(mask=(torch.arange(96) < 8).expand(1, 1, 64, 96).float(), quality="draft")
    first, second, third = (tmp_path / f"{n}.mkv" for n in range(3))
    report = vedit.run([only_python], film(shots=(3,), tracks=0), first)
    assert vedit.probe(first).recipe is None
    assert not report.warnings
    vedit.repair(first, second)
    assert vedit.probe(second).recipe is not None
    report = vedit.run([only_python], second, third)
    assert vedit.probe(third).recipe is None
    assert any("recipe of the film's earlier edits is not kept" in warning for warning in report.warnings)


@pytest.mark.parametrize(
    "found", ["no TOML", "[[steps]]\nedit = 'rm'\n", "x" * 2**18, "a=" + "[" * 9999, "a=" + "9" * 9999]
)
def test_a_recipe_that_makes_no_sense_harms_nothing(film: MakeFilm, tmp_path: Path, found: str) -> None:
    given, path, out = film(shots=(3,), tracks=0), tmp_path / "in.mkv", tmp_path / "out.mkv"
    with av.open(given) as old, av.open(path, "w") as copy:
        copy.metadata["VEDIT_RECIPE"] = found
        target = copy.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = target
                copy.mux(packet)
    report = vedit.repair(path, out)
    assert any("recipe of the film's earlier edits is not kept" in warning for warning in report.warnings)
    carried = vedit.probe(out).recipe
    assert carried is not None
    assert parse_recipe(carried, "it", "it").edits() == [Repair()]


def test_the_command_runs_lists_prints_and_reads_back(
    film: MakeFilm, tmp_path: Path, capsys: Capture
) -> None:
    path, out = str(film(shots=(3,), tracks=0)), tmp_path / "out.mov"
    argv = ["run", "smooth-60", path, "-o", str(out), "--set", "interpolate.fps=30", "--quiet"]
    assert main(["plan", *argv[:-1], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rate"] == "30"
    assert main(argv) == 0
    assert vedit.probe(out).rate == 30
    capsys.readouterr()

    assert main(["probe", str(out), "--recipe"]) == 0
    (tmp_path / "again.toml").write_text(capsys.readouterr().out)
    assert (
        main(["run", str(tmp_path / "again.toml"), path, "-o", str(tmp_path / "again.mp4"), "--quiet"]) == 0
    )
    assert vedit.probe(tmp_path / "again.mp4").pts == vedit.probe(out).pts
    capsys.readouterr()
    assert main(["probe", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == vedit.probe(out).recipe

    assert main(["recipes"]) == 0
    listed = capsys.readouterr().out
    assert all(recipe.name in listed for recipe in available())
    assert main(["recipes", "--json"]) == 0
    assert [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()] == [
        recipe.name for recipe in available()
    ]
    assert main(["recipes", "smooth-60"]) == 0
    assert "fps = 60" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (["run", "smoth-60", "FILM", "-o", "OUT"], 2, "Did you mean smooth-60?"),
        (["run", "smooth-60", "FILM", "-o", "OUT", "--set", "fps=30"], 2, "step.key=value"),
        (["recipes", "inc"], 2, "Did you mean ink?"),
        (["probe", "FILM", "--recipe"], 3, "carries no recipe"),
    ],
)
def test_what_goes_wrong_is_one_line(
    film: MakeFilm, tmp_path: Path, capsys: Capture, argv: list[str], code: int, said: str
) -> None:
    names = {"FILM": str(film(shots=(2,), tracks=0)), "OUT": str(tmp_path / "out.mp4")}
    assert main([names.get(word, word) for word in argv]) == code
    err = capsys.readouterr().err
    assert re.fullmatch(r"error: .*\n", err)
    assert said in err
    assert not (tmp_path / "out.mp4").exists()


def test_an_interrupted_run_goes_on(film: MakeFilm, tmp_path: Path) -> None:
    path, out = film(shots=(120,), tracks=0), tmp_path / "out.mp4"

    def stop(done: int, total: int) -> None:
        if done > 100:
            raise KeyboardInterrupt

    (tmp_path / "mine.toml").write_text(
        '[[steps]]\nedit = "repair"\ndust = false\nscratches = false\n[[steps]]\nedit = "interpolate"\nfactor = 2\n'
        'quality = "draft"\n'
    )
    with pytest.raises(KeyboardInterrupt):
        vedit.run(tmp_path / "mine.toml", path, out, progress=stop)
    assert not out.exists()
    assert vedit.resume(out).frames_out == 240
    carried = vedit.probe(out).recipe
    assert carried is not None
    assert parse_recipe(carried, "it", "it").edits() == [
        Repair(dust=False, scratches=False),
        Interpolate(factor=2, quality="draft"),
    ]
