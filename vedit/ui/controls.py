"""The controls that say what is to be done: only those that matter to the chosen edit are shown."""

from html import escape
from typing import Any, get_args

import gradio as gr

from vedit.flow.quality import Quality
from vedit.generating.storyboard import TRANSITIONS
from vedit.recipes import available, load_recipe
from vedit.ui.engines import FAMILIES, engines
from vedit.ui.wish import (
    ANALYSE,
    DOINGS,
    EXTEND,
    FLAWS,
    GENERATE,
    INTERPOLATE,
    PICTURE,
    RECIPE,
    REMOVE,
    REPAIR,
    RESTYLE,
    SUMMARISE,
    Wish,
    looks,
)

QUALITIES = list(get_args(Quality))
LINES = "A line for each picture, and one for each further shot"
"""How a storyboard's words are to be written."""


class Controls:
    """Made within a page's layout. ``all`` are those of :class:`Wish`, in its order."""

    def __init__(self) -> None:
        start = Wish()
        self.doing = gr.Radio(list(DOINGS), value=start.doing, label="What to do", elem_classes="doing")
        with gr.Column(elem_classes="settings") as self.restyle:
            self.look = gr.Dropdown(looks(), value=start.look, label="Look", filterable=False)
        with gr.Column(visible=False, elem_classes="settings") as self.of_recipe:
            self.recipe = gr.Dropdown(
                [recipe.name for recipe in available()], value=start.recipe, label="Recipe", filterable=False
            )
            self.about = gr.HTML(about(start.recipe))
        self.style = gr.File(
            label="Picture that has the look",
            file_types=["image"],
            height=120,
            visible=False,
            elem_id="style",
        )
        with gr.Column(elem_classes="settings") as self.paint:
            self.strength = gr.Slider(0, 1, value=start.strength, step=0.05, label="Strength")
            self.keep_colour = gr.Checkbox(start.keep_colour, label="Keep the film's colours")
        with gr.Column(visible=False, elem_classes="settings") as self.interpolate:
            self.speed = gr.Radio(
                [("More frames per second", "fps"), ("Slow motion", "slowmo")],
                value=start.speed,
                label="Make",
            )
            self.fps = gr.Dropdown(
                ["48", "50", "60", "100", "120"],
                value=start.fps,
                label="Frames per second",
                allow_custom_value=True,
            )
            self.slowmo = gr.Dropdown(
                ["2", "4", "8"],
                value=start.slowmo,
                label="Times slower",
                allow_custom_value=True,
                visible=False,
            )
            self.quality = gr.Radio(QUALITIES, value=start.quality, label="Quality")
        with gr.Column(visible=False, elem_classes="settings") as self.remove:
            self.where = gr.Radio(
                [
                    ("What I draw", "drawn"),
                    ("Captions, found", "auto:caption"),
                    ("A logo, found", "auto:logo"),
                ],
                value=start.where,
                label="What is to go",
            )
        self.follow = gr.Checkbox(
            start.follow, label="It moves: follow it from the frame on show", visible=False
        )
        with gr.Column(visible=False, elem_classes="settings") as self.filling:
            self.grow = gr.Slider(0, 20, value=start.grow, step=1, label="Grow the mask, pixels")
            self.fill = gr.Radio(QUALITIES, value=start.fill, label="Quality")
        with gr.Column(visible=False, elem_classes="settings") as self.extend:
            self.longer = gr.Textbox(start.longer, label="Seconds to go on for")
        with gr.Column(visible=False, elem_classes="settings") as self.analyse:
            self.anomalies = gr.Checkbox(
                start.anomalies, label="Also look for what is wrong or strange in it"
            )
        with gr.Column(visible=False, elem_classes="settings") as self.summarise:
            self.reel = gr.Textbox(start.reel, label="Seconds of the reel")
        with gr.Column(visible=False, elem_classes="settings") as self.generate:
            self.pictures = gr.File(
                label="Pictures, in their order",
                file_count="multiple",
                file_types=["image"],
                height=150,
                allow_reordering=True,
                elem_id="pictures",
            )
            self.sound = gr.File(
                label="Sound, if you like", file_types=["audio", "video"], height=120, elem_id="sound"
            )
            self.scene = gr.Textbox(start.scene, label="Seconds of each")
            self.transition = gr.Radio(
                list(TRANSITIONS), value=start.transition, label="From one to the next"
            )
        self.engine = gr.Dropdown(
            engines(start.doing),
            value=start.engine,
            label="Engine",
            info="bundled, or another: a name that `vedit engines` lists, a folder, a file, a hub id",
            allow_custom_value=True,
            elem_id="engine",
        )
        with gr.Column(visible=False, elem_classes="settings") as self.words:
            self.prompt = gr.Textbox(label="What is to be seen", lines=2, elem_id="prompt")
            self.power = gr.Slider(0, 1, value=start.power, step=0.05, label="Strength")
        with gr.Column(visible=False, elem_classes="settings") as self.repair:
            self.flaws = gr.CheckboxGroup(list(FLAWS), value=list(start.flaws), label="Mend")
            self.show_flaws = gr.Checkbox(
                start.show_flaws, label="Mend nothing; draw what is found over the film"
            )

    @property
    def all(self) -> list[Any]:
        """The components, as ``Wish(*values)`` takes their values."""
        return [
            self.doing,
            self.look,
            self.style,
            self.strength,
            self.keep_colour,
            self.speed,
            self.fps,
            self.slowmo,
            self.quality,
            self.where,
            self.follow,
            self.grow,
            self.fill,
            self.flaws,
            self.show_flaws,
            self.recipe,
            self.longer,
            self.anomalies,
            self.reel,
            self.pictures,
            self.sound,
            self.scene,
            self.transition,
            self.engine,
            self.prompt,
            self.power,
        ]

    @property
    def groups(self) -> list[Any]:
        """What :func:`shown` gives the visibility of."""
        return [
            self.restyle,
            self.of_recipe,
            self.style,
            self.strength,
            self.keep_colour,
            self.interpolate,
            self.fps,
            self.slowmo,
            self.remove,
            self.follow,
            self.filling,
            self.repair,
            self.extend,
            self.analyse,
            self.summarise,
            self.generate,
            self.words,
            self.power,
            self.engine,
            self.prompt,
            self.about,
        ]

    @property
    def deciding(self) -> list[Any]:
        """The controls that others depend on."""
        return [self.doing, self.look, self.speed, self.where, self.recipe, self.engine]


def shown(wish: Wish) -> list[Any]:
    """Which of the groups are to be seen."""
    restyle, remove = wish.doing == RESTYLE, wish.doing == REMOVE
    pretrained = wish.pretrained and wish.doing in FAMILIES
    picture = (pretrained or wish.look == PICTURE) if restyle else "style" in wish.lacks
    seen = [
        restyle and not pretrained,
        wish.doing == RECIPE,
        picture,
        restyle and not pretrained,
        restyle,
        wish.doing == INTERPOLATE,
        wish.speed == "fps",
        wish.speed == "slowmo",
        remove,
        wish.draws,
        remove,
        wish.doing == REPAIR,
        wish.doing == EXTEND,
        wish.doing == ANALYSE,
        wish.doing == SUMMARISE,
        wish.doing == GENERATE,
        pretrained,
        restyle,
    ]
    engine = gr.update(visible=wish.doing in FAMILIES, choices=engines(wish.doing))
    prompt = gr.update(info=LINES if wish.doing == GENERATE else "")
    return [*(gr.update(visible=one) for one in seen), engine, prompt, about(wish.recipe)]


def about(name: str) -> str:
    """What a recipe does, and when to use it."""
    recipe = load_recipe(name)
    what = recipe.description.split(": --set")[0].rstrip(".")  # here that is a control
    return f'<p class="hint">{escape(what)}. {escape(recipe.when)}</p>'
