"""What the commands of `vedit bench` share: rows as they come, tables of them, and what a look's painter makes."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from vedit.cli import screen

if TYPE_CHECKING:
    from vedit.bench.restyle import Painter
    from vedit.bench.rows import Row, SomeRow


def tell(row: "Row", found: str, json_lines: bool, quiet: bool) -> None:
    """A row as soon as it is known: all of it as JSON, or that it is done."""
    if json_lines:
        screen.say(**vars(row))
    elif not quiet:
        screen.console(stderr=True).print(f"{row.clip}: {row.method}, {found}")


def rows_table(
    titles: Sequence[str],
    rows: "Sequence[SomeRow]",
    cells: "Callable[[SomeRow], list[str]]",
    caption: str | None = None,
) -> Table:
    """The rows under their clips; narrow enough for a terminal of 80 columns."""
    shown = Table(box=None, collapse_padding=True, pad_edge=False, caption_justify="left", caption=caption)
    shown.add_column("", overflow="fold")
    for title in titles:
        shown.add_column(title, justify="right", no_wrap=True)
    for clip, group in groupby(rows, key=lambda row: row.clip):
        shown.add_row(Text(clip, style="bold"))
        for row in group:
            shown.add_row(row.method, *cells(row))
    return shown


def protocol_table(words: Mapping[str, str]) -> Table:
    shown = Table(box=None, pad_edge=False, show_header=False)
    shown.add_column(style="bold", no_wrap=True)
    shown.add_column(overflow="fold")
    for topic, text in words.items():
        shown.add_row(topic, text)
    shown.add_row()
    return shown


def listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def painters_of(looks: Sequence[str]) -> "dict[str, Painter]":
    """The painters of the looks, each frame with chance of its own; of all looks where none is named."""
    import torch
    from torch import Tensor

    from vedit.train.painters import PAINTERS, Chance, paint

    def painter(look: str) -> "Painter":
        def painted(frame: Tensor, index: int) -> Tensor:
            picture = (frame * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
            height, wide = picture.shape[:2]
            made = paint(picture, look, Chance.seeded(height, wide, seed=index))
            return torch.from_numpy(made).permute(2, 0, 1).float() / 255

        return painted

    return {look: painter(look) for look in looks or PAINTERS}
