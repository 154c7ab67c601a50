"""Pages: one HTML file each that needs nothing else, not even a network."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vedit.pages.whole import write_whole

HERE = Path(__file__).parent


def page(template: Path, **values: object) -> str:
    """The HTML of a template that extends ``page.html``; what it includes lies beside it or here.

    Args:
        template: the file.
        values: what it names: for every page ``films`` to be played, each a :class:`~vedit.pages.small_film.Preview`,
            and ``data`` for its script. When it is made, and by which version, is known.
    """
    rooms = Environment(
        loader=FileSystemLoader([template.parent, HERE]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return rooms.get_template(template.name).render(made=made, version=version("vedit-diffusion"), **values)


def write_page(html: str, path: Path, *, overwrite: bool) -> None:
    """Write a page; its name appears only when it is whole.

    Raises:
        OutputError: it cannot be written, or something of that name appeared meanwhile.
    """
    write_whole(path, html.encode("utf-8", "backslashreplace"), overwrite=overwrite)
