"""What is read from every film of the corpus, against the lists in golden/ (as FFmpeg's FATE does).

``pytest tests/test_golden.py --update-golden`` writes them anew; then look at the difference before you keep it.
"""

from pathlib import Path

import pytest
from corpus import FILMS, number_of

from vedit.frame import Frame, Notes
from vedit.video.probe import probe
from vedit.video.read import read
from vedit.video.source import Source

GOLDEN = Path(__file__).with_name("golden")
COLUMNS = "pts duration luma cut fault number"


def facts(source: Source, warnings: list[str]) -> list[str]:
    """The probe's facts, and what is said about them."""
    video, colour = source.video, source.video.colour
    return [
        f"# {source.format}, tick {source.time_base}, rate {source.rate}, end {source.end}",
        f"# {video.codec} {video.pix_fmt} {video.width}x{video.height}, {video.bit_depth} bit"
        f"{' with alpha' if video.alpha else ''}, pixels {video.sar}, {video.field_order}",
        f"# colour {colour.matrix}/{colour.range}/{colour.primaries}/{colour.transfer}, "
        f"turned {video.rotation}{', mirrored' if video.mirrored else ''}",
        *(f"# {s.kind} {s.codec} {s.language or '-'}" for s in source.streams),
        *([f"# {source.chapters} chapters"] if source.chapters else []),
        *(f"# warning: {warning}" for warning in warnings),
    ]


def line(frame: Frame) -> str:
    rgb = frame.pixels[:3].permute(1, 2, 0).numpy()
    luma = round(255 * float((rgb @ [0.2126, 0.7152, 0.0722]).mean()))
    seen = (luma, number_of(rgb))
    if frame.fault == "concealed":
        seen = (0, 0)  # what a decoder makes up depends on how many threads it has
    words = (frame.pts, frame.duration, seen[0], "cut" if frame.cut else "-", frame.fault or "-", seen[1])
    return " ".join(map(str, words))


@pytest.mark.parametrize("name", FILMS)
def test_every_picture_is_read_as_listed(name: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    source, notes = probe(FILMS[name](tmp_path / name)), Notes()
    pictures = [line(frame) for frame in read(source.as_edited("tonemap"), notes)]
    found = [*facts(source, notes.warnings), COLUMNS, *pictures]
    golden = GOLDEN / f"{name}.txt"
    if pytestconfig.getoption("--update-golden"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text("\n".join(found) + "\n")
    wanted = golden.read_text().splitlines()
    assert [without_luma(row) for row in found] == [without_luma(row) for row in wanted]
    start = wanted.index(COLUMNS) + 1
    for row, want in zip(found[start:], wanted[start:], strict=True):
        # Another machine's instructions may round a mean the other way.
        assert abs(int(row.split()[2]) - int(want.split()[2])) <= 1, (row, want)


def without_luma(row: str) -> str:
    words = row.split()
    return row if row.startswith("#") else " ".join(words[:2] + words[3:])


def test_the_lists_and_the_films_belong_together() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.txt" for name in FILMS}
