"""The page: its parts, and what happens when they are used."""

import traceback
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr

from vedit.errors import VeditError
from vedit.pages.small import jpeg_url
from vedit.recipes import Recipe
from vedit.report.compare import compare
from vedit.ui import words
from vedit.ui.controls import shown
from vedit.ui.desk import Desk, Stopped, Teller
from vedit.ui.layout import Layout
from vedit.ui.mask import drawn_mask
from vedit.ui.preview import preview
from vedit.ui.same import Same, editing
from vedit.ui.watchable import still
from vedit.ui.wish import ANALYSE, GENERATE, SUMMARISE, Wish, edits_of
from vedit.ui.work import analysed, edited, edited_file, generated, summarised

Shown = dict[Any, Any]
"""What parts of the page are to show; the others stay as they are."""
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
"""Only the page itself calls what is behind it."""
QUIET: dict[str, Any] = {**PRIVATE, "show_progress": "hidden", "queue": False}
"""What is done at once."""
ALONE: dict[str, Any] = {**PRIVATE, "concurrency_id": "render", "concurrency_limit": 1}
"""One render at a time, whoever asks."""
PATIENCE = 30
"""Seconds that the end waits for a render to stop."""
TO_SEE = """() => {
  const said = document.querySelector("#message .note");
  (said || document.querySelector("FIRST"))?.scrollIntoView({behavior: "smooth", block: "nearest"});
}"""
"""Brings into view what came of the work: what is said of it, or else its first output."""


class Page:
    """The page and what its visitors have on their desks.

    Args:
        folder: where their files go, below the one that gradio was told of.
    """

    def __init__(self, folder: Path) -> None:
        self.folders = (folder / str(number) for number in count())
        self.desks: dict[str, Desk] = {}
        self.working = Lock()
        self.blocks = self._built()

    def close(self) -> None:
        """End the server, and what is running."""
        for desk in self.desks.values():
            desk.stop.set()
        self.working.acquire(timeout=PATIENCE)
        self.blocks.close(verbose=False)

    def desk(self, request: gr.Request) -> Desk:
        """The visitor's own."""
        key = str(request.session_hash)
        if key not in self.desks:
            self.desks[key] = Desk(next(self.folders))
        return self.desks[key]

    def _built(self) -> gr.Blocks:
        blocks = gr.Blocks(title="vedit", analytics_enabled=False, fill_width=True)
        with blocks:
            self.parts = Layout()
            self._wire(self.parts)
        return blocks

    def _wire(self, parts: Layout) -> None:
        controls = parts.controls
        shows = [parts.painter, parts.run_it, *controls.groups]
        gr.on([one.change for one in controls.deciding], self._decided, controls.all, shows, **QUIET)
        opened = [parts.facts, parts.frame, parts.painter, parts.message, parts.try_it, parts.run_it]
        results = [parts.result, parts.after, parts.download, parts.measure, parts.page, parts.sheet]
        emptied = [parts.pair, parts.report, parts.same, *results]
        parts.film.upload(
            self._opened,
            [parts.film, *controls.all],
            [*opened, *emptied],
            show_progress_on=parts.facts,
            **PRIVATE,
        )
        parts.film.clear(self._cleared, None, [*opened, *emptied], **QUIET)
        parts.frame.input(
            self._frame,
            parts.frame,
            parts.painter,
            show_progress="hidden",
            trigger_mode="always_last",
            **PRIVATE,
        )
        busy = [parts.try_it, parts.run_it, parts.measure, parts.cancel, parts.status, parts.message]
        same = [parts.toml, parts.mask, parts.command, parts.same]
        asked = [parts.frame, parts.painter, *controls.all]
        for button, work, outputs in (
            (parts.try_it, self._preview, [parts.pair, *same]),
            (parts.run_it, self._run, [parts.report, *results, *same]),
            (parts.measure, self._compare, [parts.report, parts.page]),
        ):
            first = parts.result if button is parts.run_it else outputs[0]
            (
                button.click(self._begin, None, busy, **QUIET)
                .then(work, asked, [*outputs, parts.message], show_progress_on=parts.status, **ALONE)
                .then(self._end, None, busy[:-1], **QUIET)
                .then(None, js=TO_SEE.replace("FIRST", f"#{first.elem_id}"))
            )
        parts.cancel.click(self._cancelled, None, parts.cancel, **QUIET)

    def _decided(self, request: gr.Request, *values: Any) -> list[Any]:
        wish = Wish(*values)
        runs = self.desk(request).source is not None or wish.doing == GENERATE
        return [
            {"draw": wish.draws, "aside": wish.doing == GENERATE},
            gr.update(interactive=runs),
            *shown(wish),
        ]

    def _opened(self, request: gr.Request, path: str, *values: Any) -> list[Any]:
        desk = self.desk(request)
        try:
            source = desk.open(Path(path))
            wish = Wish(*values)
            picture = self._picture(desk, 0) | {"draw": wish.draws, "clear": True}
            frame = gr.update(visible=True, value=0, maximum=max(1, source.frames - 1))
            opened = [words.facts(source), frame, picture, "", *[gr.update(interactive=True)] * 2]
        except VeditError as error:
            desk.close()
            opened = [*_nothing()[:3], words.complaint(error), *_nothing()[4:6]]
        except Exception as error:
            traceback.print_exc()
            desk.close()
            opened = [*_nothing()[:3], words.fault(error), *_nothing()[4:6]]
        return [*opened, *_nothing()[6:]]

    def _cleared(self, request: gr.Request) -> list[Any]:
        self.desk(request).close()
        return _nothing()

    def _frame(self, request: gr.Request, index: int) -> dict[str, Any]:
        return self._picture(self.desk(request), int(index))

    def _picture(self, desk: Desk, index: int) -> dict[str, Any]:
        source = desk.source
        if source is None:
            return {}
        shape = float(source.width * source.video.sar / source.height)
        return {
            "frame": jpeg_url(still(source, index)),
            "width": source.width,
            "height": source.height,
            "shape": shape,
        }

    def _begin(self, request: gr.Request) -> list[Any]:
        # Here, and not where the work starts: that may have to wait, and can be cancelled from now on.
        self.desk(request).begin()
        off, on = gr.update(visible=False), gr.update(visible=True)
        cancel = gr.update(visible=True, interactive=True, value="Cancel")
        return [off, off, gr.update(interactive=False), cancel, on, ""]

    def _end(self) -> list[Any]:
        on, off = gr.update(visible=True), gr.update(visible=False)
        return [on, on, gr.update(interactive=True), off, off]

    def _cancelled(self, request: gr.Request) -> Any:
        self.desk(request).stop.set()
        return gr.update(interactive=False, value="Stopping …")

    def _preview(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for it there
        *asked: Any,
    ) -> Shown:
        def work(desk: Desk, teller: Teller) -> Shown:
            recipe = self._recipe(desk, asked)
            # What goes on after the film is to be seen at its end.
            frame = desk.film.frames - 1 if recipe.steps[0].edit == "extend" else int(asked[0])
            shown = preview(desk.film, edits_of(recipe), frame, progress=teller.progress, phase=teller.phase)
            how = editing(recipe, desk.film, edited_file(desk, recipe))
            return {self.parts.pair: words.pair(shown, desk.film), **self._same(how)}

        return self._worked(request, progress, work)

    def _run(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for it there
        *asked: Any,
    ) -> Shown:
        def work(desk: Desk, teller: Teller) -> Shown:
            wish = Wish(*asked[2:])
            do = {ANALYSE: analysed, SUMMARISE: summarised, GENERATE: generated}.get(wish.doing)
            made = do(desk, wish, teller) if do else edited(desk, self._recipe(desk, asked), teller)
            desk.result = made.film
            parts = self.parts
            return {
                parts.result: made.html,
                parts.report: words.framed(made.page, "Analysis") if made.page else "",
                parts.after: gr.update(visible=True),
                parts.download: _file(made.film),
                parts.measure: gr.update(visible=made.comparable),
                parts.page: _file(made.page),
                parts.sheet: _file(made.sheet),
                **self._same(made.same),
            }

        return self._worked(request, progress, work)

    def _compare(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for it there
        *asked: Any,
    ) -> Shown:
        def work(desk: Desk, teller: Teller) -> Shown:
            assert desk.result is not None  # noqa: S101 - the button comes with it
            page = desk.result.parent / f"{desk.result.stem}.html"
            compare(desk.film.path, desk.result, html=page, overwrite=True, progress=teller.progress)
            return {self.parts.report: words.framed(page, "Comparison"), self.parts.page: _file(page)}

        return self._worked(request, progress, work)

    def _worked(
        self, request: gr.Request, progress: gr.Progress, work: Callable[[Desk, Teller], Shown]
    ) -> Shown:
        """What the work gives; or what it says when it fails."""
        desk = self.desk(request)
        teller = Teller(desk.stop)
        teller.show = lambda done, what: progress(done, desc=what)
        progress(0, desc="Getting ready")
        try:
            with self.working:
                teller.check()
                return {**work(desk, teller), self.parts.message: ""}
        except Stopped:
            said = words.said("Cancelled. What a run had finished is kept: the same settings go on there.")
        except VeditError as error:
            said = words.complaint(error)
        except Exception as error:
            traceback.print_exc()
            said = words.fault(error)
        return {self.parts.message: said}

    def _same(self, how: Same) -> Shown:
        return {
            self.parts.toml: gr.update(visible=bool(how.toml), value=how.toml),
            self.parts.mask: _file(how.mask),
            self.parts.command: how.command,
            self.parts.same: gr.update(visible=True),
        }

    def _recipe(self, desk: Desk, asked: Sequence[Any]) -> Recipe:
        index, drawing, *values = asked
        wish = Wish(*values)
        mask = None
        if wish.draws:
            drawn = drawing.get("drawing") if isinstance(drawing, dict) else None
            followed = int(index) if wish.follow else None
            mask = drawn_mask(drawn, desk.film, followed, desk.folder)
        return wish.made(mask)


def _file(path: Path | None) -> Any:
    """What a button is for; it goes where there is nothing."""
    return gr.update(visible=path is not None, value=path and str(path))


def _nothing() -> list[Any]:
    """The page without a film."""
    off, gone = gr.update(interactive=False), gr.update(visible=False)
    return ["", gone, {"frame": "", "clear": True}, "", off, off, "", "", gone, "", *[gone] * 5]
