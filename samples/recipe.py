"""Write a recipe of your own, run it, and read it back from the film that it made.

    python samples/recipe.py [FILM]

Writes sketched.toml and FILM's name with "-sketched" into the current folder, replacing what an earlier run left there.
"""

import sys
from pathlib import Path

import vedit
from vedit.recipes import available

SAMPLES = Path(__file__).parent
RECIPE = """\
name = "sketched"
description = "Draw the film in pencil, then make it move twice as smoothly."

[[steps]]
edit = "restyle"
look = "pencil"
size = 192  # small, so that it is quick

[[steps]]
edit = "interpolate"
factor = 2
"""


def main(film: Path = SAMPLES / "sample.mp4") -> None:
    for ready in available():  # any of these names would do in place of the path
        print(f"{ready.name:20}{ready.description}")
    recipe, result = Path("sketched.toml"), Path(f"{film.stem}-sketched.mp4")
    recipe.write_text(RECIPE, encoding="utf-8")
    report = vedit.run(recipe, film, result, settings=["restyle.strength=0.9"], overwrite=True)
    print(f"{result}: {report.proof}")
    print(vedit.probe(result).recipe)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
