"""`vedit engines`: the models there are, which of them are on this machine, and how to fetch the others."""

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from vedit.cli import screen
from vedit.cli.options import Debug, Json

if TYPE_CHECKING:
    from vedit.pretrained.known import Known


def engines(json_lines: Json = False, debug: Debug = False) -> None:
    """List the models: the bundled one, and those that can be fetched; any other diffusers checkpoint works too."""
    from vedit.pretrained.find import hub_cache
    from vedit.pretrained.known import KNOWN

    rows = [_bundled(), *(_facts(entry) for entry in KNOWN)]
    if json_lines:
        for row in rows:
            screen.say(event="engine", **row)
        return
    console = screen.console()
    for kind in dict.fromkeys(row["kind"] for row in rows):
        console.print(_table(kind, [row for row in rows if row["kind"] == kind]))
        console.print()
    print("To fetch one:", flush=True)
    for row in rows:
        if row["command"] and not row["path"]:
            print(f"  {row['name']}: {row['command']}")
    print(f"They are kept in {hub_cache()}.")
    print("As good as a name: a folder, a .safetensors file, or a hub id such as owner/name.")


def _bundled() -> dict[str, Any]:
    from vedit.diffusion.engine import WEIGHTS

    size = sum(file.stat().st_size for file in WEIGHTS.glob("*.safetensors")) / 1e9
    return {
        "name": "bundled",
        "kind": "model",
        "family": "bundled",
        "repo": None,
        "revision": None,
        "about": "Comes with vedit: looks, painted key frames, masks; runs on any computer",
        "gigabytes": round(size, 3),
        "licence": "Apache-2.0",
        "path": str(WEIGHTS),
        "missing": None,
        "command": None,
    }


def _facts(entry: "Known") -> dict[str, Any]:
    from vedit.pretrained.fetch import describe
    from vedit.pretrained.find import of_known

    return {
        "name": entry.name,
        "kind": entry.kind,
        "family": entry.family,
        "about": entry.about,
        "gigabytes": entry.gigabytes,
        "licence": entry.licence,
        **describe(of_known(entry)),
    }


def _table(kind: str, rows: list[dict[str, Any]]) -> Table:
    shown = Table(box=None, pad_edge=False, title=Text(f"{kind}s", style="bold"), title_justify="left")
    for title in ("name", "family", "here"):
        shown.add_column(title, no_wrap=True)
    shown.add_column("GB", justify="right", no_wrap=True)
    shown.add_column("for", overflow="fold")
    shown.add_column("licence", overflow="fold", style="dim")
    for row in rows:
        here = "yes" if row["path"] else "in part" if row["missing"] else "no"
        size = "" if row["gigabytes"] is None else f"{row['gigabytes']:.2g}"
        shown.add_row(row["name"], row["family"], here, size, row["about"], row["licence"])
    return shown
