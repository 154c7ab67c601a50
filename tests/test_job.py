import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from PIL import Image

from vedit.edits import Inpaint, Interpolate, Restyle
from vedit.edits.edit import Edit
from vedit.errors import InputError, UsageError
from vedit.job import describe_call, describe_edit, describe_job, edits_of, file_state
from vedit.video.probe import probe

MakeFilm = Callable[..., Path]


def film_of_masks(path: Path) -> Path:
    path.write_bytes(b"white on black" * 10_000)
    return path


def test_equal_settings_are_one_job_and_others_are_not(film: MakeFilm) -> None:
    source = probe(film())

    def job(edit: Interpolate) -> dict[str, object]:
        return describe_job(source, [edit], device="auto", on_corrupt="repeat", hdr="refuse")

    assert job(Interpolate(fps="60000/1001")) == job(Interpolate(fps=Fraction(60000, 1001)))
    assert job(Interpolate(fps=60)) != job(Interpolate(fps=50))
    assert json.loads(json.dumps(job(Interpolate(fps=60)))) == job(Interpolate(fps=60))


def test_tensors_are_known_by_their_values() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    other = mask.clone()
    other[..., 3, 3] = 1
    assert describe_edit(Inpaint(mask=mask)) == describe_edit(Inpaint(mask=mask.clone()))
    assert describe_edit(Inpaint(mask=mask)) != describe_edit(Inpaint(mask=other))
    assert describe_edit(Inpaint(mask=mask)) != describe_edit(Inpaint(mask=mask.view(1, 1, 4, 16)))


@pytest.mark.parametrize("place", [0, 70_000, 139_999])
def test_a_changed_file_is_another(tmp_path: Path, place: int) -> None:
    path = film_of_masks(tmp_path / "mask.mp4")
    before, dates = file_state(path), path.stat()
    assert file_state(path) == before
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"!")
    if place != 70_000:  # the middle is known by the date alone
        os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    assert file_state(path) != before


def test_a_folder_is_known_by_its_files(tmp_path: Path) -> None:
    (tmp_path / "0.png").write_bytes(b"0")
    before = file_state(tmp_path)
    assert file_state(tmp_path) == before
    (tmp_path / "1.png").write_bytes(b"1")
    assert file_state(tmp_path) != before


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mp4"):
        file_state(tmp_path / "none.mp4")


def test_edits_can_be_made_again_from_elsewhere(
    film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = probe(film())
    film_of_masks(tmp_path / "mask.mp4")
    monkeypatch.chdir(tmp_path)
    edits: list[Edit] = [
        Interpolate(fps="60000/1001", quality="draft"),
        Inpaint(mask="mask.mp4", seed=7),
        Inpaint(mask="box:1,2,3,4"),
    ]
    call = describe_call(source, edits, {"crf": 20})
    assert call is not None
    call = json.loads(json.dumps(call))
    monkeypatch.chdir("/")
    again = edits_of(call)
    assert [type(edit) for edit in again] == [Interpolate, Inpaint, Inpaint]
    assert again[0] == edits[0]
    assert isinstance(again[1], Inpaint)
    assert (again[1].mask, again[1].seed) == (str(tmp_path / "mask.mp4"), 7)
    assert isinstance(again[2], Inpaint)
    assert again[2].mask == "box:1,2,3,4"
    assert (call["source"], call["options"]) == (str(source.path), {"crf": 20})


def test_key_frames_are_written_down_by_their_index(
    film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = probe(film())
    for name in ("a.png", "b.png"):
        Image.new("RGB", (96, 64), (90, 20, 200)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    edit = Restyle(keyframes={0: "a.png", 12: Path("b.png")}, strength=0.5, temporal="lstm", keep_colour=True)
    before = describe_edit(edit)
    call = json.loads(json.dumps(describe_call(source, [edit], {})))
    monkeypatch.chdir("/")
    (again,) = edits_of(call)
    assert isinstance(again, Restyle)
    assert again.keyframes == {0: str(tmp_path / "a.png"), 12: str(tmp_path / "b.png")}
    assert describe_edit(again) == before  # else the journal is another job's, and nothing is gone on with
    assert (again.look, again.style, again.prompt) == (None, None, None)
    assert (again.strength, again.temporal, again.keep_colour) == (0.5, "lstm", True)
    monkeypatch.chdir(tmp_path)
    assert describe_edit(edit) == before == json.loads(json.dumps(before))
    Image.new("RGB", (96, 64), (90, 20, 201)).save(tmp_path / "b.png")
    assert describe_edit(edit) != before
    assert describe_edit(Restyle(keyframes={1: "a.png"})) != describe_edit(Restyle(keyframes={0: "a.png"}))


def test_a_folder_called_like_a_look_is_no_file_of_it(
    film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit, source = Restyle(look="ink"), probe(film())
    before = describe_edit(edit)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ink").mkdir()
    assert describe_edit(edit) == before
    call = describe_call(source, [edit], {})
    assert call is not None
    assert edits_of(call) == [edit]


def test_masks_that_are_joined_are_known_by_their_files_too(
    film: MakeFilm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, source = film_of_masks(tmp_path / "mask.mp4"), probe(film())
    monkeypatch.chdir(tmp_path)
    edit = Inpaint(mask="box:1,2,3,4 + mask.mp4 - track:3=box:1,2,3,4")
    before = describe_edit(edit)
    call = describe_call(source, [edit], {})
    assert call is not None
    assert call["edits"][0]["mask"] == f"box:1,2,3,4 + {path} - track:3=box:1,2,3,4"
    path.write_bytes(b"black on white" * 10_000)
    assert describe_edit(edit) != before


def test_what_only_python_holds_is_not_written_down(film: MakeFilm) -> None:
    source = probe(film())

    @dataclass(frozen=True)
    class Mine(Interpolate):
        pass

    picture = torch.zeros(3, 8, 8)
    for edit in (Restyle(style=picture), Restyle(keyframes={0: picture}), Mine(factor=1)):
        assert describe_call(source, [edit], {}) is None


@pytest.mark.parametrize(
    "step", [{"edit": "Teleport"}, {"edit": "Interpolate", "speed": 9}, {"edit": "Interpolate"}]
)
def test_a_journal_that_makes_no_sense_is_refused(step: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        edits_of({"edits": [step]})
