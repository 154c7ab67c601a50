"""The page: its parts, and what happens when they are used."""

import traceback
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

import gradio as gr

from vedit.errors import VeditError
from vedit.recipes import Recipe
from vedit.render import render
from vedit.report.compare import compare
from vedit.ui import words
from vedit.ui.controls import shown
from vedit.ui.desk import Desk, Stopped, Teller
from vedit.ui.layout import Layout
from vedit.ui.mask import drawn_mask, mask_file
from vedit.ui.preview import preview
from vedit.ui.watchable import still, watchable
from vedit.ui.wish import Wish, as_toml, command, edits_of

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
            self._wire(Layout())
        return blocks

    def _wire(self, parts: Layout) -> None:
        controls = parts.controls
        shows = [parts.painter, *controls.groups]
        gr.on([one.change for one in controls.deciding], self._decided, controls.all, shows, **QUIET)
        opened = [parts.facts, parts.frame, parts.painter, parts.message, parts.try_it, parts.run_it]
        emptied = [parts.pair, parts.result, parts.after, parts.report, parts.page, parts.same]
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
        same = [parts.toml, parts.mask, parts.command, parts.same, parts.message]
        asked = [parts.frame, parts.painter, *controls.all]
        made = [parts.download, parts.after, parts.page, parts.report]
        for button, work, shown_in, others in (
            (parts.try_it, self._preview, parts.pair, same),
            (parts.run_it, self._run, parts.result, [*made, *same]),
            (parts.measure, self._compare, parts.report, [parts.page, parts.message]),
        ):
            (
                button.click(self._begin, None, busy, **QUIET)
                .then(work, asked, [shown_in, *others], show_progress_on=parts.status, **ALONE)
                .then(self._end, None, busy[:-1], **QUIET)
                .then(None, js=TO_SEE.replace("FIRST", f"#{shown_in.elem_id}"))
            )
        parts.cancel.click(self._cancelled, None, parts.cancel, **QUIET)

    def _decided(self, *values: Any) -> list[Any]:
        wish = Wish(*values)
        return [{"draw": wish.draws}, *shown(wish)]

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
            "frame": words.frame_url(still(source, index)),
            "width": source.width,
            "height": source.height,
            "shape": shape,
        }

    def _begin(self) -> list[Any]:
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
    ) -> list[Any]:
        def work(desk: Desk, teller: Teller) -> list[Any]:
            recipe = self._recipe(desk, asked)
            shown = preview(
                desk.film, edits_of(recipe), int(asked[0]), progress=teller.progress, phase=teller.phase
            )
            return [words.pair(shown, desk.film), *_same(recipe, desk)]

        return self._worked(request, progress, work, 6)

    def _run(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for it there
        *asked: Any,
    ) -> list[Any]:
        def work(desk: Desk, teller: Teller) -> list[Any]:
            recipe = self._recipe(desk, asked)
            output = desk.output(recipe)
            report = render(
                desk.film.path,
                output,
                edits_of(recipe),
                overwrite=True,
                audio="auto",
                hdr="tonemap",
                progress=teller.progress,
                phase=teller.phase,
            )
            watched = watchable(output, output.parent / "small.mp4", teller.progress)
            desk.result = output
            made = [words.result(report, watched), str(output), gr.update(visible=True)]
            return [*made, gr.update(visible=False), "", *_same(recipe, desk)]

        return self._worked(request, progress, work, 10)

    def _compare(
        self,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - gradio looks for it there
        *asked: Any,
    ) -> list[Any]:
        def work(desk: Desk, teller: Teller) -> list[Any]:
            assert desk.result is not None  # noqa: S101 - the button comes with it
            page = desk.result.parent / f"{desk.result.stem}.html"
            compare(desk.film.path, desk.result, html=page, overwrite=True, progress=teller.progress)
            return [words.framed(page), gr.update(visible=True, value=str(page)), ""]

        return self._worked(request, progress, work, 3)

    def _worked(
        self,
        request: gr.Request,
        progress: gr.Progress,
        work: Callable[[Desk, Teller], list[Any]],
        outputs: int,
    ) -> list[Any]:
        """What the work gives; or what it says when it fails, in the last of so many outputs."""
        desk = self.desk(request)
        teller = desk.begin()
        teller.show = lambda done, what: progress(done, desc=what)
        progress(0, desc="Getting ready")
        try:
            with self.working:
                return work(desk, teller)
        except Stopped:
            said = words.said("Cancelled. What a run had finished is kept: the same settings go on there.")
        except VeditError as error:
            said = words.complaint(error)
        except Exception as error:
            traceback.print_exc()
            said = words.fault(error)
        return [*[gr.skip()] * (outputs - 1), said]

    def _recipe(self, desk: Desk, asked: Sequence[Any]) -> Recipe:
        index, drawing, *values = asked
        wish = Wish(*values)
        mask = None
        if wish.draws:
            drawn = drawing.get("drawing") if isinstance(drawing, dict) else None
            followed = int(index) if wish.follow else None
            mask = drawn_mask(drawn, desk.film, followed, desk.folder)
        return wish.made(mask)


def _same(recipe: Recipe, desk: Desk) -> list[Any]:
    line = command(recipe, desk.film, desk.output(recipe).name)
    mask = next((file for step in recipe.steps if (file := mask_file(step.settings.get("mask")))), None)
    drawn = gr.update(visible=mask is not None, value=mask)
    return [as_toml(recipe), drawn, line, gr.update(visible=True), ""]


def _nothing() -> list[Any]:
    """The page without a film."""
    off, gone = gr.update(interactive=False), gr.update(visible=False)
    return ["", gone, {"frame": "", "clear": True}, "", off, off, "", "", gone, "", gone, gone]
