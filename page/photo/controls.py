"""The controls under the canvas, in groups that the view shows."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from page.editor.collect import CollectControls, collect_controls
from page.i18n.labels import label
from page.models import Models
from page.photo.drawing_controls import DrawingControls, drawing_controls
from page.photo.field_controls import FieldControls, field_controls, kind_control
from page.photo.pictures import SIZES
from page.photo.thresholds import sure_slider
from page.photo.views import COMPARISONS, CONTROLS, HIDDEN, SKELETONS, SLIDER, VIEWS
from page.photo.weights_menu import WeightsMenu, weights_menu


@dataclass(frozen=True)
class Controls:
    """What is under the canvas; `groups` are shown by the view, named as in `VIEWS`."""

    groups: dict[str, gr.Column]
    side: gr.Radio
    sure: gr.Slider
    drawing: DrawingControls
    fields: FieldControls
    size: gr.Radio
    mode: gr.Radio
    weights: WeightsMenu
    numbers: gr.HTML
    collect: CollectControls


def control_groups(models: Models) -> Controls:
    side = gr.Radio(
        list("AB"),
        value="A",
        label=label("side"),
        visible=HIDDEN,
        elem_id="side",
        elem_classes="segments",
    )
    groups = {
        name: gr.Column(
            visible=name in VIEWS[SKELETONS].controls or HIDDEN, elem_classes="controls"
        )
        for name in CONTROLS
    }
    with groups["people"]:
        sure = sure_slider()
    with groups["drawing"]:
        drawing = drawing_controls()
    with groups["kind"]:
        kind = kind_control()
    with groups["field"]:
        fields = field_controls(kind)
    with groups["size"]:
        size = size_control()
    with groups["compare"]:
        mode, weights, numbers = compare_controls(models)
    with groups["collect"]:
        collect = collect_controls()
    return Controls(groups, side, sure, drawing, fields, size, mode, weights, numbers, collect)


def size_control() -> gr.Radio:
    choices = [(f"{size} px", size) for size in SIZES]
    return gr.Radio(
        [*choices, (label("size_photo"), 0)],
        value=SIZES[0],
        label=label("size"),
        info=label("size_info"),
        elem_id="size",
        elem_classes="segments",
    )


def compare_controls(models: Models) -> tuple[gr.Radio, WeightsMenu, gr.HTML]:
    mode = gr.Radio(
        [(label(f"compare_{name}"), name) for name in COMPARISONS],
        value=SLIDER,
        label=label("compare_mode"),
        elem_id="compare-mode",
        elem_classes="segments",
    )
    return mode, weights_menu(models), gr.HTML(elem_id="facts")
