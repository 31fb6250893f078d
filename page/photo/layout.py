"""The components of the photo tab and where they are; `page.photo.events` connects them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr

from page.components import photo_input
from page.editor.component import pose_editor
from page.i18n.labels import label, say
from page.models import DEFAULT_PRESET, Models
from page.photo.controls import Controls, control_groups
from page.photo.downloads import EVERYTHING, FILES
from page.photo.own_weights import OwnControls, own_controls
from page.photo.people_table import COLUMNS
from page.photo.thresholds import ThresholdSliders, threshold_sliders
from page.photo.views import HIDDEN, SKELETONS, VIEWS
from pose import PRESETS
from pose.files import EXAMPLES as EXAMPLES_FOLDER

EXAMPLES = {
    name: str(EXAMPLES_FOLDER / f"{name}.jpg")
    for name in ("group", "astronaut", "photographer", "grace-hopper")
}
"""The example photos by their names in the address; the page opens with the first."""

SESSION_SECONDS = 3600
"""How long a visitor's photo and maps are kept."""


@dataclass(frozen=True)
class Rail:
    """What is run; `pick` is the telephone's way to a photo."""

    photo: gr.Image
    preset: gr.Radio
    run: gr.Button
    pick: gr.UploadButton


@dataclass(frozen=True)
class Canvas:
    """The one place for pictures: the view decides which of the components is seen."""

    status: gr.HTML
    views: gr.Radio
    skeleton: gr.Image
    field_map: gr.Image
    comparison: gr.ImageSlider
    picture: gr.Image
    board: gr.HTML

    @property
    def pictures(self) -> tuple[Any, ...]:
        return self.skeleton, self.field_map, self.comparison, self.picture, self.board


@dataclass(frozen=True)
class Downloads:
    """The menu, and the link to the file that was made last."""

    menu: gr.Dropdown
    link: gr.HTML


@dataclass(frozen=True)
class Below:
    """The closed accordions."""

    steps: gr.HTML
    table: gr.Dataframe
    own: OwnControls
    thresholds: ThresholdSliders
    reset: gr.Button


@dataclass(frozen=True)
class PhotoTab:
    """The tab.

    Attributes:
        session: the visitor's `Session`.
        ran: the session as the network last left it.
        refused: a photo that cannot be read.
    """

    session: gr.State
    ran: gr.State
    refused: gr.State
    rail: Rail
    canvas: Canvas
    downloads: Downloads
    controls: Controls
    below: Below


def photo_tab(models: Models) -> PhotoTab:
    """Builds the tab inside the open `gr.Blocks`."""
    session, ran, refused = (gr.State(time_to_live=SESSION_SECONDS) for _ in range(3))
    with gr.Row(equal_height=False, elem_id="desk"):
        with gr.Column(scale=0, min_width=320, elem_id="rail"):
            rail = rail_column()
        with gr.Column(min_width=320, elem_id="stage"):
            with gr.Row(elem_id="canvas-head"):
                status = gr.HTML(elem_id="status", padding=False)
                downloads = downloads_menu()
            canvas = canvas_column(status)
            controls = control_groups(models)
    below = accordions(models)
    return PhotoTab(session, ran, refused, rail, canvas, downloads, controls, below)


def rail_column() -> Rail:
    photo = photo_input(
        label=label("photo_label"),
        sources=["upload", "webcam", "clipboard"],
        elem_id="input-image",
        height=220,
        alt_text=say("alt_photo"),
        buttons=[],
    )
    gr.Examples(
        [[path] for path in EXAMPLES.values()],
        [photo],
        label=label("examples"),
        elem_id="examples",
        api_visibility="private",
    )
    preset = gr.Radio(
        [(label(f"preset_{name}"), name) for name in PRESETS],
        value=DEFAULT_PRESET,
        label=label("preset"),
        elem_id="preset",
        elem_classes="segments",
    )
    with gr.Row(elem_id="bar"):
        pick = gr.UploadButton(
            label("pick"),  # type: ignore[arg-type]  # translated all the same
            file_types=["image"],
            elem_id="phone-photo",
            min_width=100,
        )
        run = gr.Button(label("run"), variant="primary", size="lg", elem_id="run", min_width=120)
    return Rail(photo, preset, run, pick)


def downloads_menu() -> Downloads:
    choices = [(label(f"file_{name}"), name) for name in (EVERYTHING, *FILES)]
    with gr.Column(scale=0, min_width=190, elem_id="downloads"):
        menu = gr.Dropdown(
            [(label("download"), ""), *choices],
            value="",
            label=label("download"),
            show_label=False,
            container=False,
            filterable=False,
            elem_id="download-menu",
        )
        link = gr.HTML(elem_id="download-link")
    return Downloads(menu, link)


def canvas_column(status: gr.HTML) -> Canvas:
    views = gr.Radio(
        [(label(f"view_{name}"), name) for name in VIEWS],
        value=SKELETONS,
        label=label("views"),
        show_label=False,
        container=False,
        elem_id="views",
        elem_classes="segments",
    )
    with gr.Column(elem_id="canvas"):
        skeleton = canvas_image("skeleton", "alt_skeleton")
        field_map = canvas_image("field-map", "alt_field", visible=HIDDEN)
        comparison = gr.ImageSlider(
            label=str(label("comparison")),
            elem_id="comparison",
            interactive=False,
            buttons=["fullscreen"],
            visible=HIDDEN,
            show_label=False,
        )
        picture = canvas_image("compare-picture", "alt_comparison", visible=HIDDEN)
        board = pose_editor()
    return Canvas(status, views, skeleton, field_map, comparison, picture, board)


def canvas_image(element: str, alt: str, *, visible: bool | Literal["hidden"] = True) -> gr.Image:
    return gr.Image(
        label=label("canvas"),
        show_label=False,
        elem_id=element,
        interactive=False,
        buttons=["fullscreen"],
        alt_text=say(alt),
        visible=visible,
    )


def accordions(models: Models) -> Below:
    with gr.Accordion(label("how"), open=False, elem_id="how"):
        steps = gr.HTML(elem_id="strip")
    with gr.Accordion(label("people"), open=False, elem_id="keypoints"):
        gr.Markdown(label("people_hint"), elem_classes="hint")
        table = gr.Dataframe(
            headers=[say(f"col_{name}") for name in COLUMNS],
            datatype=["number", "str", "str", "str", "str", "str"],
            interactive=False,
            max_height=420,
            elem_id="people",
            column_widths=["80px", "170px", "90px", "90px", "80px", "90px"],
            show_label=False,
            buttons=["copy"],
        )
    with gr.Accordion(label("advanced"), open=False, elem_id="advanced"):
        gr.Markdown(label("thresholds_hint"), elem_classes="hint")
        with gr.Row():
            thresholds = threshold_sliders()
        reset = gr.Button(label("reset"), size="sm", elem_id="reset-thresholds")
        gr.Markdown(label("own_hint"), elem_classes="hint")
        own = own_controls(models)
    return Below(steps, table, own, thresholds, reset)
