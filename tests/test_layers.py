"""Imports point down the layers of the design, never up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import vedit

PACKAGE = Path(vedit.__file__).parent

# From the top; a room may import from itself and from the layers below its own.
LAYERS = [
    {"__main__"},
    {"cli"},
    {"ui"},
    {"__init__", "train"},
    {"bench"},
    {"analysis"},
    {"fx"},
    {"api"},
    {"report"},
    {"pages"},
    {"planning"},
    {"batching"},
    {"pieces", "interrupted"},
    {"render", "calibration", "coverage", "generating"},
    {"streaming"},
    {"recipes"},
    {"job", "trail", "proof", "excerpt"},
    {"edits", "metrics"},
    {"masks"},
    {"pretrained"},
    {"completion", "diffusion", "inbetween"},
    {"temporal", "steps"},
    {"latents"},
    {"flow"},
    {"pictures"},
    {"video"},
    {"clip", "pace"},
    {"frame"},
    {"window", "workers"},
    {"cache", "device", "heap", "torchvision_ops", "weight_files"},
    {"errors"},
]


def height(room: str) -> int:
    """How far down a room is; a room that is in no layer has to be put in one."""
    found = [i for i, rooms in enumerate(LAYERS) if room in rooms]
    assert found, f"vedit/{room} is in no layer: add it here and to the design"
    return found[0]


def imported(path: Path) -> Iterator[str]:
    """The room of every import of vedit in a file, wherever in the file it stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, room = [*name.split("."), "__init__"][:2]
            if package == "vedit":
                yield room if (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file() else "__init__"


def test_imports_point_down() -> None:
    arrows = [
        (str(path.relative_to(PACKAGE)), path.relative_to(PACKAGE).with_suffix("").parts[0], room)
        for path in sorted(PACKAGE.rglob("*.py"))
        for room in imported(path)
    ]
    assert arrows
    upward = [
        f"{path} imports {room}" for path, own, room in arrows if own != room and height(room) <= height(own)
    ]
    assert not upward


def test_no_name_of_a_junk_drawer() -> None:
    assert not [p for p in PACKAGE.rglob("*.py") if p.stem in {"utils", "util", "helpers", "common", "misc"}]
