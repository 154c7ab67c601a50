"""The controls that say what is to be done: only those that matter to the chosen edit are shown."""

from html import escape
from typing import Any, get_args

import gradio as gr

from vedit.flow.quality import Quality
from vedit.recipes import available, load_recipe
from vedit.ui.wish import DOINGS, FLAWS, INTERPOLATE, PICTURE, RECIPE, REMOVE, REPAIR, RESTYLE, Wish, looks

QUALITIES = list(get_args(Quality))


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
            height=110,
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
        ]

    @property
    def groups(self) -> list[Any]:
        """What :func:`shown` gives the visibility of."""
        return [
            self.restyle,
            self.of_recipe,
            self.style,
            self.paint,
            self.interpolate,
            self.fps,
            self.slowmo,
            self.remove,
            self.follow,
            self.filling,
            self.repair,
            self.about,
        ]

    @property
    def deciding(self) -> list[Any]:
        """The controls that others depend on."""
        return [self.doing, self.look, self.speed, self.where, self.recipe]


def shown(wish: Wish) -> list[Any]:
    """Which of the groups are to be seen."""
    restyle, remove = wish.doing == RESTYLE, wish.doing == REMOVE
    picture = wish.look == PICTURE if restyle else "style" in wish.lacks
    seen = [
        restyle,
        wish.doing == RECIPE,
        picture,
        restyle,
        wish.doing == INTERPOLATE,
        wish.speed == "fps",
        wish.speed == "slowmo",
        remove,
        wish.draws,
        remove,
        wish.doing == REPAIR,
    ]
    return [*(gr.update(visible=one) for one in seen), about(wish.recipe)]


def about(name: str) -> str:
    """What a recipe does, and when to use it."""
    recipe = load_recipe(name)
    what = recipe.description.split(": --set")[0].rstrip(".")  # here that is a control
    return f'<p class="hint">{escape(what)}. {escape(recipe.when)}</p>'
