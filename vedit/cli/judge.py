"""`vedit judge`: a page on which people judge films blind, and what they said, counted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from typer import Argument, Option

import vedit
from vedit.cli import screen
from vedit.cli.options import Debug, Json, Quiet
from vedit.errors import UsageError

if TYPE_CHECKING:
    from vedit.report.judging_statistics import Estimate
    from vedit.report.judging_tally import Question, Tally


def judge(
    files: Annotated[
        list[Path],
        Argument(
            metavar="SOURCE A B…",
            help="The film and what became of it; or folders with films of the same names. With --tally, the "
            "results that judges saved.",
        ),
    ],
    output: Annotated[
        Path | None, Option("--output", "-o", metavar="PAGE", help="Where the page goes, an .html file.")
    ] = None,
    question: Annotated[
        list[str] | None,
        Option("--question", help="What is asked of each pair, such as 'Which is steadier?'; give several."),
    ] = None,
    rating: Annotated[
        bool, Option("--rating", help="Have each rated from 1 to 5, instead of pairs compared.")
    ] = False,
    rounds: Annotated[
        int | None,
        Option(
            "--rounds",
            help="How often each is judged: pairs 2, once each way round; ratings 1.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[int, Option("--seed", help="Another seed, another order.")] = 0,
    tally: Annotated[bool, Option("--tally", help="Count the results that judges saved.")] = False,
    overwrite: Annotated[bool, Option("--overwrite", help="Replace PAGE if it exists.")] = False,
    json_lines: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Have people judge films blind, on a page that works offline; --tally counts what they said."""
    if tally:
        if output is not None or question or rating or rounds is not None:
            raise UsageError(
                "--tally only counts", "Give it nothing but the results, and --json if you like."
            )
        _count(files, quiet=quiet, as_json=json_lines)
        return
    if output is None:
        raise UsageError(
            "there is no place for the page", "Give one: -o judge.html; or --tally to count results."
        )
    with screen.running("judge", quiet=quiet, as_json=json_lines) as shown:
        page = vedit.judge(
            files[0],
            files[1:],
            html=output,
            questions=question or (),
            rounds=rounds,
            mode="rating" if rating else "preference",
            seed=seed,
            overwrite=overwrite,
            progress=shown["progress"],
            warn=shown["warn"],
        )
    if json_lines:
        screen.say(event="done", page=str(page))
    else:
        print(f"The page is {page}")


def _count(files: list[Path], *, quiet: bool, as_json: bool) -> None:
    with screen.running("judge", quiet=quiet, as_json=as_json) as shown:
        found = vedit.tally(files, warn=shown["warn"])
    if as_json:
        screen.say(event="done", **found.facts())
        return
    for asked in found.questions:
        screen.console().print(_table(found, asked), end="\n\n")
    print(_summary(found))


def _summary(found: "Tally") -> str:
    said = f"{_several(found.judges, 'judge')} · {_several(found.answers, 'answer')}"
    return said if found.left is None else f"{said} · left preferred {_share(found.left)}"


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _table(found: "Tally", asked: "Question") -> Table:
    shown = Table(box=None, pad_edge=False, title=asked.question, title_justify="left", title_style="bold")
    for title in ("", "", "answers", "95 % interval"):
        shown.add_column(title, justify="right" if title else "left", overflow="fold")
    for pair in asked.pairs:
        counts = f"{pair.wins} : {pair.losses}" + (f", {pair.ties} the same" if pair.ties else "")
        shown.add_row(
            f"{pair.a} before {pair.b}", f"{pair.rate.value:.0%}", counts, _share_interval(pair.rate)
        )
    for one in asked.scores:
        value = f"{one.score.value:.2f}" if found.mode == "rating" else f"{one.score.value:+.2f}"
        low, high = one.score.low, one.score.high
        interval = "–" if low is None or high is None else f"{low:.2f} to {high:.2f}"
        shown.add_row(one.name, value, str(one.answers), interval)
    return shown


def _share(share: "Estimate") -> str:
    return f"{share.value:.0%} ({_share_interval(share)})"


def _share_interval(share: "Estimate") -> str:
    return "–" if share.low is None or share.high is None else f"{share.low:.0%} to {share.high:.0%}"
