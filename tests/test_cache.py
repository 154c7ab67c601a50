"""What took long is made once; a cache that does not work costs time and nothing else."""

import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from vedit.cache import KEEP, cache_folder, digest, remembered
from vedit.errors import EngineError
from vedit.pretrained.find import hub_cache, place


class Maker:
    """Makes a number, and counts how often."""

    def __init__(self, value: float = 7.0) -> None:
        self.value, self.made = value, 0

    def __call__(self) -> dict[str, Tensor]:
        self.made += 1
        return {"number": torch.full((2, 3), self.value).T}  # not contiguous, as real ones may be


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VEDIT_CACHE", str(tmp_path / "a" / "cache"))
    return tmp_path / "a" / "cache"


def test_the_second_time_it_is_not_made_again(folder: Path) -> None:
    maker = Maker()
    first, second = remembered("thing", maker), remembered("thing", maker)
    assert maker.made == 1
    assert torch.equal(first["number"], second["number"])
    assert [p.name for p in folder.iterdir()] == ["thing.safetensors"]
    remembered("other", maker)
    assert maker.made == 2


@pytest.mark.parametrize("damage", [b"", b"no tensors here", None])
def test_what_is_damaged_is_made_anew_and_kept(folder: Path, damage: bytes | None) -> None:
    maker = Maker()
    remembered("thing", maker)
    path = folder / "thing.safetensors"
    path.write_bytes(path.read_bytes()[:-5] if damage is None else damage)
    assert float(remembered("thing", maker)["number"].sum()) == 42
    remembered("thing", maker)
    assert maker.made == 2


@pytest.mark.parametrize("place", ["/proc/none", "file"])
def test_a_folder_that_cannot_be_written_is_done_without(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VEDIT_CACHE", str(tmp_path / place))  # an absolute place stays what it is
    maker = Maker()
    for _ in range(2):
        assert float(remembered("thing", maker)["number"].sum()) == 42
    assert maker.made == 2
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_fails_to_be_made_leaves_nothing(folder: Path) -> None:
    def fail() -> dict[str, Tensor]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remembered("thing", fail)
    assert not folder.exists()
    assert float(remembered("thing", Maker())["number"].sum()) == 42


def test_those_used_longest_ago_go_first(folder: Path) -> None:
    folder.mkdir(parents=True)
    for i in range(KEEP):
        path = folder / f"{i}.safetensors"
        save_file({"number": torch.zeros(1)}, path)
        os.utime(path, (1000 + i, 1000 + i))
    remembered("0", Maker())  # used just now
    remembered("new", Maker())
    names = {p.stem for p in folder.iterdir()}
    assert names == {"new", *map(str, range(KEEP))} - {"1"}


def test_the_place_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VEDIT_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("VEDIT_CACHE")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "vedit"


def test_a_name_is_of_content_and_of_nothing_else() -> None:
    picture = torch.rand(3, 4, 6)
    assert digest([picture, "a", 1]) == digest([picture.clone(), "a", 1])
    assert digest([picture.mT.contiguous().mT]) == digest([picture])
    parts: list[list[Tensor | str | int | float]] = [
        [picture],
        [picture.view(3, 6, 4)],
        [picture.double()],
        [picture + 1e-6],
        [picture, 1],
        [picture, "1"],
        [1.0],
        [1],
    ]
    assert len({digest(each) for each in parts}) == len(parts)


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("VEDIT_CACHE", "XDG_CACHE_HOME", "HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", lambda uid: {}[uid])  # as in a container run with --user 12345
    assert cache_folder() is None
    assert float(remembered("thing", Maker())["number"].sum()) == 42
    assert hub_cache().name == "hub"
    with pytest.raises(EngineError, match="does not exist"):
        place("~/model.safetensors", "model")
