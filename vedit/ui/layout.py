"""The page's parts and where they stand."""

from pathlib import Path
from typing import Any

import gradio as gr

from vedit.ui.controls import Controls

HERE = Path(__file__).parent
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace"]


class Layout:
    """Made within `gr.Blocks`: the film and the controls on the left, the pictures on the right."""

    def __init__(self) -> None:
        gr.HTML('<header class="top"><b>vedit</b> <span>A film goes in, a film comes out.</span></header>')
        with gr.Row(equal_height=False):
            with gr.Column(scale=4, min_width=340, elem_classes="side"):
                self.film = gr.File(label="Film", height=120, elem_id="film")
                self.facts = gr.HTML(elem_id="facts")
                self.controls = Controls()
                with gr.Row(elem_classes="actions"):
                    self.try_it = gr.Button("Preview 2 seconds", interactive=False, elem_id="preview")
                    self.run_it = gr.Button("Run", variant="primary", interactive=False, elem_id="run")
                    self.cancel = gr.Button("Cancel", visible=False, elem_id="cancel")
                    self.status = gr.HTML(visible=False, elem_id="status", min_height=56)
                self.message = gr.HTML(elem_id="message")
            with gr.Column(scale=8, min_width=420):
                self.painter = gr.HTML(
                    value={},
                    html_template=(HERE / "painter.html").read_text(encoding="utf-8"),
                    js_on_load=(HERE / "painter.js").read_text(encoding="utf-8"),
                    apply_default_css=False,
                    elem_id="painter",
                )
                self.frame = gr.Slider(
                    0,
                    1,
                    value=0,
                    step=1,
                    label="Frame to look at, to preview and to draw on",
                    visible=False,
                    elem_id="frame",
                    buttons=[],
                )
                self.pair = gr.HTML(
                    js_on_load=(HERE / "pair.js").read_text(encoding="utf-8"),
                    apply_default_css=False,
                    elem_id="pair",
                )
                self.result = gr.HTML(apply_default_css=False, elem_id="result")
                with gr.Row(visible=False) as self.after:
                    self.download = gr.DownloadButton(
                        "Download the film", variant="primary", elem_id="download"
                    )
                    self.measure = gr.Button("Compare with the original", elem_id="compare")
                    self.page = gr.DownloadButton("Download the page", visible=False, elem_id="page")
                    self.sheet = gr.DownloadButton("Download the storyboard", visible=False, elem_id="sheet")
                self.report = gr.HTML(apply_default_css=False, elem_id="report")
                with gr.Accordion("Recipe and command line", open=False, visible=False) as self.same:
                    self.toml = gr.Textbox(
                        label="Recipe or storyboard, as TOML",
                        lines=6,
                        buttons=["copy"],
                        elem_classes="code",
                        elem_id="toml",
                    )
                    self.mask = gr.DownloadButton("Download mask.png", visible=False, elem_id="mask")
                    self.command = gr.Textbox(
                        label="Command line",
                        lines=2,
                        buttons=["copy"],
                        elem_classes="code",
                        elem_id="command",
                    )


def look() -> dict[str, Any]:
    """The page's theme and style, as what ``launch`` takes; the fonts are the system's own."""
    theme = gr.themes.Base(
        primary_hue="indigo", neutral_hue="slate", radius_size="md", font=FONT, font_mono=MONO
    )
    theme.set(
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        checkbox_border_color_dark="*neutral_400",
    )
    return {"theme": theme, "css": (HERE / "style.css").read_text(encoding="utf-8")}
